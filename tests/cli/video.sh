# Videos: a tree of frames as the LFR challenge has it, video files as iQIYI-VID has them, the protocols over them, and
# the feature files that challenges take.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"

# Five people; of each two videos: frames 1 to 6 and 7 to 12. Frames are numbered without zeros: 10 comes after 9.
make_faces faces 5 12
mkdir clips aligned
for person in 0 1 2 3 4; do
  for half in 0 1; do
    video=iQIYI_VID_FACE/video_$((person * 2 + half))
    mkdir -p "$video"
    frames=()
    for i in 1 2 3 4 5 6; do
      face=faces/person_000$person/person_000${person}_$(printf %04d $((half * 6 + i))).jpg
      cp "$face" "$video/$((6 + i)).jpg"
      frames+=("$face")
    done
    make_video "clips/clip_$((person * 2 + half)).avi" "${frames[@]}"
    echo "clip_$((person * 2 + half)).avi $person" >>clips.txt
    echo "video_$((person * 2 + half)) $person" >>video_labels.txt
  done
done
for i in 3 0 9 1 2 8 7 6 5 4; do echo "video_$i 6"; done >filelist.txt
for i in 0 2 4 6 8; do echo "clip_$i.avi $((i / 2))"; done >train.txt
for i in 1 3 5 7; do echo "$((i / 2)) clip_$i.avi"; done >val.txt
echo "77 clip_9.avi" >>val.txt  # an identity without a gallery: nobody can find it
(cd faces && find . -name '*_0001.jpg' -o -name '*_0007.jpg' | sort -r | cut -c 3-) >images.txt
while read -r path; do echo "$path 38.3 51.7 73.5 51.5 56 71.7 41.5 92.4 70.7 92.2"; done <images.txt >testdata_lmk.txt

cat >exp.yaml <<'YAML'
paths: {run: run}
data:
  sources:
    - {name: people, role: labeled, type: synthetic, identities: 16, images_per_identity: 8, first_identity: 100}
    - {name: lfr_video, role: test, type: frames, root: iQIYI_VID_FACE, list: filelist.txt}
    - {name: clips, role: test, type: videos, root: clips, list: clips.txt, format: name_label, every: 2}
    - {name: lfr_image, role: test, type: list, root: faces, list: images.txt, format: path}
    - {name: trillion, role: test, type: list, root: faces, list: testdata_lmk.txt, format: path_points}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 32}
head: {type: combined, m2: 0.2, scale: 16}
train: {epochs: 1, threads: 1, batch: {labeled: 16, unlabeled: 0}, schedule: {type: linear, base_lr: 0.1}}
eval:
  protocols:
    - {name: lfr, type: video_verification, set: lfr_video, labels: video_labels.txt, fpr: [1e-4, 0.1]}
    - {name: own, type: video_verification, set: clips, aggregation: norm_weighted, flip: true, fpr: [0.1]}
    - {name: weighted, type: video_verification, set: clips, aggregation: quality_weighted, quality: quality.tsv}
    - {name: iqiyi, type: video_retrieval, set: clips, gallery: train.txt, ground_truth: val.txt}
    - {name: again, type: video_retrieval, ground_truth: val.txt, submission_in: run/report/iqiyi.submission.txt}
YAML
expect 0 uir-index exp.yaml --verify
says "lfr_video (test): 60 images"
says "clips (test): 30 images of 5 identities"
expect 0 uir-train exp.yaml

# Frames follow the list, and their numbers.
expect 0 uir-extract exp.yaml --set extract.sets=[lfr_video] --format lfr --out lfr_video.bin
says "lfr features, 10 rows of 32"
[ "$(sed -n 4p run/embeddings/lfr_video/items.tsv | cut -f 1)" = video_3/10.jpg ] || die "frames are not in natural order"
expect 0 uir-extract exp.yaml --set extract.sets=[lfr_image] --format lfr
expect 0 uir-extract exp.yaml --set extract.sets=[trillion] --format trillionpairs --out trillion.bin
same trillion.bin run/submissions/lfr_image.bin  # the same images
expect 0 uir-extract exp.yaml --set extract.sets=[trillion] --format megaface --out tree --set submission.flip=true
python3 - <<'PY'
import math, struct
def npy(path):
    data = open(path, "rb").read()
    begin = 10 + struct.unpack("<H", data[8:10])[0]
    values = struct.unpack(f"<{(len(data) - begin) // 4}f", data[begin:])
    return [values[i:i + 32] for i in range(0, len(values), 32)]
def bin_file(path):
    data = open(path, "rb").read()
    rows, cols, stride, kind = struct.unpack("<4i", data[:16])
    assert (stride, kind) == (cols * 4, 5) and len(data) == 16 + rows * stride
    values = struct.unpack(f"<{rows * cols}f", data[16:])
    return [values[i:i + cols] for i in range(0, len(values), cols)]
unit = lambda v: [x / math.sqrt(sum(y * y for y in v)) for x in v]
add = lambda vectors: [sum(column) for column in zip(*vectors)]
def close(a, b):
    assert len(a) == len(b) and all(abs(x - y) < 1e-6 for x, y in zip(a, b)), (a, b)

items = [line.split("\t")[0] for line in open("run/embeddings/lfr_video/items.tsv")]
frames = npy("run/embeddings/lfr_video/embeddings.npy")
submitted = bin_file("lfr_video.bin")
videos = [line.split()[0] for line in open("filelist.txt")]
assert len(submitted) == len(videos) == 10
for video, row in zip(videos, submitted):
    close(row, unit(add([unit(f) for f, item in zip(frames, items) if item.split("/")[0] == video])))

plain, mirrored = (npy(f"run/embeddings/trillion/{name}.npy") for name in ("embeddings", "embeddings_mirrored"))
for row, expected in zip(bin_file("trillion.bin"), plain):
    close(row, unit(expected))
names = [line.strip() for line in open("images.txt")]
assert len(names) == 10
for name, f, m in zip(names, plain, mirrored):
    row = bin_file(f"tree/{name}_uir.bin")
    assert len(row) == 32 and len(row[0]) == 1  # (length, 1)
    close([x for (x,) in row], unit(add([f, m])))

with open("quality.tsv", "w") as out:
    for line in open("run/embeddings/lfr_image/items.tsv"):
        out.write(line.split("\t")[0] + "\t1\n")
PY

# A tree that stands there already, several sets for one file, and formats that do not fit are refused.
expect 73 uir-extract exp.yaml --set extract.sets=[trillion] --format megaface --out tree
expect 64 uir-extract exp.yaml --format lfr --out all.bin
expect 64 uir-extract exp.yaml --out all.bin
expect 78 uir-extract exp.yaml --set extract.sets=[clips] --format trillionpairs

# A list of other lines, or in another order, than the embeddings: no file, never rows of zeros.
cp images.txt images.good
for change in '1d' '$p' '1{h;d};2G'; do
  sed "$change" images.good >images.txt
  expect 65 uir-extract exp.yaml --set extract.sets=[lfr_image] --format lfr --out short.bin
  says "its embeddings do not follow its list"
done
cp images.good images.txt
cp filelist.txt filelist.good
for change in '1d' '1{h;d};2G'; do
  sed "$change" filelist.good >filelist.txt
  expect 65 uir-extract exp.yaml --set extract.sets=[lfr_video] --format lfr --out short.bin
  says "its embeddings do not follow its list"
done
cp filelist.good filelist.txt
cp clips.txt clips.good
expect 0 uir-extract exp.yaml
sed 1d clips.good >clips.txt
expect 65 uir-extract exp.yaml --set extract.sets=[clips] --format lfr --out short.bin
says "clip_0.avi"
cp clips.good clips.txt
[ ! -e short.bin ] || die "a submission that does not fit its list was written"

# Evaluation.
expect 65 uir-eval exp.yaml
says "quality.tsv: no quality of frame 'clip_0.avi/000000'"
cut -f 1 run/embeddings/clips/items.tsv | sed 's/$/\t0.5/' >quality.tsv
expect 0 uir-eval exp.yaml
python3 - <<'PY'
import json
by_name = {p["name"]: p for p in json.load(open("run/report/report.json"))["models"][0]["protocols"]}
lfr, iqiyi, again = by_name["lfr"], by_name["iqiyi"], by_name["again"]
assert lfr["counts"] == {"frames": 60, "videos": 10, "identities": 5, "genuine_pairs": 5, "impostor_pairs": 40}, lfr
assert 0 <= lfr["numbers"]["tpr_at_fpr_0.0001"] <= lfr["numbers"]["tpr_at_fpr_0.1"] <= 1
lines = [line.split() for line in open("run/report/iqiyi.submission.txt")]
assert [line[0] for line in lines] == ["0", "1", "2", "3", "4"]
assert all(sorted(line[1:]) == [f"clip_{i}.avi" for i in (1, 3, 5, 7, 9)] for line in lines)
submitted = {line[0]: line[1:] for line in lines}
truth = [line.split() for line in open("val.txt")]
ap = [1 / (1 + submitted[t[0]].index(t[1])) if t[0] in submitted else 0 for t in truth]
assert abs(iqiyi["numbers"]["map_at_100"] - sum(ap) / 5) < 1e-12, (ap, iqiyi)
assert again["numbers"] == iqiyi["numbers"] and iqiyi["counts"]["missing_identities"] == 1
PY
echo "3 clip_99.avi" >>val.txt
expect 65 uir-eval exp.yaml
says "val.txt: line 6"
sed -i '$d' val.txt
sed -i 's/clip_1.avi/clip_99.avi/' val.txt
expect 65 uir-eval exp.yaml
says "video 'clip_99.avi' is none of the 10 videos"
expect 78 uir-eval exp.yaml --set "eval.protocols.3.gallery=''"
says "needs set and gallery"

# Damaged input is named.
head -c 9000 clips/clip_3.avi >cut.avi
mv cut.avi clips/clip_3.avi
expect 65 uir-index exp.yaml
says "clips.txt:4: video 'clip_3.avi'"
cp clips/clip_2.avi clips/clip_3.avi
rm iQIYI_VID_FACE/video_9/8.jpg
expect 65 uir-index exp.yaml
says "filelist.txt:3: video 'video_9': 5 frames in its folder, the list says 6"

# Who appears when: two lists are enough, without index, network or embeddings; also behind --set.
mkdir film.timeline
printf 'video,start,end,person\nfilm.mp4,0,8,"Lee, Anna"\nfilm.mp4,8,10,?\n' >truth.csv
printf 'video,start,end,person,score\nfilm.mp4,2,8,"Lee, Anna",.7\nfilm.mp4,8,10,stranger 1,\n' >film.timeline/timeline.csv
cat >film.yaml <<'END'
paths: {run: film_run}
eval:
  protocols: [{name: film, type: timeline, reference: [truth.csv], hypothesis: [film.timeline/timeline.csv]}]
END
expect 0 uir-eval film.yaml
grep -qE '^  ier +0\.2  \(fewer than three videos\)$' film_run/report/report.txt || die "2 of 10 s are missed"
echo 'film.mp4,9,9,?' >>truth.csv
expect 65 uir-eval film.yaml
says "protocol film: "
says "truth.csv:4: from 9 to 9 is no time at all"
expect 66 uir-eval film.yaml --set 'eval.protocols.0.reference=[absent.csv]'
says "absent.csv"
expect 78 uir-eval film.yaml --set 'eval.protocols.0.hypothesis=[]'
says "hypothesis: names no file"
