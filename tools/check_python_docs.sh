#!/usr/bin/env bash
# Runs every block of docs/python.md with the packages that it names: tools/check_python_docs.sh [FOLDER]
# FOLDER (default build/python_docs) gets two virtual environments with pinned packages of PyPI, since MXNet takes no NumPy that others still do;
# about 1 GB. BIN: the programs and make_faces (default build/release/bin). By hand, not in CI, where tests/cli/python.sh runs what needs only NumPy.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -le 1 ] || { sed -n 's/^# //p' "$0" >&2; exit 64; }
folder=$(realpath -m "${1:-build/python_docs}")
bin=$(realpath "${BIN:-build/release/bin}")
page=$PWD/docs/python.md
export PATH=$bin:$PATH PYTHONPATH=$PWD/tools/wheel/src PYTHONDONTWRITEBYTECODE=1
mkdir -p "$folder"

# check NAME "REQUIREMENTS" "MODULES": an environment; all blocks that need nothing but these modules.
check() {
  [ -x "$folder/$1/bin/pip" ] || python3 -m venv "$folder/$1"
  "$folder/$1/bin/pip" install --quiet $2
  rm -rf "$folder/work"
  mkdir "$folder/work"
  (cd "$folder/work"
   make_faces faces 12 8 >/dev/null
   make_faces test 8 4 800 >/dev/null
   HF_HOME=$PWD/home HF_DATASETS_CACHE=$PWD/cache TMPDIR=$PWD "$folder/$1/bin/python" "$OLDPWD/tests/support/python_blocks.py" "$page" $3)
}
check common "numpy==2.4.6 pandas==3.1.1 pillow==13.0.0 onnxruntime==1.32.0 openvino==2026.4.1 datasets==5.2.0" "pandas PIL onnxruntime openvino datasets" |
  tee "$folder/common.txt"
check mxnet "numpy==1.23.5 mxnet==1.9.1 requests" "mxnet" | tee "$folder/mxnet.txt"
left_out=$(grep -c '^```python.* mxnet' "$page")
grep -q " $left_out of other packages did not" "$folder/common.txt" || { echo "check_python_docs.sh: blocks of packages that are not installed here" >&2; exit 1; }
echo "every block of docs/python.md ran"
