# uir-index new: an experiment for what is there, which runs to a report without being edited.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"

# to_report FILE SET: the four commands; the report has a number of the set. Short: the epochs are what people would change last.
to_report() {
  local file=$1 set=$2
  shift 2
  if grep -q '^train:' "$file"; then expect 0 uir-train "$file" --set train.epochs=2 --set train.threads=1; fi
  expect 0 uir-extract "$file" "$@"
  expect 0 uir-eval "$file"
  says "$set"
}

# (a) People and strangers: some people are spared to test with.
make_faces faces 12 6
make_faces web 30 1 500
expect 0 uir-index new faces web -o exp.yaml
says "faces: folder of 12 people, 72 images -> labeled"
says "web: folder of 30 images -> unlabeled"
says "4 of its people are never trained on"
says "uir-train exp.yaml && uir-extract exp.yaml && uir-eval exp.yaml"
[ "$(wc -l <out.txt)" -le 14 ] || die "more than some ten lines"
cut -f 2 exp.faces.lst exp.faces_test.lst | sort -u | wc -l | grep -qx 12 || die "people are missing from the lists"
[ -z "$(comm -12 <(cut -f 2 exp.faces.lst | sort -u) <(cut -f 2 exp.faces_test.lst | sort -u))" ] || die "people are in both lists"
to_report exp.yaml faces_test
grep -q rejection out.txt || die "strangers are not measured"

# Nothing is overwritten, and the same data give the same experiment.
cp exp.yaml first.yaml
expect 64 uir-index new faces -o exp.yaml
says "exists already"
expect 64 uir-index new faces -o exp.faces.lst
expect 0 uir-index new faces web -o exp.yaml --force
same first.yaml exp.yaml

# (b) An InsightFace folder: records, property, a verification set.
make_faces test 8 4 800
cat >pack.yaml <<'YAML'
paths: {run: packing}
data:
  sources:
    - {name: faces, role: labeled, type: folder, root: faces}
    - {name: test, role: test, type: folder, root: test}
eval:
  protocols:
    - {name: lfw, type: verification, set: test, pairs: pairs.txt, format: path_pairs}
YAML
for i in 1 2 3 4; do
  for j in 0800 0801 0802; do
    printf 'person_%s/person_%s_0001.jpg person_%s/person_%s_000%d.jpg 1\n' $j $j $j $j $((i % 3 + 2))
    printf 'person_%s/person_%s_0002.jpg person_0805/person_0805_000%d.jpg 0\n' $j $j $i
  done
done >pairs.txt
expect 0 uir-index pack.yaml --pack packed --write-bin lfw lfw.bin
mkdir emore
for kind in rec idx; do cp packed/labeled-00000-of-00001.$kind emore/train.$kind; done
cp packed/property lfw.bin emore
expect 0 uir-index new emore -o emore.yaml
says "train.rec: RecordIO of 12 people, 72 images -> labeled"
says "lfw.bin: verification set of 24 pairs -> test"
to_report emore.yaml lfw

# (c) A network: ours is a start, with nobody to train on it embeds; pairs belong to whom they name.
latest=$(latest_of runs/emore)
expect 0 uir-export --weights "$latest" net.onnx --check-images 2
expect 0 uir-index new net.onnx faces -o start.yaml
grep -q 'init: {from: net.onnx}' start.yaml || die "does not start from the network"
expect 0 uir-index new net.onnx test pairs.txt -o embeds.yaml
! grep -q '^train:' embeds.yaml || die "trains without people"
grep -q 'format: path_pairs' embeds.yaml || die "the pairs are not measured"
to_report embeds.yaml test_all_pairs

# (d) Wrong inputs, each with what helps.
expect 66 uir-index new absent -o e.yaml
says "absent: no such file or folder"
mkdir empty
expect 65 uir-index new empty -o e.yaml
says "no people to train on"
expect 65 uir-index new web -o e.yaml
says "--as labeled PATH"
cp -r web crops
expect 78 uir-index new faces crops -o e.yaml </dev/null
says "--as unlabeled $PWD/crops"
expect 0 uir-index new faces crops --as unlabeled "$PWD/crops" -o e.yaml
expect 64 uir-index new faces --as unlabeled web -o f.yaml
says "no such data"
expect 64 uir-index new faces --as strangers faces -o f.yaml
says "expected labeled, unlabeled or test"
expect 64 uir-index new faces
cp -r faces mixed && cp web/person_0500/*.jpg mixed
expect 65 uir-index new mixed -o f.yaml
says "lies outside any person's folder"
[ ! -e f.yaml ] || die "a refused experiment was written"
