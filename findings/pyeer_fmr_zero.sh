#!/usr/bin/env bash
# pyeer 0.5.6: get_eer_stats() knows no threshold above the highest score. Where an impostor scores higher than every genuine pair, no
# match is possible without a false match, so FNMR at FMR = 0 is 1. It reports 0: the best value there is.
# Seen: 100 genuine scores in [0.5, 0.9], 99 impostors in [0, 0.4] and one at 0.95: fmr0 (FNMR at FMR = 0) 0.0, fmr100 0.0 at
# threshold 0.5.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pyeer==0.5.6
"$work/venv/bin/python" - <<'EOF'
import importlib.metadata

import numpy as np
from pyeer.eer_info import get_eer_stats

genuine = np.linspace(.5, .9, 100)
impostors = np.r_[np.linspace(0, .4, 99), .95]
stats = get_eer_stats(list(genuine), list(impostors))
without_false_match = genuine[genuine > impostors.max()]
print('pyeer', importlib.metadata.version('pyeer'), 'fmr0', stats.fmr0, 'at', stats.fmr0_th,
      '; genuine pairs above every impostor:', len(without_false_match), 'of', len(genuine))
assert len(without_false_match) == 0 and stats.fmr0 == 0
EOF
