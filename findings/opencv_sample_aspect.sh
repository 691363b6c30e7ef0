#!/usr/bin/env bash
# OpenCV hands out frames without their sample aspect: a video whose pixels are not square arrives squeezed.
# Seen with opencv-python-headless 4.12.0.88. Input: an MP4 of 360x360 pixels with a sample aspect of 64:45, which players show at 512x360.
# Output: 360x360, though CAP_PROP_SAR_NUM and _DEN say 64 and 45. Exits 0 if it is still so, 1 if it changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencv-python-headless==4.12.0.88 av==14.2.0 numpy==2.2.6
"$folder/venv/bin/python" - "$folder" <<'EOF'
import sys
from fractions import Fraction
import av, cv2, numpy as np

path = sys.argv[1] + '/anamorphic.mp4'
with av.open(path, 'w') as file:
    stream = file.add_stream('mpeg4', rate=25)
    stream.width, stream.height, stream.pix_fmt = 360, 360, 'yuv420p'
    stream.codec_context.sample_aspect_ratio = Fraction(64, 45)
    for _ in range(3):
        for packet in stream.encode(av.VideoFrame.from_ndarray(np.full((360, 360, 3), 90, np.uint8), format='bgr24')):
            file.mux(packet)
    for packet in stream.encode():
        file.mux(packet)

capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
ok, frame = capture.read()
aspect = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
assert ok and aspect == (64, 45), aspect
print(f'OpenCV {cv2.__version__}: a frame of {frame.shape[1]}x{frame.shape[0]}; with square pixels it is 512x360')
sys.exit(frame.shape[:2] != (360, 360))
EOF
