#!/usr/bin/env bash
# Builds everything and runs all tests: units, command-line cases, smoke experiments, documentation.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
tools/build.sh release
ctest --preset release "$@"
