# Two trainings of one run folder: the second is refused before it changes anything, whatever it was told; when the first is
# killed, the folder is free. Other programs may use a folder that is trained in.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml
expect 0 uir-index exp.yaml --set paths.index=index
train() { uir-train exp.yaml --set paths.index=index --set train.log_every=1 "$@"; }
# Everything in the run folder but what the training in it may write meanwhile.
state_of() { (cd run && find . -name '*.tmp-*' -prune -o -type f -print | sort | xargs sha256sum); }

# A training that stands still: stopped, it holds the lock and writes nothing.
begin() {
  (exec "$UIR_BIN/uir-train" exp.yaml --set paths.index=index --set train.log_every=1 --set train.epochs=2000 "$@" >first.txt 2>&1) &
  pid=$!
  for _ in $(seq 600); do grep -q '^saved' first.txt 2>/dev/null && break; sleep 0.05; done
  grep -q '^saved' first.txt || { cat first.txt >&2; die "the first training saves nothing"; }
}
begin
kill -STOP $pid
# OpenMP found its bound when it was loaded: it stands in the environment that the process began with.
environment_of() { tr '\0' '\n' <"/proc/$1/environ"; }
environment_of $pid | grep -qx 'GOMP_SPINCOUNT=10000' || die "OpenMP's threads turn without bound"
before=$(state_of)
for option in "" --resume "--resume --nproc-per-node 2" "--set train.init.from=absent.pth" "--set train.epochs=1"; do
  expect 64 train $option
  says "$PWD/run: process "
  says "on $(uname -n) trains in this folder"
done
[ "$(state_of)" = "$before" ] || die "a refused training changed the run folder"

# What only reads a run goes on beside it, and so does a training elsewhere.
expect 0 uir-extract exp.yaml --set paths.index=index --set extract.sets=[strangers]
expect 0 uir-export exp.yaml net.onnx --set paths.index=index
expect 0 train --report
expect 75 train --set paths.run=elsewhere --stop-after 2

# kill -9 frees the folder at once, again and again; with several ranks the first holds it.
kill -KILL $pid
wait $pid 2>/dev/null || true
reached() { sed 's/^step-0*\([0-9]*\) .*/\1/' run/checkpoints/latest; }
go_on() { train --resume --set train.epochs=2000 --stop-after $(($(reached) + 20)); }
expect 75 go_on
begin --resume --nproc-per-node 2
expect 64 train --resume
says "trains in this folder"
for rank in $(cat "/proc/$pid/task/$pid/children"); do
  environment_of "$rank" | grep -qx 'GOMP_SPINCOUNT=10000' || die "a rank's OpenMP turns without bound"
done
kill -KILL $pid
wait $pid 2>/dev/null || true
for _ in $(seq 100); do
  code=0
  go_on >out.txt 2>&1 || code=$?
  [ $code = 64 ] && grep -q "trains in this folder" out.txt || break  # the launcher's ranks end with it, a moment later
  sleep 0.1
done
[ $code = 75 ] || { cat out.txt >&2; die "exit code $code after kill -9, expected 75"; }

# What the user says of waiting is respected.
for choice in GOMP_SPINCOUNT=77 OMP_WAIT_POLICY=passive; do
  (exec env "$choice" "$UIR_BIN/uir-train" exp.yaml --set paths.index=index --set train.epochs=2000 --set paths.run=waiting --resume >waiting.txt 2>&1) &
  pid=$!
  for _ in $(seq 600); do grep -q '^saved' waiting.txt 2>/dev/null && break; sleep 0.05; done
  environment_of $pid | grep -qx "$choice" || die "$choice was lost"
  ! environment_of $pid | grep -qx 'GOMP_SPINCOUNT=10000' || die "$choice was not respected"
  kill -KILL $pid
  wait $pid 2>/dev/null || true
  rm waiting.txt
done
