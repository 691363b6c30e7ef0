#!/usr/bin/env bash
# bob.measure 6.1.1: far_threshold(impostors, genuine, far) returns a threshold with FAR <= far, but it stands on an impostor's
# score. Genuine scores between that impostor and the next lower one are rejected although accepting them costs no false accept: the
# TAR read there is not the largest at that FAR.
# Seen: 5 genuine, 10 impostor scores, FAR 0.1: threshold 0.65 (an impostor), FAR 0.1, TAR 0.6; the threshold 0.6 has FAR 0.1, TAR 0.8.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q bob.measure==6.1.1
"$work/venv/bin/python" - <<'EOF'
import importlib.metadata

import bob.measure
import numpy as np

genuine = np.array([.9, .8, .7, .6, .5])
impostors = np.array([.65, .55, .4, .3, .2, .1, .05, .02, .01, 0.])


def rates(threshold):
    return (impostors >= threshold).mean(), (genuine >= threshold).mean()


threshold = bob.measure.far_threshold(impostors, genuine, 0.1)
far, fnmr = bob.measure.farfrr(impostors, genuine, threshold)
best = max(rates(t)[1] for t in np.r_[genuine, impostors] if rates(t)[0] <= 0.1)
print('bob.measure', importlib.metadata.version('bob.measure'), 'threshold', threshold, 'FAR', far, 'TAR', 1 - fnmr, 'largest TAR', best)
assert threshold == 0.65 and far == 0.1 and abs(1 - fnmr - 0.6) < 1e-12 and best == 0.8
EOF
