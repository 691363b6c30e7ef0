# uir-train --estimate: what it prints for configs/quickstart.yaml, with and without an index; wrong descriptions.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml

# No index, no numbers: what to do about it. With numbers it needs no image, no index, no device, and leaves nothing.
expect 66 uir-train exp.yaml --estimate 2x16GB
says "run/index: no index yet; run uir-index first, or give the numbers: --estimate-classes N --estimate-images N"
expect 66 uir-train exp.yaml --estimate 2x16GB --estimate-classes 10
expect 0 uir-train exp.yaml --estimate 2x16GB --estimate-classes 16 --estimate-images 128
says "16 classes, 128 labeled images (as given)"
[ ! -e run ] || die "an estimate wrote something"

# With an index: its numbers, those of training (a fifth of the images is held out), or the given ones.
expect 0 uir-index exp.yaml
expect 0 uir-train exp.yaml --estimate 80GB
says "estimate for 1 rank of 80.0 GB"
says "16 classes, 128 labeled images (index)"
expect 0 uir-train exp.yaml --estimate 80GB --estimate-classes 1000000
says "1,000,000 classes, 128 labeled images (index, and as given)"

# Does not fit: said, with advice; the exit code tells that the estimate was made, not what it says.
expect 0 uir-train exp.yaml --estimate 4x2GB --estimate-classes 20000000
says "DOES NOT FIT"
says "ranks of this memory"
expect 0 uir-train exp.yaml --estimate 5x2GB
says "train.batch.labeled: 12 rows cannot be shared evenly by 5 ranks"

# Wrong descriptions and combinations.
for wrong in 8 x80GB 8x80 8x80gb 0x80GB 1x2x3x4GB; do
  expect 64 uir-train exp.yaml --estimate "$wrong"
  says "--estimate: '$wrong'"
  says "2x8x80GB (machines x ranks x memory)"
done
expect 64 uir-train exp.yaml --estimate 2x16GB --nproc-per-node 2
expect 64 uir-train exp.yaml --estimate 2x16GB --resume
expect 64 uir-train exp.yaml --estimate-classes 5
expect 64 uir-train exp.yaml --estimate 2x16GB --estimate-classes 0

# The whole report.
expect 0 uir-train "$UIR_SOURCE/configs/quickstart.yaml" --estimate 2x8x16GB --set train.device=cpu \
  --set paths.run=absent --estimate-classes 1000000 --estimate-images 20000000
cat >expected.txt <<'REPORT'
REPORT
same out.txt expected.txt || { diff expected.txt out.txt >&2; die "the report of quickstart.yaml has changed"; }
