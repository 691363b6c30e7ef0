#!/usr/bin/env bash
# Installs a wheel of tools/make_wheel.sh into a fresh virtual environment and uses it: tools/check_wheel.sh WHEEL [FOLDER]
# FOLDER (default build/check_wheel, removed first) takes torch with its CUDA libraries, about 6 GB. ENV=FOLDER: an environment with this torch, used
# as it is. The console commands train and export, the functions are held against brute force (tests/oracle/python_api.py). By hand, not in CI.
set -euo pipefail
[ $# -ge 1 ] && [ $# -le 2 ] || { sed -n 's/^# //p' "$0" >&2; exit 64; }
wheel=$(realpath "$1")
source=$(realpath "$(dirname "$0")/..")
folder=$(realpath -m "${2:-$source/build/check_wheel}")
rm -rf "$folder"
mkdir -p "$folder/work"
env=${ENV:-$folder/env}
[ -x "$env/bin/pip" ] || python3 -m venv "$env"
"$env/bin/pip" install --quiet --force-reinstall --no-deps "$wheel"
"$env/bin/pip" install --quiet "$wheel"

# Nothing but the environment: no programs on PATH, no sources.
cd "$folder/work"
unset PYTHONPATH LD_LIBRARY_PATH
export PATH=$env/bin:/usr/bin:/bin TMPDIR=$folder/work
for program in "$env"/bin/uir-*; do
  "$program" --version | grep -q "^$(basename "$program") " || { echo "check_wheel.sh: $program --version" >&2; exit 1; }
done
code=0
uir-eval nothing.yaml 2>said.txt || code=$?
[ $code = 66 ] && grep -q nothing.yaml said.txt || { cat said.txt >&2; echo "check_wheel.sh: exit code $code of a missing file" >&2; exit 1; }
python - <<'END'
import os

import numpy as np

random = np.random.default_rng(3)
for people, count, root in (12, 8, "faces"), (8, 4, "test"):
    for person in range(people):
        os.makedirs(f"{root}/{person:02d}")
        face = random.integers(0, 200, (14, 14, 3)).repeat(8, axis=0).repeat(8, axis=1)
        for i in range(count):
            pixels = (face + random.integers(0, 56, face.shape)).astype(np.uint8)
            with open(f"{root}/{person:02d}/{i}.ppm", "wb") as file:
                file.write(b"P6 112 112 255\n" + pixels.tobytes())
END
python "$source/tests/support/python_blocks.py" "$source/docs/python.md"
python "$source/tests/oracle/python_api.py" model.onnx
python -c 'import os, uir; assert os.path.isdir(os.path.dirname(uir.__file__) + "/libexec"), uir.__file__'
uir-train exp.yaml --set paths.run=runs/commands --set paths.index=runs/first/index --nproc-per-node 2
echo "$(basename "$wheel"): installed, its commands and functions work"
