# Verification sets and MegaFace over features from elsewhere: .bin sets written and read, lists of pairs, trees of features.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"

# A .bin set from a list of pairs: Python reads it, and its images are the files.
make_faces test 4 4 700
cat >make.py <<'PY'
import random, struct
names = [f"person_07{i:02d}" for i in range(4)]
same = [(n, a, b) for n in names for a in range(1, 5) for b in range(a + 1, 5)][:20]
other = [(names[i % 4], i % 4 + 1, names[(i + 1 + i // 8) % 4], i % 3 + 1) for i in range(20)]
with open("pairs.txt", "w") as f:
    print(20, file=f)
    for row in same + other:
        print(*row, sep="\t", file=f)
item = lambda name, i: f"{name}/{name}_{i:04d}.jpg"
pairs = [(item(n, a), item(n, b), 1) for n, a, b in same] + [(item(*r[:2]), item(*r[2:]), 0) for r in other]
with open("flat.txt", "w") as f, open("flags.txt", "w") as g:
    for a, b, flag in pairs:
        print(a, b, flag, file=f)
        print(f"{a} {flag}\n{b} {flag}", file=g)
# Features: random, the same for one image wherever it stands.
def feature(seed, dim=8):
    r = random.Random(seed)
    return [r.gauss(0, 1) for _ in range(dim)]
def write_features(path, items):
    with open(path, "wb") as f:
        f.write(struct.pack("4i", len(items), 8, 32, 5))
        for i in items:
            f.write(struct.pack("8f", *feature(i)))
images = sorted({i for a, b, _ in pairs for i in (a, b)})
open("items.txt", "w").write("".join(i + "\n" for i in images))
write_features("images.bin", images)
write_features("in_bin_order.bin", [i for a, b, _ in pairs for i in (a, b)])
PY
python3 make.py
cat >bin.yaml <<'PY'
paths: {run: bin_run}
data:
  sources: [{name: test, role: test, type: folder, root: test}]
eval:
  protocols:
    - {name: lfw, type: verification, set: test, pairs: pairs.txt, num_pairs: 40}
    - {name: people, type: all_pairs, set: test}
PY
expect 0 uir-index bin.yaml --write-bin lfw lfw.bin
says "wrote lfw.bin: 40 pairs of two images, 80 images unchanged, 0 encoded anew"
python3 - <<'PY'
import pickle
images, issame = pickle.load(open("lfw.bin", "rb"), encoding="bytes")
files = [open("test/" + path, "rb").read() for line in open("flat.txt") for path in line.split()[:2]]
assert images == files and len(images) == 80
assert issame == [True] * 20 + [False] * 20
PY
expect 78 uir-index bin.yaml --write-bin people other.bin
says "'people' is no verification protocol"
expect 65 uir-index bin.yaml --write-bin lfw other.bin --set eval.protocols.0.num_pairs=6000
says "40 pairs, expected 6000"
[ ! -e other.bin ] || die "a .bin that could not be written is there"

# Every format names the same pairs, so they give the same curve; the .bin's own pairs serve features in its order.
cat >verification.yaml <<'PY'
paths: {run: verification_run}
eval:
  models:
    - name: theirs
      sets:
        - {set: images, features: images.bin, items: items.txt}
        - {set: in_bin_order, features: in_bin_order.bin}
  protocols:
    - {name: lfw, type: verification, set: images, pairs: pairs.txt}
    - {name: flat, type: verification, set: images, pairs: flat.txt, format: path_pairs, num_pairs: 40}
    - {name: flags, type: verification, set: images, pairs: flags.txt, format: calfw}
    - {name: bin, type: verification, set: in_bin_order, bin: lfw.bin, num_pairs: 40}
PY
expect 0 uir-eval verification.yaml
python3 - <<'PY'
import json
lfw, flat, flags, bin = json.load(open("verification_run/report/report.json"))["models"][0]["protocols"]
for other in (flat, flags, bin):
    assert other["numbers"]["auc"] == lfw["numbers"]["auc"] and other["counts"] == lfw["counts"], (lfw, other)
assert flags["details"]["folds"] == lfw["details"]["folds"] and bin["details"]["folds"] == flat["details"]["folds"]
PY
expect 65 uir-eval verification.yaml --set eval.protocols.3.set=images
says "but $PWD/lfw.bin holds 40 pairs of two images"
expect 78 uir-eval verification.yaml --set eval.protocols.3.pairs=pairs.txt
says "pairs and bin exclude each other"
expect 78 uir-eval verification.yaml --set eval.protocols.1.format=csv

# MegaFace: one file of features per image, noise lists; the numbers once more in Python.
cat >megaface.py <<'PY'
import json, os, random, struct
r = random.Random(3)
def write_tree(root, features):
    with open(root + ".txt", "w") as f:
        for item, feature in features.items():
            print(item, file=f)
            os.makedirs(os.path.dirname(f"{root}/{item}"), exist_ok=True)
            open(f"{root}/{item}_net.bin", "wb").write(struct.pack("4i", len(feature), 1, 4, 5) + struct.pack(f"{len(feature)}f", *feature))
probes = {}
for person in range(6):
    center = [r.gauss(0, 1) for _ in range(8)]
    for image in range(5):
        probes[f"P_{person}/P_{person}_{image}.png"] = [c + 0.35 * r.gauss(0, 1) for c in center]
distractors = {f"{i % 7}/{i}@N00/{i}_0.jpg": [r.gauss(0, 1) for _ in range(8)] for i in range(1500)}
noisy = "3/10@N00/10_0.jpg"
distractors[noisy] = probes["P_2/P_2_0.png"]  # a known person among the distractors
write_tree("scrub", probes)
write_tree("mega", distractors)
open("scrub_noises.txt", "w").write("#rules\nP_1_4.png\nNobody_1.png\n")
open("mega_noises.txt", "w").write("#rules\n" + noisy + "\n")
def cosine(a, b):
    norm = lambda v: sum(x * x for x in v) ** 0.5
    return sum(x * y for x, y in zip(a, b)) / norm(a) / norm(b)
del probes["P_1/P_1_4.png"], distractors[noisy]
expected = {}
for n in (10, 100, 1000, 1500):
    gallery = list(distractors.values())[: n if n == 10 else n - 1]  # the noise is row 10
    ranks = []
    for a, f in probes.items():
        scores = [cosine(f, d) for d in gallery]
        for b, g in probes.items():
            if a != b and os.path.dirname(a) == os.path.dirname(b):
                mate = cosine(f, g)
                ranks.append(1 + sum(s >= mate for s in scores))
    for k in (1, 10):
        expected[f"identification_rank_{k}" + ("" if n == 1500 else f"_distractors_{n}")] = sum(x <= k for x in ranks) / len(ranks)
impostors = sorted((cosine(f, d) for f in probes.values() for d in distractors.values()), reverse=True)
genuine = [cosine(f, g) for a, f in probes.items() for b, g in probes.items() if a < b and os.path.dirname(a) == os.path.dirname(b)]
threshold = impostors[int(0.001 * len(impostors))]  # the first that must not be accepted
expected["tar_at_far_0.001"] = sum(g > threshold for g in genuine) / len(genuine)
json.dump(expected, open("expected.json", "w"))
PY
python3 megaface.py
cat >megaface.yaml <<'PY'
paths: {run: megaface_run}
eval:
  models:
    - name: net
      sets:
        - {set: facescrub, features: scrub, items: scrub.txt, suffix: _net.bin}
        - {set: megaface, features: mega, items: mega.txt, suffix: _net.bin}
  protocols:
    - {name: megaface, type: megaface, probes: facescrub, distractors: megaface, identity: folder, far: [0.001],
       probe_noises: scrub_noises.txt, distractor_noises: mega_noises.txt}
PY
expect 0 uir-eval megaface.yaml
python3 - <<'PY'
import json
result = json.load(open("megaface_run/report/report.json"))["models"][0]["protocols"][0]
expected = json.load(open("expected.json"))
assert result["numbers"] == expected, (result["numbers"], expected)
assert 0 < expected["identification_rank_1"] < expected["identification_rank_10"] <= 1
assert result["counts"]["distractor_noises"] == 1 and result["counts"]["distractors"] == 1499, result["counts"]
PY
expect 78 uir-eval megaface.yaml --set eval.protocols.0.distractors=facescrub
says "probes and distractors are the same set"
expect 65 uir-eval megaface.yaml --set eval.protocols.0.identity=label
says "has no identity"
