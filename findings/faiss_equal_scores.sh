#!/usr/bin/env bash
# faiss-cpu 1.15.0: IndexFlatIP.search keeps the k smallest ids of equal scores, but lists them largest id first. So the best hit of a
# query depends on k wherever scores tie: duplicates in a gallery, quantised embeddings.
# Seen: six equal vectors, k = 1: [0]; k = 2: [1, 0]; k = 3: [2, 1, 0]; k = 6: [5, 4, 3, 2, 1, 0].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q faiss-cpu==1.15.0
"$work/venv/bin/python" - <<'EOF'
import faiss
import numpy as np

gallery = np.zeros((6, 8), np.float32)
gallery[:, 0] = 1
query = gallery[:1]
index = faiss.IndexFlatIP(8)
index.add(gallery)
seen = {k: index.search(query, k)[1][0].tolist() for k in (1, 2, 3, 6)}
print('faiss', faiss.__version__, seen)
assert seen == {1: [0], 2: [1, 0], 3: [2, 1, 0], 6: [5, 4, 3, 2, 1, 0]}
EOF
