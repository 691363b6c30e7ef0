# What a run shows of itself: event files for TensorBoard, read by an independent reader, and training.html.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import google.protobuf' 2>/dev/null; then python=$candidate && break; fi
done
[ -n "$python" ] || { echo "SKIPPED: the reader of event files needs python3-protobuf (tools/packages.txt)"; exit 77; }

write_tiny_config exp.yaml
make_faces test 4 4 700
for i in 1 2 3; do
  for j in 1 2 3 4; do
    echo "person_070$i/person_070${i}_000$j.jpg person_070$i/person_070${i}_000$((j % 4 + 1)).jpg 1"
    echo "person_070$i/person_070${i}_000$j.jpg person_0700/person_0700_000$j.jpg 0"
  done
done >pairs.txt
sed -i 's|^model:|    - {name: dev, role: test, type: folder, root: test}\nmodel:|' exp.yaml
echo "    - {name: dev_pairs, type: verification, set: dev, pairs: pairs.txt, format: path_pairs}" >>exp.yaml
sed -i 's|^train:|train:\n  verification: {every_steps: 10, protocols: [dev_pairs]}|' exp.yaml

expect 66 uir-train exp.yaml --report
says "log.jsonl: no log"
expect 0 uir-index exp.yaml
expect 75 uir-train exp.yaml --stop-after 17
says "/run/training.html"
sleep 1  # files of events are named by the second
expect 0 uir-train exp.yaml --resume

# Every value of the events is the log's: of verifications as it stands there, of console lines as the mean of five steps.
"$python" "$UIR_SOURCE/tests/oracle/read_events.py" $(ls run/tensorboard/*tfevents*) >events.txt
"$python" - <<'PY'
import json, re, statistics
lines = [json.loads(line) for line in open("run/log.jsonl")]
steps = {l["step"]: l for l in lines if "verification" not in l}
verified = {l["step"]: l for l in lines if "verification" in l}
events, starts = {}, []
for line in open("events.txt"):
    if line.startswith("first"):
        starts.append(int(line.split()[1]))
        continue
    step, tag, value = line.split()
    events[int(step), tag] = float(value)
assert starts == [1, 18], starts
last = max(steps)
# The second start begins its mean anew.
for step in [5, 10, 15] + [s for s in range(20, last + 1) if s % 5 == 0] + [last]:
    first = max(step - (step - 1) % 5, 18 if step == 20 else 1)
    for tag, key in ("loss/total", "total"), ("loss/uir", "uir"), ("accuracy/without_margin", "accuracy"):
        mean = statistics.mean(steps[s][key] for s in range(first, step + 1))
        assert abs(events[step, tag] - mean) < 1e-5 * max(1, abs(mean)), (step, tag, events[step, tag], mean)
assert verified and all(abs(events[s, "verification_dev_pairs/accuracy"] - v["accuracy"]) < 1e-6 for s, v in verified.items())
assert events[last, "training/learning_rate"] > 0
for step in {s for s, tag in events if tag == "loss/total"}:
    norm = steps[step]["gradient_norm"]
    assert abs(events[step, "training/gradient_norm"] - norm) < 1e-5 * max(1, norm), step
    assert events[step, "training/loss_scale"] == 1, step  # but for float16
    for name, norm in steps[step]["gradient_norms"].items():
        assert abs(events[step, "gradient_norms/" + name] - norm) < 1e-5 * max(1, norm), (step, name)
    assert (events[step, "speed/seconds_left"] > 0) == (step < last), step

# The page is well-formed, loads nothing, and draws what was logged.
import xml.etree.ElementTree as tree
text = open("run/training.html").read()
root = tree.fromstring(text.replace("<!DOCTYPE html>", ""))
figures = [f for f in root.iter() if f.tag.endswith("figure")]
headings = [next(b for b in f.iter() if b.tag.endswith("}b")).text for f in figures]
assert headings == ["Loss", "UIR loss", "Accuracy of the labeled rows", "Verification", "Learning rate", "Gradient norm", "Speed"], headings
lines = {h: [len(p.get("points").split()) for p in f.iter() if p.tag.endswith("polyline") and p.get("class") and len(p.get("points").split()) > 2] for h, f in zip(headings, figures)}
assert lines["Loss"] == [last] * 2 and lines["UIR loss"] == [last] and len(lines["Verification"]) == 1, lines
assert "data:image/png;base64," in text and "identities: 16" in text
assert not re.search(r'(src|href)="(?!data:|#)', text)
PY

# Steps that are trained again stand in the events once, also for a reader that knows no mark of a restart.
again() { uir-train exp.yaml --set paths.run=again --set paths.index=run/index --set train.log_every=1 "$@"; }
expect 75 again --stop-after 13
rm -r again/checkpoints/step-0000000013
sleep 1
expect 75 again --resume --stop-after 16
says "resuming at step 10"
"$python" "$UIR_SOURCE/tests/oracle/read_events.py" $(ls again/tensorboard/*tfevents*) >events.txt
"$python" - <<'PY'
import collections
rows = [line.split() for line in open("events.txt")]
assert [int(row[1]) for row in rows if row[0] == "first"] == [1, 11], rows
values = collections.Counter((int(row[0]), row[1]) for row in rows if row[0] != "first")
assert set(values.values()) == {1}, [entry for entry, times in values.items() if times > 1]
assert [step for step, tag in values if tag == "loss/total"] == list(range(1, 17))
PY

# A run that goes on, or one that ended, can be looked at again; without events if so wished.
rm run/training.html
expect 0 uir-train exp.yaml --report
[ -s run/training.html ] || die "no report"
expect 75 uir-train exp.yaml --stop-after 3 --set paths.run=quiet --set paths.index=run/index --set train.tensorboard=false
[ ! -e quiet/tensorboard ] || die "events although none were wanted"
