# A protocol by a column of a table: each group's numbers are those of its pairs alone, in text, JSON and page; tables that do not fit.
. "$UIR_SOURCE/tests/cli/lib.sh"

write_tiny_config exp.yaml
expect 0 uir-index exp.yaml
expect 0 uir-train exp.yaml --set train.epochs=1
expect 0 uir-extract exp.yaml --set extract.sets=[strangers]
list=run/embeddings/strangers/items.tsv

# The example of the documentation, on these faces: every second one is a profile, the last has no pose.
awk '/^```yaml split.yaml$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$UIR_SOURCE/docs/protocols.md" >split.yaml
[ -s split.yaml ] || die "docs/protocols.md has no example"
cp run/embeddings/strangers/embeddings.npy test.npy
cut -f1 $list >test.txt
awk -F'\t' 'BEGIN {print "image,pose"} {print $1 "," (NR == 40 ? "" : NR % 2 ? "frontal" : "profile")}' $list >poses.csv
awk -F'\t' '{for (i = 1; i < NR; i++) print item[i], $1, (label[i] == $2) > "pairs.txt"; item[NR] = $1; label[NR] = $2}' $list
awk 'NR == FNR {split($0, f, ","); pose[f[1]] = f[2]; next} pose[$1] == "frontal" && pose[$2] == "frontal"' poses.csv pairs.txt >frontal.txt
mkdir -p runs/poses
expect 0 uir-eval split.yaml
says "by pose"
says "frontal x profile"
cp -r runs/poses/report whole
expect 0 uir-eval split.yaml --set eval.protocols='[{name: test, type: verification, set: test, pairs: frontal.txt, format: path_pairs}]'
says "genuine_pairs"
python3 - <<'PY'
import json
whole = json.load(open("whole/report.json"))["models"][0]["protocols"][0]
alone = json.load(open("runs/poses/report/report.json"))["models"][0]["protocols"][0]
assert whole["split_by"] == "pose" and "split_by" not in alone
groups = {group["name"]: group for group in whole["groups"]}
assert list(groups) == ["frontal", "profile", "frontal x profile"], list(groups)
common = [name for name in groups["frontal"]["numbers"] if "_at_common_" in name]
assert len(common) == 4, common
for name in common:
    groups["frontal"]["numbers"].pop(name), groups["frontal"]["uncertainty"].pop(name)
for what in ("counts", "numbers", "undefined", "uncertainty", "remarks"):
    assert groups["frontal"][what] == alone[what], (what, groups["frontal"][what], alone[what])
counts = [groups[g]["counts"][k] for g in groups for k in ("genuine_pairs", "impostor_pairs")]
assert sum(counts) + whole["counts"]["pairs_without_group"] == 40 * 39 // 2, counts
assert whole["counts"]["pairs_without_group"] == 39 and whole["counts"]["genuine_pairs"] == 60
text = open("whole/report.txt").read()
assert "  by pose\n" in text and "  accuracy" in text.split("  by pose\n")[1]
page = open("whole/report.html").read()
for group in ("(all)", *groups):
    assert f'data-group="{group}"' in page, group
PY
expect 0 python3 "$UIR_SOURCE/tests/cli/check_html_report.py" whole

# All pairs and open set of two models, by people and by folders of the run's own set: each group is compared, too.
cut -f2 $list | sort -un | awk 'BEGIN {print "person\tage"} {print $1 "\t" (NR % 2 ? "young" : "old")}' >ages.tsv
expect 0 uir-eval exp.yaml --set eval.models='[{name: ours, run: run}, {name: theirs, run: run}]' --set eval.protocols='[
  {name: pairs, type: all_pairs, set: strangers, far: [0.1], attributes: ages.tsv, split: age},
  {name: open, type: open_set, set: strangers, far: [0.1], attributes: ages.tsv, split: age}]'
says "impostor_pairs_between_groups"
says "age: young"
says "by age"
expect 0 python3 "$UIR_SOURCE/tests/cli/check_html_report.py" run/report

# One image of each person: such a group has no ROC, but its false accepts at the whole's threshold.
awk -F'\t' 'BEGIN {print "image,which"} {print $1 "," (seen[$2]++ ? "rest" : "first")}' $list >which.csv
expect 0 uir-eval exp.yaml --set eval.protocols='[{name: pairs, type: all_pairs, set: strangers, far: [0.1], attributes: which.csv, split: which}]'
python3 - <<'PY'
import json
whole = json.load(open("run/report/report.json"))["models"][0]["protocols"][0]
first, rest, mixed = whole["groups"]
assert first["name"] == "first" and first["counts"]["genuine_pairs"] == 0
assert "tar_at_common_far_0.1" in first["undefined"] and "auc" in first["undefined"]
accepted = sum(g["numbers"]["far_at_common_far_0.1"] * g["counts"]["impostor_pairs"] for g in (first, rest, mixed))
assert abs(accepted - whole["details"]["thresholds"][0]["achieved_far"] * whole["counts"]["impostor_pairs"]) < 1e-6
PY

# What does not fit is refused with its place.
refused() { # CODE TABLE COLUMN TEXT
  expect "$1" uir-eval split.yaml --set eval.protocols.0.attributes="$2" --set eval.protocols.0.split="$3"
  says "$4"
}
refused 65 poses.csv age "poses.csv:1: the header 'image,pose' has no column 'age'"
refused 66 nothing.csv pose "nothing.csv"
: >empty.csv
refused 65 empty.csv pose "empty.csv:1: an empty file"
sed 's/^image/file/' poses.csv >named.csv
refused 65 named.csv pose "named.csv:1: the first column is 'file'; its name says what a line is about"
sed '5s/^/no/' poses.csv >misnamed.csv
refused 65 misnamed.csv pose "misnamed.csv:5: image 'no"
awk 'NR == 1 {print "pair,pose"} NR > 1 {print NR ",p" NR}' pairs.txt >many.csv
refused 65 many.csv pose "put its values into fewer bins"
expect 78 uir-eval exp.yaml --set eval.protocols='[{name: pairs, type: all_pairs, set: strangers, split: pose}]'
says "attributes and split are given together or not at all"
expect 78 uir-eval exp.yaml --set eval.protocols='[{name: centers, type: separation, attributes: poses.csv, split: pose}]'
says "split: unknown key"
sed 's/,frontal/,(all)/' poses.csv >whole.csv
refused 65 whole.csv pose "the value '(all)', which reports call the whole"
awk -F, 'NR == 2 || NR == 4 {print $1 ",frontal x profile"; next} {print}' poses.csv >crossed.csv
refused 65 crossed.csv pose "the value 'frontal x profile', which is also the name of the pairs between"
refused 66 absent.csv pose "absent.csv: cannot open"
! grep -q scoring out.txt || die "the pairs were scored before the table was opened"
