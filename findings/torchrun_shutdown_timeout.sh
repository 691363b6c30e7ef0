#!/usr/bin/env bash
# torchrun (PyTorch 2.15.0): 30 s after it told its workers to stop it kills them, whatever they are doing.
#
# A worker that needs 45 s to save its work on SIGTERM is killed (SIGKILL) before it is done; with --shutdown-timeout 120 it saves.
# Fails if that changes. Installs torch==2.15.0 into a temporary folder (4 GB).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${TORCH_PYTHON:-} # of an environment that has torch 2.15.0 already
if [ -z "$python" ]; then
  python3 -m venv venv
  venv/bin/pip install --quiet torch==2.15.0
  python=venv/bin/python
fi
[[ $("$python" -c 'import torch; print(torch.__version__)') == 2.15.0* ]] || { echo "not torch 2.15.0"; exit 1; }
cat >worker.sh <<'END'
trap "sleep 45; echo saved >$1; exit 0" TERM
echo ready >$1.ready
while :; do sleep 0.1; done
END
# stop NAME OPTION…: seconds until torchrun ended, in NAME.seconds
stop() {
  local name=$1
  "$python" -m torch.distributed.run --no-python --standalone --nproc-per-node 1 "${@:2}" bash worker.sh "$PWD/$name" >"$name.out" 2>&1 &
  local launcher=$!
  for _ in $(seq 600); do [ -e "$name.ready" ] && break; sleep 0.2; done
  [ -e "$name.ready" ] || { cat "$name.out"; exit 1; }
  local begin=$SECONDS
  kill -TERM $launcher
  wait $launcher || true
  echo "$name: torchrun ended after $((SECONDS - begin)) s, the worker $([ -e "$name" ] && echo saved || echo "was killed before it had saved")"
}
stop default
stop longer --shutdown-timeout 120
[ ! -e default ] || { echo "the default leaves a worker 45 s now"; exit 1; }
[ -e longer ] || { cat longer.out; echo "--shutdown-timeout is not heeded"; exit 1; }
echo "as seen: torchrun 2.15.0 kills a save that takes longer than 30 s unless --shutdown-timeout says more"
