# Names of files are bytes: the whole road with names that are no UTF-8, and refusals of those that no list can hold. With them
# what else people's folders hold: files of other kinds, lists that name what is not there, people who are no strangers.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
is_json() { python3 -c 'import json, sys; [json.load(open(f, encoding="utf-8")) for f in sys.argv[1:]]' "$@" || die "no JSON: $*"; }

# Folders and files in Latin-1, below a folder in Latin-1: index, training, embeddings, report, overlap, alignment.
make_faces faces 6 6
root=$'caf\xe9'
mkdir "$root"
n=0
for name in $'Zo\xeb' $'J\xf6rg' $'J\xfcrg' plain 'with space' "quote\"'&<"; do
  mv faces/person_000$n "$root/$name"
  n=$((n + 1))
done
mv "$root/plain/person_0003_0001.jpg" "$root/plain/"$'\xe4\xff.jpg'
make_faces web 8 2 300
mkdir strangers
for file in web/*/*.jpg; do mv "$file" strangers/$'\xdf'"$(basename "$file")"; done
cat >exp.yaml <<EOF2
paths: {run: run}
data:
  sources:
    - {name: people, role: labeled, type: folder, root: $root, held_out: 0.3}
    - {name: web, role: unlabeled, type: folder, root: strangers}
    - {name: test, role: test, type: folder, root: $root}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 16}
head: {type: combined, m2: 0.2, scale: 16}
train: {epochs: 1, threads: 1, batch: {labeled: 8, unlabeled: 4}, verification: {protocols: []}}
extract: {sets: [test, people.held_out, web]}
eval: {protocols: [{name: pairs, type: all_pairs, set: test, far: [0.1]}]}
EOF2
expect 0 uir-index exp.yaml --verify --pack pack
says "36 images of 6 identities"
expect 0 uir-index exp.yaml
says "0 images read, 88 unchanged"
expect 0 uir-train exp.yaml
expect 0 uir-extract exp.yaml
expect 0 uir-extract exp.yaml
says "set test: up to date"
grep -q $'^J\xfcrg/person_0002_0001.jpg\t' run/embeddings/test/items.tsv || die "a name is not kept byte for byte"
expect 0 uir-eval exp.yaml
expect 0 uir-index overlap exp.yaml --against test --duplicates 0.5 --threshold 0.1
is_json run/index_report.json run/index/manifest.json run/report/report.json run/overlap/overlap.json run/embeddings/*/manifest.json
python3 -c 'import xml.etree.ElementTree as t; t.parse("run/overlap/overlap.html")' || die "overlap.html is not well-formed"
# The list that overlap wrote is taken as it is.
[ -s run/overlap/excluded_web.tsv ] || die "nothing was excluded"
expect 0 uir-index exp.yaml --set data.sources.1.exclude=run/overlap/excluded_web.tsv --set paths.run=run2
says "excluded, never used"
(cd "$root" && find . -name '*.jpg' | cut -c 3- | sort) >names.txt
echo path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5 >points.csv
sed 's/$/,38.3,51.7,73.5,51.5,56,71.7,41.5,92.4,70.7,92.2/' names.txt >>points.csv
expect 0 uir-index align "$root" --landmarks points.csv --out aligned
says "36 faces of 36 of 36 photos"
is_json aligned/align.json
[ -e aligned/$'Zo\xeb'/person_0000_0001.jpg ] || die "an aligned face has another name"

# Where the experiment itself lies in such a folder.
mkdir $'\xe0_la_carte'
cp exp.yaml $'\xe0_la_carte'/
(cd $'\xe0_la_carte' && sed -i "s|root: |root: ../|" exp.yaml && expect 0 uir-index exp.yaml && expect 0 uir-train exp.yaml && expect 0 uir-extract exp.yaml &&
  expect 0 uir-train exp.yaml --resume)

# Control characters: refused at once, by name, wherever the name comes from.
mkdir -p bad/one bad/$'two\tthree'
cp "$root/plain/person_0003_0002.jpg" bad/one/1.jpg
cp "$root/plain/person_0003_0002.jpg" bad/$'two\tthree'/1.jpg
printf 'paths: {run: bad_run}\ndata: {sources: [{name: bad, role: labeled, type: folder, root: bad}]}\n' >bad.yaml
expect 65 uir-index bad.yaml
says 'bad/two\tthree'
says 'control character'
[ ! -e bad_run/index ] || die "a refused source left an index"
expect 65 uir-index align bad --landmarks points.csv --out bad_aligned
says 'two\tthree'

# Files of other kinds are counted, at indexing and alignment.
mkdir -p kinds/a kinds/b
cp "$root/plain/person_0003_0002.jpg" kinds/a/1.jfif
cp "$root/plain/person_0003_0003.jpg" kinds/a/2.JPE
echo x >kinds/a/3.HEIF
echo x >kinds/b/4.heif
echo x >kinds/b/5.AVIF
echo x >kinds/.DS_Store
printf 'paths: {run: kinds_run}\ndata: {sources: [{name: kinds, role: labeled, type: folder, root: kinds}]}\n' >kinds.yaml
expect 0 uir-index kinds.yaml --verify
says "left out: 3 files of kinds that are not read: 2 .heif, 1 .avif"
says "left out: 1 folder without an image"
# All images left are one person's.
says "warning: all 2 labeled images to train on are of one identity, 'a'"
python3 - <<'PY'
import json
report = json.load(open("kinds_run/index_report.json"))
assert report["sources"][0]["left_out"] == {"files": 3, "kinds": {".avif": 1, ".heif": 2}, "folders_without_images": 1}, report
assert len(report["warnings"]) == 1
PY
printf 'path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\na/1.jfif,38.3,51.7,73.5,51.5,56,71.7,41.5,92.4,70.7,92.2\n' >points.csv
expect 0 uir-index align kinds --landmarks points.csv --out kinds_aligned
says "left out: 3 files of kinds that are not read: 2 .heif, 1 .avif"
expect 0 uir-train kinds.yaml --set train.epochs=1 --set train.batch.labeled=2 --set train.batch.unlabeled=0 --set train.threads=1 \
  --set model.type=mobilefacenet --set model.width=0.0625
says "warning: all 2 labeled images to train on are of one identity, 'a'"

# Lists: all that is missing in one error; excluded images need not be there; labels are names or numbers as a whole.
for i in 1 2 3 4; do printf 'plain/person_0003_000%s.jpg\t12e%s\n' $((i + 1)) $((i % 2)); done >list.txt
printf 'plain/absent_1.jpg\tNaN\nplain/absent_2.jpg\t12e1\n' >>list.txt
cat >list.yaml <<EOF2
paths: {run: list_run}
data: {sources: [{name: l, role: labeled, type: list, root: $root, list: list.txt, format: path_label}]}
EOF2
expect 66 uir-index list.yaml
says "2 files are not there"
says "list.txt:5: "
says "absent_2.jpg"
printf 'plain/absent_1.jpg\nplain/absent_2.jpg\n' >gone.txt
expect 0 uir-index list.yaml --set data.sources.0.exclude=gone.txt --verify --pack list_pack
says "6 images of 3 identities"
says "excluded, never used: 2 (2 of them not there)"
says "verified 4 images: 0 bad"
says "packed 4 labeled"
printf 'l.mp4\nm.mp4\n' >videos.txt
printf 'paths: {run: v}\ndata: {sources: [{name: v, role: test, type: videos, root: faces, list: videos.txt}]}\n' >videos.yaml
expect 66 uir-index videos.yaml
says "videos.txt:1: video 'l.mp4'"
says "videos.txt:2: video 'm.mp4'"

# People who are no strangers: one folder of a labeled person.
cat >known.yaml <<EOF2
paths: {run: known_run}
data:
  sources:
    - {name: people, role: labeled, type: folder, root: $root}
    - {name: friends, role: unlabeled, type: folder, root: $root/plain}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 16}
train: {epochs: 1, threads: 1, batch: {labeled: 8, unlabeled: 4}}
EOF2
expect 0 uir-index known.yaml
says "warning: 6 unlabeled images are byte for byte also in the labeled sources, under 1 identity; source 'friends' holds nothing else"
expect 0 uir-train known.yaml
says "warning: 6 unlabeled images"
expect 0 uir-train known.yaml --set paths.run=alone --set paths.index=known_run/index --set train.batch.unlabeled=0
! grep -q "unlabeled images are byte" out.txt || die "strangers that nobody trains on are warned of"
