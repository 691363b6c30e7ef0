# uir-index clean: planted wrong labels are found, and its lists are what sources take.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
. "$UIR_SOURCE/tests/cli/benchmark_cases.sh"
find_oracle_python

# 30 people with 6 faces each. Then: one image of ten of them among another's, two folders for one person, two
# people in one folder.
make_faces faces 30 6
for i in 0 1 2 3 4 5 6 7 8 9; do mv "faces/person_000$i/person_000${i}_0003.jpg" "faces/person_001$i/moved_$i.jpg"; done
mkdir faces/somebody
for image in 1 3 5; do mv faces/person_0020/person_0020_000$image.jpg faces/somebody/; done
mv faces/person_0021/* faces/person_0022/ && rmdir faces/person_0021
cat >exp.yaml <<'YAML'
paths: {run: run}
data:
  sources: [{name: faces, role: labeled, type: folder, root: faces}]
YAML
expect 0 uir-index exp.yaml
expect 66 uir-index clean exp.yaml
says "extract.sets=[faces]"

# Features of a network that knows these people: directions of their true persons.
"$oracle_python" "$UIR_SOURCE/tests/oracle/label_noise.py" features
cat >theirs.yaml <<'YAML'
paths: {run: run}
data:
  sources: [{name: faces, role: labeled, type: folder, root: faces}]
eval:
  models: [{name: theirs, sets: [{set: faces, features: features.npy, items: items.txt, labels: labels.txt}]}]
YAML
expect 0 uir-index clean theirs.yaml
cat out.txt
for file in clean_faces.html clean_faces.json clean_faces.txt unlike_faces.png two_people_faces.png merged_faces.png; do
  [ -s run/clean/$file ] || die "$file is missing"
done
[ "$(grep -c 'moved_.*unlike' run/clean/exclude_faces.tsv)" = 10 ] || die "not all moved images are found"
[ "$(grep -c 'person_0022_.*second person' run/clean/exclude_faces.tsv)" = 6 ] || die "the second person is not found"
[ "$(wc -l <run/clean/exclude_faces.tsv)" -le 17 ] || die "clean images are left out"
grep -q "^person_0020	somebody	\|^somebody	person_0020	" run/clean/label_map_faces.tsv || die "the person with two folders is not found"
"$oracle_python" "$UIR_SOURCE/tests/oracle/label_noise.py" check run/clean/clean_faces.json || die "the oracle disagrees"

# The lists as options of the source.
expect 0 uir-index exp.yaml --set data.sources.0.exclude=run/clean/exclude_faces.tsv \
  --set data.sources.0.label_map=run/clean/label_map_faces.tsv
says "excluded, never used: $(wc -l <run/clean/exclude_faces.tsv)"
says "29 identities"
expect 78 uir-index exp.yaml --set data.sources.0.role=unlabeled --set data.sources.0.label_map=run/clean/label_map_faces.tsv
says "label_map is for sources with identities"

# Thresholds of one's own, and what is wrong.
expect 0 uir-index clean theirs.yaml --unlike -1 --merge 1 --report none
[ ! -s none/exclude_faces.tsv ] && [ ! -s none/label_map_faces.tsv ] || die "found something at thresholds that find nothing"
expect 0 uir-index exp.yaml --set data.sources.0.exclude=none/exclude_faces.tsv --set data.sources.0.label_map=none/label_map_faces.tsv
expect 64 uir-index clean theirs.yaml --model ours
expect 64 uir-index clean theirs.yaml --set data.sources=[]
says "name the set with --labeled"
expect 64 uir-index clean theirs.yaml --unlike 2
