# How sure numbers are: intervals hold the truth as often as they say; networks are compared by their features alone.
. "$UIR_SOURCE/tests/cli/lib.sh"

expect 0 uir-eval --validate-intervals
says "the example is right in all digits"
[ "$(grep -c 'covered' out.txt)" -ge 15 ] || die "few numbers were simulated"

# Against formulas of the specification in numpy, on drawn features: values, intervals, events, differences.
python=""
for candidate in "${PYTHON:-python3}" /usr/bin/python3; do
  "$candidate" -c 'import numpy' 2>/dev/null && python=$candidate && break
done
if [ -n "$python" ]; then
  expect 0 "$python" "$UIR_SOURCE/tests/oracle/intervals.py" --draw drawn
  expect 0 uir-eval compare drawn/a.npy drawn/b.npy --list drawn/items.tsv --far 0.01,0.05,0.2,0.3,0.6 --out drawn/report
  expect 0 "$python" "$UIR_SOURCE/tests/oracle/intervals.py" drawn/a.npy drawn/items.tsv drawn/report/report.json --second drawn/b.npy
  says "tar_at_far_0.05_per_person"
else
  echo "SKIPPED the oracle: needs python3-numpy (tools/packages.txt)"
fi

write_tiny_config exp.yaml
expect 0 uir-index exp.yaml
expect 0 uir-train exp.yaml --set train.epochs=1
expect 0 uir-extract exp.yaml --set extract.sets=[strangers,passers_by] --set train.precision=bf16
expect 0 uir-extract exp.yaml --set extract.sets=[strangers] --set extract.mirrored=false --set train.precision=float32 --set paths.run=other --set paths.index=run/index \
  --set extract.weights="run/checkpoints/$(cut -d' ' -f1 run/checkpoints/latest)"
ours=run/embeddings/strangers/embeddings.npy theirs=other/embeddings/strangers/embeddings.npy
list=run/embeddings/strangers/items.tsv
expect 0 uir-eval compare $ours $theirs --list $list --far 0.1,0.01 --names ours,theirs --out comparison
says "not decided"
for file in report.html report.txt report.json; do [ -s comparison/$file ] || die "no $file"; done
grep -q '"uncertainty"' comparison/report.json || die "report.json does not say how sure numbers are"
cut -f2 $list >people.txt
expect 0 uir-eval compare $ours $theirs --list people.txt --far 0.1
expect 64 uir-eval compare $ours --list $list
says "two files"
head -n 3 $list >short.tsv
expect 65 uir-eval compare $ours $theirs --list short.tsv
says "3 lines"
expect 66 uir-eval compare $ours $theirs --list nothing.tsv
touch file
expect 73 uir-eval compare $ours $theirs --list $list --out file/folder
{ head -n 2 $list | cut -f1 | paste -sd' ' | sed 's/$/ 1/'; tail -n 2 $list | cut -f1 | paste -sd' ' | sed 's/$/ 0/'; } >pairs.txt
expect 0 uir-eval compare $ours $theirs --list $list --pairs pairs.txt --format path_pairs

# The run's own report has intervals as well, and says where there are none.
expect 0 uir-eval exp.yaml --set eval.protocols='[{name: pairs, type: all_pairs, set: strangers, far: [0.1]}, {name: open, type: open_set, set: strangers}]'
says "["
says "people"
