#!/usr/bin/env bash
# datasets 5.2.0, `imagefolder`: folders of people become labels, unless one of the names is a word for a part of a data set ("dev",
# "test", "eval" …, also with a suffix). Then such folders become splits, and all other people are left out without a word.
# Seen: anna, bert and dev with two images each: one split, validation, with the 2 images of "dev"; anna and bert are in no split.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datasets==5.2.0 pillow==10.4.0
HF_HOME=$work/home "$work/venv/bin/python" - "$work" <<'EOF'
import os
import sys

import datasets
import numpy as np
from PIL import Image

work = sys.argv[1]
datasets.disable_progress_bars()


def splits(*people):
    root = os.path.join(work, '-'.join(people))
    for person in people:
        os.makedirs(os.path.join(root, person))
        for i in range(2):
            Image.fromarray(np.full((8, 8, 3), 50 * i, np.uint8)).save(os.path.join(root, person, f'{i}.png'))
    loaded = datasets.load_dataset('imagefolder', data_dir=root, cache_dir=root + '.cache')
    return {name: len(rows) for name, rows in loaded.items()}


seen = {'anna bert cleo': splits('anna', 'bert', 'cleo'), 'anna bert dev': splits('anna', 'bert', 'dev')}
print('datasets', datasets.__version__, seen)
assert seen == {'anna bert cleo': {'train': 6}, 'anna bert dev': {'validation': 2}}
EOF
