# The whole road on synthetic faces, every program; a second pass does only what is not done.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml

expect 0 uir-index exp.yaml --verify --pack packs
says "contact_sheet.png"
[ -s run/contact_sheet.png ] && [ -s run/index_report.json ] || die "no report of the index"

expect 0 uir-train exp.yaml
says "saved"
grep -q '"uir"' run/log.jsonl || die "no UIR loss in the log"

expect 0 uir-extract exp.yaml
says "set strangers: 40 embeddings"
expect 0 uir-extract exp.yaml
says "set strangers: up to date"

expect 0 uir-eval exp.yaml
cp out.txt first.txt
for word in tar_at_far_0.1 dir_at_far_0.1 centers rejection; do says "$word"; done
python3 - <<'EOF'
import json
report = json.load(open("run/report/report.json"))
assert [p["name"] for p in report["models"][0]["protocols"]] == ["pairs", "open_set", "centers", "rejection"], report.keys()
EOF
expect 0 uir-eval exp.yaml
grep -v '^report:' out.txt | diff - <(grep -v '^report:' first.txt) || die "a second evaluation differs"

# Pictures of the hardest pairs, only where they are asked for: of the index's faces, of scores in order.
[ ! -e run/report/pictures ] || die "pictures that nobody asked for"
expect 0 uir-eval exp.yaml --set eval.pictures=true
says "pictures of the hardest pairs"
expect 0 python3 "$UIR_SOURCE/tests/cli/check_html_report.py" run/report
for kind in pairs.genuine pairs.impostor open_set.genuine rejection.strangers; do
  [ "$(ls run/report/pictures/$kind* | wc -l)" = 12 ] || die "not twelve pictures of $kind"
done
mv run/index away
expect 0 uir-eval exp.yaml --set eval.pictures=true
says "warning: No pictures of the hardest pairs: there is no index in"
mv away run/index
expect 0 python3 "$UIR_SOURCE/tests/cli/check_html_report.py" run/report
says " 0 pictures"

# A damaged set is extracted again; sets of different weights are not measured together.
echo >>run/embeddings/strangers/items.tsv
expect 65 uir-eval exp.yaml
expect 0 uir-extract exp.yaml
says "extracting it again"
expect 0 uir-eval exp.yaml
expect 0 uir-extract exp.yaml --set extract.weights=run/checkpoints/step-0000000025 --set extract.sets=[strangers]
expect 65 uir-eval exp.yaml
says "run uir-extract again for all sets"
expect 0 uir-extract exp.yaml

# The pack is a data set like any other.
write_tiny_config packed.yaml packed_run
cat >packed.yaml <<'EOF'
paths: {run: packed_run}
data:
  sources:
    - {name: people, role: labeled, type: recordio, rec: packs/labeled-00000-of-00001.rec}
    - {name: passers_by, role: unlabeled, type: recordio, rec: packs/unlabeled-00000-of-00001.rec}
model: {type: iresnet, depth: 18, width: 0.0625, embedding_size: 32}
train: {epochs: 1, threads: 1, batch: {labeled: 12, unlabeled: 4}}
EOF
expect 0 uir-index packed.yaml
says "16"
expect 0 uir-train packed.yaml --stop-after 100

# Verification on held-out pairs while training and afterwards: LFW-style pairs.txt over a folder tree, and a .bin set.
make_faces faces 6 6
make_faces test 4 4 700
python3 - <<'EOF'
import pickle
names = [f"person_07{i:02d}" for i in range(4)]
same = [(n, a, b) for n in names for a in range(1, 5) for b in range(a + 1, 5)][:20]
other = [(names[i % 4], i % 4 + 1, names[(i + 1 + i // 8) % 4], i % 3 + 1) for i in range(20)]
with open("pairs.txt", "w") as f:
    print(20, file=f)
    for row in same + other:
        print(*row, sep="\t", file=f)
image = lambda name, i: open(f"test/{name}/{name}_{i:04d}.jpg", "rb").read()
images, labels = [], []
for s, o in zip(same, other):
    images += [image(s[0], s[1]), image(s[0], s[2]), image(o[0], o[1]), image(o[2], o[3])]
    labels += [True, False]
pickle.dump((images, labels), open("test.bin", "wb"), protocol=4)
EOF
cat >pairs.yaml <<'EOF'
paths: {run: pairs_run}
data:
  sources:
    - {name: faces, role: labeled, type: folder, root: faces}
    - {name: test, role: test, type: folder, root: test}
    - {name: bin, role: test, type: bin, file: test.bin}
  augment: {crop: 0.5, color: 0.5, low_resolution: 0.2, jpeg: 0.2, blur: 0.2, occlusion: 0.2}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 32}
head: {type: adaface, scale: 16, margin_warmup_epochs: 1}
uir: {reduction: mean}
train:
  epochs: 2
  threads: 1
  precision: bf16
  batch: {labeled: 12, unlabeled: 0, accumulation: 2}
  optimizer: {type: adamw, weight_decay: 0.05, clip_norm: 5}
  schedule: {type: step, base_lr: 0.001, epochs: [1], factor: 0.1}
  verification: {every_steps: 3, protocols: [lfw, bin]}
  checkpoint: {best_by: lfw}
eval:
  protocols:
    - {name: lfw, type: verification, set: test, pairs: pairs.txt}
    - {name: bin, type: verification, set: bin}
EOF
expect 0 uir-index pairs.yaml
expect 0 uir-train pairs.yaml
says "step 3  lfw: accuracy"
says "step 6  bin: accuracy"
too_good="the best checkpoint of its run is chosen by 'lfw' on the test set 'test'"
says "warning: $too_good"
expect 0 uir-extract pairs.yaml
says "warning: $PWD/pairs_run/checkpoints/step-"
says "$too_good"
expect 0 uir-export pairs.yaml pairs.onnx
says "$too_good"
expect 0 uir-eval pairs.yaml
python3 - <<'EOF'
import json
by_name = {p["name"]: p for p in json.load(open("pairs_run/report/report.json"))["models"][0]["protocols"]}
number = lambda p, n: by_name[p]["numbers"][n]
# The same pairs in another order: scores, hence AUC, are the same; the folds differ.
assert number("lfw", "auc") == number("bin", "auc"), by_name
assert 0 < number("lfw", "accuracy") <= 1
best = json.load(open("pairs_run/checkpoints/best"))
logged = [json.loads(line) for line in open("pairs_run/log.jsonl")]
accuracies = [l["accuracy"] for l in logged if l.get("verification") == "lfw"]
assert best["value"] == max(accuracies), (best, accuracies)
EOF

# Models side by side: the run, and the same embeddings as another tool would have left them.
cut -f 1 pairs_run/embeddings/test/items.tsv >items.txt
cut -f 2 pairs_run/embeddings/test/items.tsv >labels.txt
cat >models.yaml <<'EOF'
paths: {run: models_run}
eval:
  models:
    - {name: ours, run: pairs_run}
    - name: theirs
      sets:
        - set: test
          features: pairs_run/embeddings/test/embeddings.npy
          mirrored: pairs_run/embeddings/test/embeddings_mirrored.npy
          items: items.txt
          labels: labels.txt
  protocols:
    - {name: lfw, type: verification, set: test, pairs: pairs.txt}
    - {name: pairs, type: all_pairs, set: test, far: [0.1]}
EOF
expect 0 uir-eval models.yaml
says "== theirs =="
python3 - <<'EOF'
import json
ours, theirs = json.load(open("models_run/report/report.json"))["models"]
assert ours["protocols"] == theirs["protocols"] and len(ours["protocols"]) == 2
EOF
says "== comparison =="
says "models_run/report/report.html"
grep -q 'of pairs are judged right' models_run/report/report.txt || die "no number in words"
for report in models_run pairs_run run; do
  expect 0 python3 "$UIR_SOURCE/tests/cli/check_html_report.py" $report/report
done
sed -i '$d' items.txt
expect 65 uir-eval models.yaml
says "model theirs: protocol lfw"
says "the list must have one line per row"

# Held-out images pick the best checkpoint without being asked, and without a warning: its TAR is what uir-eval says of it.
cat >>exp.yaml <<'EOF'
    - {name: held_out, type: all_pairs, set: people.held_out, far: [0.1, 0.2]}
EOF
held() { "$@" exp.yaml --set paths.run=held --set paths.index=run/index --set train.verification.every_steps=10 --set train.verification.protocols=[held_out]; }
expect 0 held uir-train
says "step 10  held_out: tar_at_far_0.1 "
expect 0 held uir-extract
! grep -q 'warning' out.txt || { cat out.txt; die "a warning about held-out images"; }
expect 0 held uir-eval
python3 - <<'EOF'
import json
best = json.load(open("held/checkpoints/best"))
lines = [json.loads(line) for line in open("held/log.jsonl")]
logged = {l["step"]: l["tar_at_far_0.1"] for l in lines if l.get("verification") == "held_out"}
assert sorted(logged) == [10, 20, 30] and best["metric"] == "held_out (tar_at_far_0.1)", (logged, best)
assert best["value"] == max(logged.values()) == logged[int(best["name"][5:])], (best, logged)
protocols = {p["name"]: p for p in json.load(open("held/report/report.json"))["models"][0]["protocols"]}
assert protocols["held_out"]["numbers"]["tar_at_far_0.1"] == best["value"], (protocols["held_out"], best)
EOF
# A test set that nobody asked to choose by chooses nothing.
expect 0 uir-train pairs.yaml --set paths.run=unmarked --set paths.index=pairs_run/index --set "train.checkpoint.best_by=''"
[ ! -e unmarked/checkpoints/best ] || die "a test set chose the best checkpoint unasked"
expect 65 uir-train exp.yaml --set paths.run=strangers --set paths.index=run/index --set eval.protocols.4.set=passers_by \
  --set train.verification.protocols=[held_out]
says "of set 'passers_by' has no identity"

# Another run starts from these weights; its identities differ, so its centers start at random, and it says so.
expect 0 uir-train exp.yaml --set paths.run=tuned --set paths.index=run/index --set train.init.from=run/checkpoints/step-0000000030
says "init: class centers: 16 of 16"
cat >fewer.yaml <<'EOF'
paths: {run: fewer}
data: {sources: [{name: people, role: labeled, type: synthetic, identities: 8, images_per_identity: 6}]}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 32}
train: {epochs: 1, threads: 1, batch: {labeled: 12, unlabeled: 0}, init: {from: run/checkpoints/step-0000000030/model.safetensors}}
EOF
expect 0 uir-index fewer.yaml
expect 0 uir-train fewer.yaml
says "class centers at random: the weights bring none"
expect 0 uir-train fewer.yaml --set paths.run=fewer2 --set paths.index=fewer/index --set train.init.from=run/checkpoints/step-0000000030
says "the checkpoint knows 16 identities, the data has 8"
expect 65 uir-train fewer.yaml --set paths.run=fewer3 --set paths.index=fewer/index --set model.width=0.125
says "the weights do not fit the network"
