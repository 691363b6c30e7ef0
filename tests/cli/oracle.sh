# oracle.sh CASE: uir-eval and an independent float64 implementation (tests/oracle) on planted features full of exact
# ties and duplicates, as .npy and as challenge .bin, agree on every number.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
. "$UIR_SOURCE/tests/cli/benchmark_cases.sh"
case " ${benchmark_cases[*]} " in
  *" $1 "*) ;;
  *) echo "SKIPPED: $1 is not in benchmark_cases (tests/cli/benchmark_cases.sh)" && exit 77 ;;
esac
find_oracle_python
make_trees - .
compare_planted "$1"

# The comparison itself can fail: on a number or an interval off a little, on a missing one, on a count.
python3 - <<'END'
import copy, json
report = json.load(open("run/report/report.json"))
def write(name, change):
    changed = copy.deepcopy(report)
    change(changed["models"][0]["protocols"][0])
    json.dump(changed, open(name, "w"))
def last(result, values): return [key for key, value in result[values].items() if value is not None][-1]
def off(result): result["numbers"][last(result, "numbers")] += 1e-10
def missing(result): del result["numbers"][last(result, "numbers")]
def count(result): result["counts"][last(result, "counts")] += 1
def interval(result):
    for ends in [u["interval"] for u in result["uncertainty"].values() if u["interval"]][:1]:
        ends[0] -= 1e-3 * (ends[1] - ends[0])
for change in off, missing, count, interval: write(f"{change.__name__}.json", change)
END
changes=(off missing count)
case $1 in trillion_pairs | megaface) changes+=(interval) ;; esac  # whose oracles have intervals
for change in "${changes[@]}"; do
  expect 1 "$oracle_python" "$UIR_SOURCE/tests/oracle/compare.py" --model npy $change.json oracles/npy/*.json
done
