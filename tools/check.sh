#!/usr/bin/env bash
# Builds everything and runs all tests: units, command-line cases, smoke experiments, documentation; then the units of the
# modules without LibTorch, and the fuzzers' corpus, under ASan and UBSan. Arguments go to ctest (-L smoke, -R eval …), which then runs alone.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh --tests
tools/build.sh release
ctest --preset release -j2 "$@"
[ $# = 0 ] || exit 0

tools/build.sh dev --target torch_free_tests fuzz_replay
ctest --preset dev -L torch_free -j2
