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
assert [p["name"] for p in report["protocols"]] == ["pairs", "open_set", "centers", "rejection"], report.keys()
EOF
expect 0 uir-eval exp.yaml
grep -v '^report:' out.txt | diff - <(grep -v '^report:' first.txt) || die "a second evaluation differs"

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
