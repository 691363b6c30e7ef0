#!/usr/bin/env bash
# Builds, tests and measures on one device and says what is wrong there: tools/device_check.sh [MINUTES]
# For a GPU machine with PyTorch, without package access; the dependencies come in a folder that tools/bundle_deps.sh made before.
# Within MINUTES (default 10) parts run one after the other, each with a limit of its own; what one comes to does not stop the
# others. Ends with 0 only if every part ran and passed. docs/building.md, "Checking a GPU", has the parts and the variables.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -le 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 64; }

export DEVICE=${DEVICE:-cuda}                 # cpu: rehearses all parts with tiny sizes, without targets for speed
export OUT=${OUT:-build/device_check}         # logs, JSON of each part, device_check.json
export BIN=${BIN:-}                           # programs that are built already; empty: builds into $OUT/build
export TESTS=${TESTS:-}                       # folder of test_pipeline; default: tests beside BIN
export PYTHON=${PYTHON:-python3}              # that has PyTorch
export BUNDLE=${BUNDLE:-}                     # folder of tools/bundle_deps.sh; empty: the system's libraries
export MAY_SKIP=${MAY_SKIP:-}                 # parts that may be skipped
all_parts="build tests ranks memory resume graphs extract step_r50 head search step_r100"  # the longest last
export PARTS=${PARTS:-$all_parts}
programs="uir-index uir-train uir-extract uir-eval bench_training_step bench_head bench_tail_search"
threads=$(nproc)

report() { python3 tools/device_check_report.py "$@"; }
die() { echo "$*" >&2; exit 1; }

# --- What parts are made of: run in a process of their own, in their log; $json is the part's file ---------------------------

number() { report number "$json" "$@"; }  # NAME VALUE [least|most TARGET]
get() { report get "$@"; }
skip() { report skip "$json" "$*"; exit 0; }

# on_gpu NAME VALUE least|most TARGET: a target that only a GPU has to reach.
on_gpu() { if [ "$DEVICE" = cpu ]; then number "$1" "$2"; else number "$@"; fi; }

# expect CODE COMMAND…: the exit code of a command, whose output then is in out.txt of the part's folder, and in the log.
expect() {
  local want=$1 code=0
  shift
  "$@" >"$work/out.txt" 2>&1 || code=$?
  cat "$work/out.txt"
  [ "$code" = "$want" ] || die "exit code $code, expected $want: $*"
}
# into FILE COMMAND…: the output of a command, also in the log.
into() {
  local file=$work/$1 code=0
  shift
  "$@" >"$file" || code=$?
  cat "$file"
  [ $code = 0 ] || die "${1##*/} ended with $code; $OUT/$part.log says why"
}
says() { grep -qE -- "$1" "$work/out.txt" || die "the output lacks: $1"; }

# The device with its number, as options of the programs name it.
device() { case $DEVICE in cuda) echo cuda:0 ;; *) echo "$DEVICE" ;; esac; }

# An experiment on drawn faces, indexed: experiment 'MODEL' IDENTITIES LABELED UNLABELED.
experiment() {
  cat >"$work/exp.yaml" <<EOF
paths: {run: run}
data:
  sources:
    - {name: people, role: labeled, type: synthetic, identities: $2, images_per_identity: 8}
    - {name: passers_by, role: unlabeled, type: synthetic, identities: 64, images_per_identity: 2, first_identity: 100000}
    - {name: strangers, role: test, type: synthetic, identities: 10, images_per_identity: 4, first_identity: 200000}
model: $1
head: {type: combined, m2: 0.2, scale: 16}
uir: {weight: 1}
train:
  epochs: 3
  device: $(device)
  batch: {labeled: $3, unlabeled: $4}
  schedule: {type: linear, base_lr: 0.02}
  checkpoint: {every_steps: 1000000, background: false}
eval:
  device: $(device)
  protocols:
    - {name: pairs, type: all_pairs, set: strangers, far: [0.1, 0.01]}
EOF
  expect 0 "$BIN/uir-index" "$work/exp.yaml"
}
tiny='{type: mobilefacenet, width: 0.25, embedding_size: 64}'
train() { "$BIN/uir-train" "$work/exp.yaml" --set train.log_every=1 "$@"; }
latest() { local name rest; read -r name rest <"$1/checkpoints/latest"; echo "$1/checkpoints/$name"; }

# --- Parts --------------------------------------------------------------------------------------------------------------------

part_build() {
  local program torch=
  if [ "$build" = 1 ]; then
    torch=$("$PYTHON" -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent)') || torch=
    cmake --preset release -B "$OUT/build" -DCMAKE_PREFIX_PATH="${BUNDLE:+$BUNDLE;}$torch"
    # shellcheck disable=SC2086  # words
    cmake --build "$OUT/build" --target $programs test_pipeline
  fi
  for program in $programs; do [ -x "$BIN/$program" ] || die "$BIN/$program is missing"; done
  [ -x "$TESTS/test_pipeline" ] || die "$TESTS/test_pipeline is missing"
  "$BIN/uir-train" --version
}

# Head, optimizer, networks, batches, runs and embeddings on the device against the CPU's.
part_tests() {
  # On a CPU: the pretended device of the tests.
  [ "$DEVICE" = cpu ] || export UIR_TEST_DEVICE=$(device)
  into out.txt "$TESTS/test_pipeline" '[device]'
  local cases
  cases=$(sed -nE 's/^All tests passed \([0-9]+ assertions? in ([0-9]+) test cases?\)$/\1/p' "$work/out.txt")
  number cases "${cases:-0}" least 18
}

# Two ranks cannot share a device over NCCL, which is said; they can over Gloo.
part_ranks() {
  experiment "$tiny" 16 12 4
  if [ "$DEVICE" = cpu ]; then
    expect 78 train --nproc-per-node 2 --set train.device=cuda:99
    says "train.device: 'cuda:99', but LibTorch sees no such CUDA device"
    expect 75 train --nproc-per-node 2 --stop-after 3
  else
    expect 78 train --nproc-per-node 2 --set train.ranks.transport=nccl
    says "transport: nccl, but 2 ranks share 1 CUDA devices"
    expect 75 train --nproc-per-node 2 --stop-after 3
    says "ranks talk over Gloo"
  fi
  says "stopped at step 3"
}

# The peak of a run's memory against the estimate: of the device's tensors, on a CPU of the process.
part_memory() {
  local peak estimated
  if [ "$DEVICE" = cpu ]; then
    experiment "$tiny" 16 12 4
    expect 75 report run_peak "$json" resident_gb "$BIN/uir-train" "$work/exp.yaml" --stop-after 2
    expect 0 report run_peak "$json" program_gb "$BIN/../libexec/uir/uir-train" --version
    peak=$(get "$json" numbers resident_gb)
  else
    experiment '{type: iresnet, depth: 50}' 64 96 32
    expect 75 train --stop-after 6
    peak=$(sed -nE 's/.*device memory: peak ([0-9.]+) GB.*/\1/p' "$work/out.txt")
    [ -n "$peak" ] || skip "LibTorch before 2.10 does not tell a device's peak"
  fi
  expect 0 train --estimate 1TB
  estimated=$(report estimate "$work/out.txt")
  estimated=${estimated% *}
  # LibTorch itself takes .1 to .6 GB of a process.
  [ "$DEVICE" != cpu ] || estimated=$(report sum_of "$estimated" "$(get "$json" numbers program_gb)")
  number peak_gb "$peak"
  number estimate_gb "$estimated"
  local ratio low=0.9 high=1.1
  [ "$DEVICE" != cpu ] || { low=0.5; high=2; }
  ratio=$(report quotient "$peak" "$estimated")
  number to_estimate "$ratio" least $low
  number to_estimate "$ratio" most $high
}

# same_checkpoints RUN NAME OTHER: its checkpoint and that of $work/run hold the same: to the bit on a CPU, nearly on a device.
same_checkpoints() {
  report compare_checkpoints "$json" "$(latest "$1")" "$(latest "$work/run")"
  if [ "$DEVICE" = cpu ]; then
    [ "$(get "$json" numbers equal_to_the_bit)" = true ] || die "the $2 run's checkpoint differs from the $3 run's"
  else
    number largest_difference "$(get "$json" numbers largest_difference)" most 0.02
  fi
}

# A run that is stopped and resumed ends where a whole one does: to the bit on a CPU, nearly on a device.
part_resume() {
  experiment "$tiny" 16 12 4
  set -- --set train.precision=float32 --set train.threads=1
  expect 0 train "$@"
  expect 75 train "$@" --set paths.run="$work/stopped" --set paths.index="$work/run/index" --stop-after 7
  expect 0 train "$@" --set paths.run="$work/stopped" --set paths.index="$work/run/index" --resume
  same_checkpoints "$work/stopped" resumed whole
}

# A run with CUDA graphs, which CPUs rehearse, ends where one without them does; how fast a step is with them.
part_graphs() {
  experiment "$tiny" 16 12 4
  set -- --set train.precision=float32 --set train.threads=1 --set train.epochs=1 --set train.batch.accumulation=2
  expect 0 train "$@"
  expect 0 train "$@" --set train.cuda_graphs=true --set paths.run="$work/recorded" --set paths.index="$work/run/index"
  same_checkpoints "$work/recorded" recorded ordinary
  set -- r50 128 "$threads" 1 1
  [ "$DEVICE" != cpu ] || set -- r18 2 "$threads" 1 0.25
  into called.json "$BIN/bench_training_step" "$@" "$(device)" "ours bf16"
  into graphs.json "$BIN/bench_training_step" "$@" "$(device)" "graphs bf16"
  number images_per_s "$(get "$work/graphs.json" images_per_s "graphs bf16")"
  number to_called "$(report quotient "$(get "$json" numbers images_per_s)" "$(get "$work/called.json" images_per_s "ours bf16")")"
}

# Embeddings of the device against the CPU's of the same weights, and the numbers of a search through pairs of both.
part_extract() {
  experiment "$tiny" 16 12 4
  expect 75 train --set train.precision=float32 --stop-after 4
  local place
  for place in "$(device)" cpu; do
    rm -rf "$work/run/embeddings"
    expect 0 "$BIN/uir-extract" "$work/exp.yaml" --set train.precision=float32 --set train.device="$place"
    mv "$work/run/embeddings/strangers" "$work/of_$place"
    if [ "$place" = cpu ]; then break; fi
  done
  report compare_embeddings "$json" "$work/of_$(device)/embeddings.npy" "$work/of_cpu/embeddings.npy"
  number smallest_cosine "$(get "$json" numbers smallest_cosine)" least 0.999
  cp -r "$work/of_cpu" "$work/run/embeddings/strangers"
  for place in "$(device)" cpu; do
    expect 0 "$BIN/uir-eval" "$work/exp.yaml" --set eval.device="$place"
    get "$work/run/report/report.json" models >"$work/report_$place.json"
  done
  cmp "$work/report_$(device).json" "$work/report_cpu.json" || die "a search on the device finds other numbers than on the CPU"
}

# part_step NETWORK: forward and backward pass in bf16 against PyTorch's, eager and compiled.
part_step() {
  local batch=128 width=1 only_eager='' code=0 ours other
  [ "$DEVICE" != cpu ] || { set -- r18; batch=2; width=0.25; only_eager=--no-compile; }
  number batch $batch
  into uir.json "$BIN/bench_training_step" "$1" $batch "$threads" 1 $width "$(device)" "ours bf16"
  ours=$(get "$work/uir.json" images_per_s "ours bf16")
  number images_per_s "$ours"
  "$PYTHON" tools/bench/torch_step.py --network "$1" --batch $batch --width $width --device "$(device)" \
    --rounds 5 $only_eager >"$work/torch.json" || code=$?
  [ $code != 69 ] || skip "PyTorch is missing"
  [ $code = 0 ] || die "PyTorch's step ended with $code"
  cat "$work/torch.json"
  for other in eager compiled; do
    if [ "$(get "$work/torch.json" $other)" = null ]; then
      [ "$DEVICE" = cpu ] || die "PyTorch did not compile: $(get "$work/torch.json" why_not_compiled)"
      continue
    fi
    number ${other}_images_per_s "$(get "$work/torch.json" $other)"
    if [ $other = compiled ]; then set -- least 1.3; else set --; fi
    on_gpu to_$other "$(report quotient "$ours" "$(get "$work/torch.json" $other)")" "$@"
  done
}
part_step_r50() { part_step r50; }
part_step_r100() { part_step r100; }

# The head's time against its own matrix products, its memory against weight, gradient and momentum.
part_head() {
  local rounds=5 rate=0.1 tile=16384
  set -- 1000000 512 96 32 "$threads"
  [ "$DEVICE" != cpu ] || { set -- 3000 32 12 4 "$threads"; rounds=2; rate=0.5; tile=1024; }
  into out.json "$BIN/bench_head" "$@" $rounds 0 $rate "$(device)"
  number classes "$1"
  local form
  for form in uir_off mean released; do
    on_gpu ${form}_to_own_products "$(get "$work/out.json" time $form to_own_products)" most 1.3
    number ${form}_to_three_products "$(get "$work/out.json" time $form to_products)"
    number ${form}_ms "$(get "$work/out.json" time $form ms)"
  done
  [ "$(get "$work/out.json" memory ratio)" = null ] || on_gpu memory_to_state "$(get "$work/out.json" memory ratio)" most 1.3
  # In smaller tiles than a device takes by itself: whether the time goes into the number of operators.
  into tiles.json "$BIN/bench_head" "$@" 2 $tile $rate "$(device)"
  number released_ms_in_tiles_of_$tile "$(get "$work/tiles.json" time released ms)"
}

# A search through all pairs against the bare bf16 product.
part_search() {
  set -- 1048576 131072 3 512
  [ "$DEVICE" != cpu ] || set -- 2048 1024 1 64
  into out.json "$BIN/bench_tail_search" "$threads" "$@" "" "$(device)"
  on_gpu to_bf16_product "$(get "$work/out.json" ratios bf16_product ratio)" least 0.7
  number to_float32_product "$(get "$work/out.json" ratios float32_product ratio)"
  number pairs_per_s "$(get "$work/out.json" rates tail_search pairs_per_s)"
}

# Seconds that a part may take.
limit_of() {
  case ${DEVICE}_$1 in
    *_build) echo 400 ;;
    cpu_*) echo 120 ;;
    *_step_r100) echo 200 ;;
    *_tests | *_step_r50) echo 150 ;;
    *) echo 100 ;;
  esac
}

# DEVICE_CHECK_PLANT="PART:KIND …", for the rehearsal's test: the part fails, hangs, misses a target or is skipped.
planted() {
  local plant
  for plant in ${DEVICE_CHECK_PLANT:-}; do
    if [ "${plant%:*}" = "$1" ]; then echo "${plant#*:}"; fi
  done
}

# In a process of its own, under a limit.
run_part() {
  local name=$1 program
  part=$name json=$OUT/$name.json work=$OUT/$name
  case $(planted "$name") in
    fail) die "planted failure" ;;
    hang) sleep 1000 ;;
    miss) number planted 1 least 2; return ;;
    skip) skip "planted reason" ;;
  esac
  if [ "$name" != build ]; then
    for program in $programs; do [ -x "$BIN/$program" ] || skip "$program is not built"; done
  fi
  "part_$name"
}

if [ "${1:-}" = --part ]; then
  run_part "$2"
  exit
fi

# --- The check ----------------------------------------------------------------------------------------------------------------

minutes=${1:-10}
[[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ ]] || { echo "device_check.sh: '$minutes' minutes?" >&2; exit 64; }
for name in $PARTS; do
  [[ " $all_parts " == *" $name "* ]] || { echo "device_check.sh: no part '$name'; there are: $all_parts" >&2; exit 64; }
done
export build=0
[ -n "$BIN" ] || { build=1; BIN=$OUT/build/bin; }
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
[ $build = 0 ] || BIN=$OUT/build/bin
TESTS=${TESTS:-$BIN/../tests}
end=$((SECONDS + $(awk "BEGIN {print int($minutes * 60)}")))
left_out=
for name in $all_parts; do [[ " $PARTS " == *" $name "* ]] || left_out+="$name "; done
report begin "$OUT" "$DEVICE" "$minutes" "$left_out"

# part NAME: runs it and records what it came to.
part() {
  local name=$1 limit code=0 start=$SECONDS
  rm -rf "$OUT/$name" "$OUT/$name.json" "$OUT/$name.log"
  mkdir -p "$OUT/$name"
  limit=$(limit_of "$name")
  if [ "$(planted "$name")" = hang ]; then limit=1; fi
  if [ $((end - SECONDS)) -lt 5 ]; then
    report skip "$OUT/$name.json" "no time left of $minutes minutes"
  else
    if [ $limit -gt $((end - SECONDS)) ]; then limit=$((end - SECONDS)); fi
    timeout --kill-after=5 $limit tools/device_check.sh --part "$name" >"$OUT/$name.log" 2>&1 || code=$?
  fi
  report record "$OUT" "$name" $code $limit $((SECONDS - start))
}

{  # read at once: the script may be changed meanwhile
  for name in $PARTS; do part "$name"; done
  report finish "$OUT" "$MAY_SKIP"
  exit
}
