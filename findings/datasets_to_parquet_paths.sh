#!/usr/bin/env bash
# datasets 5.2.0: Dataset.to_parquet() of an `imagefolder` writes where the images lie on this machine, not the images. Copied elsewhere,
# the file holds labels and dead paths.
# Seen: column image = {bytes: None, path: <absolute path>} in every row.
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
import pyarrow.parquet
from PIL import Image

root = os.path.join(sys.argv[1], 'faces')
datasets.disable_progress_bars()
for person in ('anna', 'bert'):
    os.makedirs(os.path.join(root, person))
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(os.path.join(root, person, '0.png'))
rows = datasets.load_dataset('imagefolder', data_dir=root, split='train', cache_dir=root + '.cache')
rows.to_parquet(root + '.parquet')
images = [row['image'] for row in pyarrow.parquet.read_table(root + '.parquet').to_pylist()]
print('datasets', datasets.__version__, [(image['bytes'], os.path.relpath(image['path'], root)) for image in images])
assert all(image['bytes'] is None and os.path.isabs(image['path']) for image in images)
EOF
