# uir-eval calibrate: its thresholds do what they promise, for whoever reads its file.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
. "$UIR_SOURCE/tests/cli/benchmark_cases.sh"
find_oracle_python

oracle="$oracle_python $UIR_SOURCE/tests/oracle/calibration.py"
$oracle make
cat >exp.yaml <<'YAML'
paths: {run: run}
eval:
  models:
    - name: theirs
      sets:
        - {set: known, features: known.npy, items: known.txt, labels: known_labels.txt}
        - {set: web, features: web.npy, items: web.txt}
        - {set: crowd, features: crowd.npy}
        - {set: class_centers, features: centers.npy, labels: centers_labels.txt, items: centers.txt}
        - {set: other, features: other.npy, labels: other_labels.txt, items: other.txt}
  protocols:
    - {name: open, type: open_set, set: other}
    - {name: pairs, type: verification, set: other, pairs: pairs.txt, format: path_pairs}
YAML
expect 0 uir-eval calibrate exp.yaml --known known --strangers web --strangers crowd --false-matches 1e-2 \
  --false-matches 1e-3 --false-matches 1e-6 --false-alarms 100 --false-alarms 20 --gallery-size 5 --gallery-size 60
cat out.txt
says "not resolved"
says "gallery of 60"
for file in calibration.json calibration.txt calibration.html; do [ -s run/calibration/$file ] || die "$file is missing"; done
$oracle check run/calibration/calibration.json known || die "the oracle disagrees"
python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(open(sys.argv[1]).read().split("\n", 1)[1])' \
  run/calibration/calibration.html || die "the page is not well-formed"

# The thresholds on other people: uir-eval.
expect 0 uir-eval exp.yaml --set eval.models.0.calibration=run/calibration/calibration.json
$oracle applied run/calibration/calibration.json run/report/report.json || die "the oracle disagrees"

# A gallery of class centers, for uir-index overlap.
expect 0 uir-eval calibrate exp.yaml --known known --strangers web --gallery class_centers --false-alarms 50 --out centers
$oracle check centers/calibration.json class_centers || die "the oracle disagrees"
expect 0 uir-index overlap exp.yaml --unlabeled crowd --calibration centers/calibration.json --false-alarms 50
says "which lets 50 of 1,000 strangers through"
$oracle removed centers/calibration.json run/overlap/excluded_crowd.tsv || die "the oracle disagrees"
expect 78 uir-index overlap exp.yaml --unlabeled crowd --calibration centers/calibration.json --false-alarms 1
says "resolved there: 50 at 10, 50 at 60"
expect 78 uir-index overlap exp.yaml --unlabeled crowd --calibration run/calibration/calibration.json --false-alarms 20
says "--gallery class_centers"
expect 64 uir-index overlap exp.yaml --unlabeled crowd --calibration centers/calibration.json --threshold 0.5

# A model twice is itself.
python3 - <<'END'
text = open("exp.yaml").read().replace("  protocols:\n", "    - {name: twice, concatenates: [theirs, theirs2]}\n  protocols:\n")
first, rest = text.split("    - name: theirs\n")
sets, rest = rest.split("    - {name: twice")
open("twice.yaml", "w").write(first + "    - name: theirs\n" + sets + "    - name: theirs2\n" + sets + "    - {name: twice" + rest)
END
expect 0 uir-eval twice.yaml
python3 - <<'END' || die "a model concatenated with itself has other numbers"
import json
first, _, twice = (m["protocols"] for m in json.load(open("run/report/report.json"))["models"])
assert [p["numbers"] for p in first] == [p["numbers"] for p in twice] and first
END
expect 78 uir-eval twice.yaml --set eval.models.2.concatenates=[theirs,nobody]
says "which is no model with a run or sets"

# What is wrong.
expect 64 uir-eval calibrate exp.yaml --known known
expect 65 uir-eval calibrate exp.yaml --known web --strangers crowd
says "no person has two images"
expect 78 uir-eval calibrate exp.yaml --known known --strangers web --gallery-size 61
says "cannot be drawn from 60"
expect 78 uir-eval calibrate exp.yaml --known known --strangers nobody
expect 64 uir-eval calibrate exp.yaml --known known --strangers web --false-matches 2
for nan in "--false-matches nan" "--false-alarms nan"; do expect 64 uir-eval calibrate exp.yaml --known known --strangers web $nan; done
expect 64 uir-index overlap exp.yaml --unlabeled crowd --threshold nan
expect 64 uir-eval calibrate exp.yaml --known known --strangers known
says "given twice"
for change in 's/"model": {/"model": 3, "m": {/' 's/"format": "[a-z-]*"/"format": 7/' 's/"threshold": 0.[0-9]*/"threshold": -9/' \
  's/"events": [0-9]*/"events": -1/' 's/"people": 60/"people": 3/'; do
  sed "$change" run/calibration/calibration.json >hostile.json
  expect 65 uir-eval exp.yaml --set eval.models.0.calibration=hostile.json
done
echo '{"format": "uir-threshold"}' >wrong.json
expect 65 uir-eval exp.yaml --set eval.models.0.calibration=wrong.json
says "uir-eval calibrate writes one"
expect 66 uir-eval exp.yaml --set eval.models.0.calibration=nowhere.json
sed 's/"dim": [0-9]*/"dim": 7/' run/calibration/calibration.json >dim.json
expect 65 uir-eval exp.yaml --set eval.models.0.calibration=dim.json
says "made with another network"
expect 78 uir-eval exp.yaml --set eval.calibration=dim.json
says "with eval.models each has a calibration of its own"
