#!/usr/bin/env bash
# TensorBoard 2.21.0: its default reader does not heed the mark of a restart.
#
# A training that goes on from a checkpoint writes a new event file that begins, as the first one did, with SessionLog START and its first
# step. What earlier files say of that step and later ones is then no longer true. Here a number is written at the steps 10 and 20, the training goes
# on from step 16, and the number comes next at step 30.
#   tensorboard --load_fast=false     heeds the mark: 10, 30
#   tensorboard (its default)         does not: 10, 20, 30, where 20 is of the training that was given up
# Fails if that changes. Installs tensorboard==2.21.0 into a temporary folder.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${TENSORBOARD_PYTHON:-} # of an environment that has tensorboard 2.21.0 already
if [ -z "$python" ]; then
  python3 -m venv venv
  venv/bin/pip install --quiet tensorboard==2.21.0
  python=venv/bin/python
fi
[ "$("$python" -c 'import tensorboard; print(tensorboard.__version__)')" = 2.21.0 ] || { echo "not tensorboard 2.21.0"; exit 1; }
cat >case.py <<'PY'
import json, subprocess, sys, time, urllib.request
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

def write(name, *events):
    with open(f"log/{name}", "wb") as out:
        writer = RecordWriter(out)
        for event in (event_pb2.Event(wall_time=1.7e9, file_version="brain.Event:2"), *events):
            writer.write(event.SerializeToString())
        writer.flush()

def value(step):
    return event_pb2.Event(wall_time=1.7e9 + step, step=step, summary=summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="verified", simple_value=step)]))

def start(step):
    return event_pb2.Event(wall_time=1.7e9 + step, step=step, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))

write("events.out.tfevents.1700000001.host.1.0", start(1), value(10), value(20))
write("events.out.tfevents.1700000002.host.2.0", start(16), value(30))

def shown(port, *options):
    server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", "log", "--port", str(port), *options], stderr=subprocess.DEVNULL)
    try:
        for _ in range(240):
            time.sleep(0.5)
            try:
                page = urllib.request.urlopen(f"http://localhost:{port}/data/plugin/scalars/scalars?run=.&tag=verified")
                steps = [step for _, step, _ in json.load(page)]
                if 30 in steps:
                    return steps
            except OSError:
                pass
        sys.exit("TensorBoard does not answer")
    finally:
        server.terminate()
        server.wait()

slow, default = shown(16006, "--load_fast=false"), shown(16007)
print("--load_fast=false shows", slow, "and the default", default)
assert slow == [10, 30], slow
assert default == [10, 20, 30], default
PY
mkdir log
"$python" case.py
echo "as seen: TensorBoard 2.21.0's default reader keeps a step that was given up"
