# Rule `nearest` against scikit-learn's roc_curve; skipped (exit 77) where no Python has scikit-learn.
set -euo pipefail
for python in python3 /usr/bin/python3; do
  "$python" -c 'import numpy, sklearn.metrics' 2>/dev/null || continue
  exec "$python" "$UIR_SOURCE/tests/oracle/roc_curve.py" "$UIR_BIN/roc_points"
done
echo "skipped: no Python with scikit-learn (Debian: python3-sklearn)"
exit 77
