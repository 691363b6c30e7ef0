# tools/study on drawn faces: every arm of every run leaves its result, a later start goes on, the tables are made of the results.
. "$UIR_SOURCE/tests/cli/lib.sh"
python=""
for candidate in "${PYTHON:-python3}" /usr/bin/python3; do
  "$candidate" -c 'import numpy' 2>/dev/null && python=$candidate && break
done
[ -n "$python" ] || { echo "SKIPPED: needs python3-numpy (tools/packages.txt)"; exit 77; }

mkdir -p faces/lfw-112X112 faces/celeba299 faces/celeba
make_faces faces/lfw-112X112 24 4
make_faces faces/lfw-112X112 30 1 100
make_faces faces/celeba299 6 4 200
make_faces faces/celeba299 4 2 300
(cd faces/celeba299 && for image in person_02*/*; do echo -e "$image\t${image%%/*}"; done) | sed 's/\tperson_0*/\t/' >faces/celeba/labeled.lst
(cd faces/celeba299 && printf '%s\n' person_03*/*) >faces/celeba/unlabeled.lst
cat >plan.json <<'END'
{"held_out": 0.25, "most_images": 30, "scale": 16, "network": {"type": "mobilefacenet", "width": 0.0625, "embedding_size": 32},
 "base": {"epochs": 1, "labeled": 16, "base_lr": 0.1}, "fork": {"epochs": 1, "labeled": 12, "unlabeled": 4, "base_lr": 0.01},
 "arms": {"lambda_0": {"weight": 0}, "mean_1": {"weight": 1, "reduction": "mean"}, "released_1": {"weight": 1, "reduction": "released"}},
 "choosing": {"runs": [1], "arms": ["lambda_0", "mean_1", "released_1"]},
 "confirming": {"runs": [2, 3, 4], "arms": ["lambda_0", "best_mean"]},
 "primary": "all_pairs.tar_at_far_0.001_per_person", "secondary": ["open_set.dir_at_far_0.05", "centers.nearest_mean"]}
END
study() { "$python" "$UIR_SOURCE/tools/study/study.py" --faces faces --bin "$UIR_BIN" --work work --plan plan.json --results results "$@"; }

expect 0 study --dry-run
says "1 mean_1: "
says "million images"
[ -z "$(ls results)" ] || die "a dry run leaves results"
expect 1 study --stage confirming
says "best_mean is not known"
rm -rf results work
expect 0 study
[ "$(ls results | wc -l)" = 9 ] || die "$(ls results) instead of 9 results"
for number in all_pairs.tar_at_far_0.001_per_person open_set.dir_at_far_0.05 centers.nearest_mean rejection.strangers_mean_probability; do
  grep -q "\"$number\"" results/1-mean_1.json || die "no $number in a result"
done
[ ! -e work/run-1/mean_1 ] || die "networks of measured arms stay"

# What is there is not done again; what is missing comes out the same.
mv results/3-lambda_0.json first.json
expect 0 study
says "run 3, lambda_0"
[ "$(grep -c ' of ' out.txt)" = 1 ] || die "more than the missing arm was done"
strip() { grep -v '"seconds"' "$1"; }
[ "$(strip first.json)" = "$(strip results/3-lambda_0.json)" ] || die "a repeated arm has other numbers"

# Arms of one run share their base.
mv results/3-lambda_0.json first.json
sed -i 's/"base_sha256": "./"base_sha256": "x/' results/3-mean_1.json
expect 1 study
says "another base_sha256: arms of one run share their base and the programs"
mv first.json results/3-lambda_0.json

expect 0 "$python" "$UIR_SOURCE/tools/study/tables.py" --plan plan.json --results results
says "**all_pairs.tar_at_far_0.001_per_person** (primary)"
says "| mean_1 | "
says "of 3 |"
