# One evaluation shared by several processes, as torchrun and mpirun would start them: the same report as one alone.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"

python3 - <<'EOF'
import random, struct
random.seed(5)
people, images, strangers, dim = 12, 4, 300, 16
rows, labels = [], []
for person in range(people):
    center = [random.gauss(0, 1) for _ in range(dim)]
    for _ in range(images):
        rows.append([c + random.gauss(0, 0.8) for c in center])
        labels.append(person)
for _ in range(strangers):
    rows.append([random.gauss(0, 1) for _ in range(dim)])
    labels.append(-1)
with open("features.bin", "wb") as f:
    f.write(struct.pack("<4i", len(rows), dim, 4 * dim, 5))
    for row in rows:
        f.write(struct.pack(f"<{dim}f", *row))
open("labels.txt", "w").write("".join(f"{label}\n" for label in labels))
EOF
write_config() {
  cat >"$1.yaml" <<EOF
paths: {run: $1}
eval:
  threads: 1
  models: [{name: m, sets: [{set: elfw, features: features.bin, labels: labels.txt}]}]
  protocols:
    - {name: trillion, type: trillion_pairs, set: elfw, fpr: [0.001], identification_fpr: [0.01]}
    - {name: lfr, type: trillion_pairs, set: elfw, impostors: all, fpr: [0.001], identification_fpr: []}
EOF
}
write_config alone
write_config shared
expect 0 uir-eval alone.yaml
says "tpr_at_fpr_0.001"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
for rank in 2 1; do
  RANK=$rank WORLD_SIZE=3 LOCAL_RANK=$rank LOCAL_WORLD_SIZE=3 MASTER_ADDR=127.0.0.1 MASTER_PORT=$port \
    uir-eval shared.yaml >rank$rank.txt 2>&1 &
done
expect 0 env RANK=0 WORLD_SIZE=3 LOCAL_RANK=0 LOCAL_WORLD_SIZE=3 MASTER_ADDR=127.0.0.1 MASTER_PORT="$port" uir-eval shared.yaml
says "tpr_at_fpr_0.001"
for job in $(jobs -p); do wait "$job" || { cat rank*.txt >&2; die "a rank fails"; }; done
same alone/report/report.json shared/report/report.json
[ -z "$(ls shared/report | grep state || true)" ] || die "states are left behind"
! grep -q tpr_at_fpr rank1.txt || die "another rank than the first prints the report"

# An incomplete set of launch variables is an error that says what is missing.
expect 64 env RANK=0 uir-eval shared.yaml
says "WORLD_SIZE"

# The same by our own launcher: without a port, and nothing is left behind.
export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
write_config launched
expect 0 uir-eval --nproc-per-node 3 launched.yaml
says "tpr_at_fpr_0.001"
same alone/report/report.json launched/report/report.json
[ "$(grep -c 'report.html' out.txt)" = 1 ] || die "not exactly one rank says where the report is"
[ -z "$(ls "$TMPDIR"/uir-*)" ] || die "the meeting folder is left behind"

# What is wrong for all ranks is told once: by the launcher before it starts them, or by the first one.
expect 64 uir-eval --nproc-per-node 0 launched.yaml
expect 64 env RANK=0 WORLD_SIZE=1 LOCAL_RANK=0 LOCAL_WORLD_SIZE=1 uir-eval --nproc-per-node 2 launched.yaml
says "variables of torchrun are set"
expect 78 uir-eval --nproc-per-node=3 --set eval.no_such_option=1 launched.yaml
[ "$(grep -c no_such_option out.txt)" = 1 ] || die "the wrong option is told more than once"
expect 66 uir-eval --nproc-per-node 3 --set 'eval.models=[{name: m, sets: [{set: elfw, features: no.bin, labels: labels.txt}]}]' launched.yaml
[ "$(grep -c no.bin out.txt)" = 1 ] || { cat out.txt >&2; die "the missing file is told more than once"; }
says "[rank "
