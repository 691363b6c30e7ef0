#!/usr/bin/env bash
# Configures and builds a preset (default: release), printing how long it took. tools/build.sh [preset [cmake --build arguments…]]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
start=$SECONDS
cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log" >&2; exit 1; }
rm -f "build-$preset.log"
cmake --build --preset "$preset" "${@:2}"
echo "build ($preset): $((SECONDS - start)) s"
