# The interpreter of ONNX networks against the specification's own cases of operators, which the onnx package makes
# (PYTHON: another version's than Debian's). Refused may be only what is documented as not computed.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
python=""
for candidate in "${PYTHON:-python3}" /usr/bin/python3; do
  "$candidate" -c 'import numpy, onnx' 2>/dev/null && python=$candidate && break
done
[ -n "$python" ] || { echo "SKIPPED: needs python3-onnx and python3-numpy (tools/packages.txt)"; exit 77; }
mapfile -t operators < <(onnx_case --operators)
[ "${#operators[@]}" -ge 60 ] || die "only ${#operators[@]} operators are known"
mkdir cases
"$python" "$UIR_SOURCE/tests/oracle/onnx_cases.py" cases "${operators[@]}" >count
onnx_case cases/*.onnx >found || { grep '^FAIL' found >&2; die "operators compute something else"; }
right=$(grep -c '^ok' found)
[ "$right" -ge 290 ] || die "only $right cases were computed"
grep '^refused' found | grep -vE "$(printf '%s|' \
  'dimensions' 'not of two dimensions' 'training mode' 'casts to' 'steps backwards' 'pads otherwise' 'axes of its own' \
  'type [0-9]+' 'of a kind' 'dimension of size 0' 'no output' 'no numbers at all' 'no matrices' 'stacks of matrices differ' | sed 's/|$//')" >other || true
[ ! -s other ] || { cat other >&2; die "refused without a reason that is known"; }
echo "$right of $(cat count) cases computed, $(grep -c '^refused' found) refused"
