#!/usr/bin/env bash
# Builds and tests against the LibTorch of PyPI's torch: tools/check_libtorch.sh VERSION [FOLDER [ctest arguments…]]
# FOLDER (default: build/libtorch-VERSION) gets a virtual environment and the build, and is used again when it is there: about 6 GB
# and 40 minutes on 2 cores for a new one. By hand, not in CI. What was tested when: docs/building.md.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n 's/^# //p' "$0" >&2; exit 64; }
version=$1
folder=${2:-build/libtorch-$version}
tools/setup.sh
start=$SECONDS
mkdir -p "$folder"
[ -x "$folder/venv/bin/pip" ] || python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "torch==$version" numpy
torch=$("$folder/venv/bin/python" -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent)')
installed=$SECONDS
CMAKE_PREFIX_PATH=$torch cmake --preset release -B "$folder/build" >"$folder/configure.log" 2>&1 ||
  { cat "$folder/configure.log" >&2; exit 1; }
grep -A4 '^CMake Warning' "$folder/configure.log" && { echo "check_libtorch: CMake warns" >&2; exit 1; }
cmake --build "$folder/build" 2>&1 | tee "$folder/build.log"
built=$SECONDS
ctest --test-dir "$folder/build" --output-on-failure -j2 "${@:3}"
echo "torch $version: installed in $((installed - start)) s, built in $((built - installed)) s," \
  "tested in $((SECONDS - built)) s; $(grep -c 'warning:' "$folder/build.log" || true) warnings"
