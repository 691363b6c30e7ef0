#!/usr/bin/env bash
# How much of the rate of two runs side by side one run of two ranks keeps: MobileFaceNet, 48 + 16 rows per rank, float32, one
# thread each, Gloo. Prints one JSON object; the rates are medians over the steps of a run, without the first two.
#   tools/bench/two_ranks.sh [repetitions (3) [steps (14)]]       # after tools/build.sh release; nothing else should run
set -euo pipefail
cd "$(dirname "$0")/../.."
repetitions=${1:-3} steps=${2:-14}
bin=$PWD/build/release/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/exp.yaml" <<'EOF'
paths: {run: run, index: index}
data:
  sources:
    - {name: people, role: labeled, type: synthetic, identities: 200, images_per_identity: 20}
    - {name: passers_by, role: unlabeled, type: synthetic, identities: 500, images_per_identity: 2, first_identity: 1000}
model: {type: mobilefacenet}
train: {threads: 1, precision: float32, batch: {labeled: 48, unlabeled: 16}, schedule: {type: linear, base_lr: 0.02}}
EOF
"$bin/uir-index" "$scratch/exp.yaml" 2>/dev/null
train() {  # train RUN ARGUMENTS…: stops after the steps with code 75
  local run=$scratch/$1 code=0
  shift
  "$bin/uir-train" "$scratch/exp.yaml" --set paths.run="$run" --stop-after "$steps" "$@" 2>"$scratch/errors.txt" || code=$?
  [ $code = 75 ] || { cat "$scratch/errors.txt" >&2; exit 70; }
}
for i in $(seq "$repetitions"); do
  train "two$i" --nproc-per-node 2 --set train.batch.labeled=96 --set train.batch.unlabeled=32
  train "left$i" & train "right$i" &
  wait -n; wait -n
done
python3 - "$scratch" "$repetitions" <<'EOF'
import json, statistics, sys
def rate(run):
    lines = [json.loads(line) for line in open(f"{sys.argv[1]}/{run}/log.jsonl")]
    return statistics.median(line["images_per_s"] for line in lines[2:])
runs = [{"two_ranks": rate(f"two{i}"), "two_runs": rate(f"left{i}") + rate(f"right{i}")} for i in range(1, int(sys.argv[2]) + 1)]
for run in runs:
    run["ratio"] = round(run["two_ranks"] / run["two_runs"], 3)
cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
print(json.dumps({"benchmark": "two_ranks", "unit": "images/s", "cpu": cpu, "runs": runs}, indent=1))
EOF
