# The module uir (tools/wheel/src) over the programs of this build: docs/python.md's blocks, those that need only NumPy, and its numbers
# against brute force.
. "$UIR_SOURCE/tests/cli/lib.sh"
python=""
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import numpy' 2>/dev/null && python=$candidate && break
done
[ -n "$python" ] || { echo "SKIPPED: needs python3-numpy (tools/packages.txt)"; exit 77; }
export PYTHONPATH="$UIR_SOURCE/tools/wheel/src" PYTHONDONTWRITEBYTECODE=1 TMPDIR="$scratch"

make_faces faces 12 8 && make_faces test 8 4 800
expect 0 "$python" "$UIR_SOURCE/tests/support/python_blocks.py" "$UIR_SOURCE/docs/python.md"
says "blocks ran"
expect 0 "$python" "$UIR_SOURCE/tests/oracle/python_api.py" model.onnx
[ -z "$(find . -maxdepth 1 -name 'uir-*')" ] || die "temporary folders are left"
