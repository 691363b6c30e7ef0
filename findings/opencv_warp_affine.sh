#!/usr/bin/env bash
# cv::warpAffine (bilinear, 8 bits) computes other pixels in OpenCV 5 than in 4: faces aligned with one differ from those aligned
# with the other. Seen with opencv-python-headless 4.12.0.88 and 5.0.0.93. Input: 250x250 noise and the matrix of a similarity.
# Output: off float64 interpolation by 0.874 in the mean and 5.3 at most (4.12: places are rounded to 1/32 pixel), by 0.249 and 0.5 (5.0).
# Exits 0 if 4 and 5 still differ, 1 if not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/warp.py" <<'EOF'
import hashlib, sys
import cv2, numpy as np

image = np.random.RandomState(7).randint(0, 256, (250, 250, 3)).astype(np.uint8)
a, b, tx, ty = 0.61, 0.07, -12.3, -31.9
matrix = np.array([[a, -b, tx], [b, a, ty]])
out = cv2.warpAffine(image, matrix, (112, 112), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
y, x = np.mgrid[:112, :112].astype(float)
px = (a * (x - tx) + b * (y - ty)) / (a * a + b * b)
py = (a * (y - ty) - b * (x - tx)) / (a * a + b * b)
i, j = np.floor(px).astype(int), np.floor(py).astype(int)
f, g = (px - i)[..., None], (py - j)[..., None]
padded = np.zeros((254, 254, 3))
padded[2:252, 2:252] = image
def at(jj, ii): return padded[np.clip(jj + 2, 0, 253), np.clip(ii + 2, 0, 253)]
exact = (1 - g) * ((1 - f) * at(j, i) + f * at(j, i + 1)) + g * ((1 - f) * at(j + 1, i) + f * at(j + 1, i + 1))
print(f'OpenCV {cv2.__version__}: off float64 by {np.abs(out - exact).mean():.3f} in the mean, {np.abs(out - exact).max():.1f} at most', file=sys.stderr)
print(hashlib.sha256(out.tobytes()).hexdigest())
EOF
sums=()
for version in 4.12.0.88 5.0.0.93; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install -q "opencv-python-headless==$version" numpy==2.2.6
  sums+=("$("$folder/$version/bin/python" "$folder/warp.py")")
done
[ "${sums[0]}" != "${sums[1]}" ]
