# uir-index overlap: people of the classes planted among unlabeled faces are found, and what is left out stays out.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"

# 12 people with 10 labeled faces each; among the unlabeled: 8 other faces of 5 of them, and copies of one stranger's face.
make_faces all 12 18
make_faces web 40 1 500
mkdir faces planted
for person in all/*; do
  name=$(basename "$person")
  mkdir "faces/$name"
  ls "$person" | sed -n '1,10p' | while read -r image; do cp "$person/$image" "faces/$name/"; done
done
for i in 0 1 2 3 4; do
  for image in 11 12 13 14 15 16 17 18; do cp "all/person_000$i/person_000${i}_00$image.jpg" web/planted_${i}_$image.jpg; done
done
stranger=$(find web/person_0507 -name '*.jpg')
cp "$stranger" web/copy_1.jpg
cp "$stranger" web/copy_2.jpg
cat >exp.yaml <<'YAML'
paths: {run: run}
data:
  sources:
    - {name: faces, role: labeled, type: folder, root: faces, held_out: 0.2}
    - {name: web, role: unlabeled, type: folder, root: web}
    - {name: test, role: test, type: synthetic, identities: 6, images_per_identity: 2, first_identity: 500}
model: {type: mobilefacenet, width: 0.125, embedding_size: 64}
head: {type: combined, m2: 0.2, scale: 16}
uir: {weight: 1}
train: {epochs: 6, batch: {labeled: 12, unlabeled: 0}, schedule: {type: cosine, base_lr: 0.1}}
YAML
expect 0 uir-index exp.yaml
expect 0 uir-train exp.yaml
expect 66 uir-index overlap exp.yaml
says "run uir-extract first"
expect 0 uir-extract exp.yaml
expect 66 uir-index overlap exp.yaml
says "extract.sets=[web]"
expect 0 uir-extract exp.yaml --set extract.sets=[web]
expect 64 uir-index overlap exp.yaml --out filtered
expect 64 uir-index overlap exp.yaml --remove-duplicates
expect 64 uir-index overlap exp.yaml --against-threshold 0.5
expect 78 uir-index overlap exp.yaml --set data.sources.1.rol=x

expect 0 uir-index overlap exp.yaml --against test --threshold 0.35 --against-threshold 0.99 --duplicates 0.999 --remove-duplicates --out filtered
cat out.txt
says "web: 82 images"
says "near-duplicates"
for file in overlap.html overlap.json overlap.txt closest_web.png closest_web_test.png duplicates_web.png excluded_web.tsv; do
  [ -s run/overlap/$file ] || die "$file is missing"
done
[ -z "$(find run/overlap -name '*.state')" ] || die "a state of a search is left"

# Against NumPy in float64: best cosines, their histogram, the table, the groups, and what is left out.
if python3 -c 'import numpy' 2>/dev/null; then
  python3 "$UIR_SOURCE/tests/oracle/overlap.py" run 0.35 0.99 0.999 || die "the oracle disagrees"
else
  echo "skipped: the oracle needs python3-numpy"
fi

# The same list as an option of the source gives the same rows; both leave the index as it was.
expect 0 uir-index exp.yaml --set paths.index=again --set data.sources.1.exclude=run/overlap/excluded_web.tsv
says "excluded, never used: $(wc -l <run/overlap/excluded_web.tsv)"
same again/flags.u32 filtered/flags.u32
expect 0 uir-train exp.yaml --set paths.index=filtered --set paths.run=run2 --set train.epochs=1 --set train.batch.unlabeled=4
expect 64 uir-index overlap exp.yaml --threshold 0.35 --out filtered
echo nobody.jpg >list.tsv
expect 65 uir-index exp.yaml --set paths.index=again --set data.sources.1.exclude=list.tsv
says "none of its lines is an image of the source"

# Embeddings of another tool: features and lists.
cut -f 1 run/embeddings/web/items.tsv >items.txt
cat >theirs.yaml <<'YAML'
paths: {run: theirs}
eval:
  models:
    - name: theirs
      sets:
        - {set: web, features: run/embeddings/web/embeddings.npy, items: items.txt}
        - {set: class_centers, features: run/embeddings/class_centers/embeddings.npy}
YAML
# So low that somebody is found whatever the tiny training's arithmetic made of it.
expect 0 uir-index overlap theirs.yaml --unlabeled web --threshold 0.05
says "web: 82 images"
[ -s theirs/overlap/excluded_web.tsv ] || die "no list without an index"
expect 65 uir-index overlap theirs.yaml --unlabeled web --threshold 0.05 --out elsewhere
