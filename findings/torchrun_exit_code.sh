#!/usr/bin/env bash
# torchrun (PyTorch 2.15.0): after SIGTERM its exit code is 1, whatever its workers return.
#
# Two workers that end cleanly on SIGTERM, once with 0 and once with 75 (EX_TEMPFAIL, by which schedulers know that a job may be
# restarted). torchrun passes the signal on and both workers end as they wish; torchrun ends with 1 and a traceback of
# torch.distributed.elastic.multiprocessing.api.SignalException both times.
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
trap "echo stopped >$1/stopped.$RANK; exit $2" TERM
echo ready >$1/ready.$RANK
while :; do sleep 0.1; done
END
for code in 0 75; do
  mkdir "$code"
  "$python" -m torch.distributed.run --no-python --standalone --nproc-per-node 2 bash worker.sh "$PWD/$code" "$code" >"$code/out" 2>&1 &
  launcher=$!
  for _ in $(seq 600); do [ -e "$code/ready.0" ] && [ -e "$code/ready.1" ] && break; sleep 0.2; done
  kill -TERM $launcher
  seen=0
  wait $launcher || seen=$?
  [ -e "$code/stopped.0" ] && [ -e "$code/stopped.1" ] || { cat "$code/out"; echo "the workers were not told to stop"; exit 1; }
  echo "workers that end with $code: torchrun ends with $seen"
  tail -n 1 "$code/out"
  [ $seen = 1 ] || { cat "$code/out"; exit 1; }
  grep -q SignalException "$code/out"
done
echo "as seen: torchrun 2.15.0 ends with 1 after a clean stop"
