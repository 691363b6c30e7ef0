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
says "16 classes, 130 labeled images (index)"
expect 0 uir-train exp.yaml --estimate 80GB --estimate-classes 1000000
says "1,000,000 classes, 130 labeled images (index, and as given)"

# Does not fit: said, with advice; the exit code tells that the estimate was made, not what it says.
expect 0 uir-train exp.yaml --estimate 4x3GB --estimate-classes 20000000
says "DOES NOT FIT"
says "ranks of this memory, with a batch of"
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
estimate for 16 ranks of 16.0 GB on 2 machines, CPU (train.device: cpu), activations of 4 bytes; nothing was started

network   mobilefacenet, width 0.25: 146 k parameters, 32.3 M multiply-adds an image
data      1,000,000 classes, 20,000,000 labeled images (as given); 62,500 classes a rank
step      48 labeled + 16 unlabeled rows; a rank has 3 + 1
run       416,666 steps an epoch, 6 epochs: 2,499,996 steps

memory of a rank
  weights and running statistics                   633 kB
  gradients                                        585 kB
  optimizer state                                  585 kB
  activations kept for backward                   33.0 MB
  heap between them (fitted)                      9.91 MB
  class centers                                   32.0 MB
  their gradient                                  32.0 MB
  their optimizer state                           32.0 MB
  work space of the head or of backward           5.59 MB
  batches ahead of the network                     903 kB
  rows of the index                                160 MB
  copy of a checkpoint that is written            65.2 MB
  program and libraries                            190 MB
  total                                            562 MB
  fits: 4 % of 16.0 GB (estimate, ± 15 %: at most 647 MB)

sent by a rank in a step
  gradients of the backbone                       1.10 MB
  embeddings and their gradients                  61.8 kB
  sums over the classes                           4.80 kB
  running statistics of batch norms               89.3 kB
  total                                           1.25 MB

operations of a rank in a step
  backbone, forward and backward                    774 M
  head, labeled rows                               3.07 G
  head, unlabeled rows                             1.28 G
  total                                            5.13 G
  at 10 T operations/s and 10 GB/s sustained: 0.51 ms + 0.13 ms a step; other rates in proportion

for speed
  head.sample_rate=0.1: 2.36 G operations instead of 5.13 G; it saves time, not memory
REPORT
same out.txt expected.txt || { diff expected.txt out.txt >&2; die "the report of quickstart.yaml has changed"; }
