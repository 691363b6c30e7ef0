# oracle.sh CASE…: uir-eval and an independent float64 implementation (tests/oracle) on planted features full of exact
# ties and duplicates, as .npy and as challenge .bin, agree on every number.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
. "$UIR_SOURCE/tests/cli/benchmark_cases.sh"
find_oracle_python
make_trees - .
compare_planted "$@"
