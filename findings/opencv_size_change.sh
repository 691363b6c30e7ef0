#!/usr/bin/env bash
# OpenCV repeats the last picture of the old size for ever once a stream changes its size, and says that reading went well.
# Seen with opencv-python-headless 4.12.0.88. Input: a Motion JPEG AVI of 5 dark frames of 160x120 and 5 bright ones of 320x240, which
# FFmpeg decodes as such. Output: ten dark frames of 160x120. Exits 0 if it is still so, 1 if it changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencv-python-headless==4.12.0.88 av==14.2.0 numpy==2.2.6
"$folder/venv/bin/python" - "$folder" <<'EOF'
import sys
from fractions import Fraction
import av, cv2, numpy as np

path = sys.argv[1] + '/sizes.avi'
with av.open(path, 'w') as file:
    stream = file.add_stream('mjpeg', rate=25)
    stream.width, stream.height, stream.pix_fmt = 160, 120, 'yuvj420p'
    for number in range(10):
        width, height, value = (160, 120, 40) if number < 5 else (320, 240, 220)
        encoder = av.CodecContext.create('mjpeg', 'w')
        encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, 'yuvj420p', Fraction(1, 25)
        frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), value, np.uint8), format='bgr24').reformat(format='yuvj420p')
        for packet in encoder.encode(frame) + encoder.encode():
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 25)
            file.mux(packet)
with av.open(path) as file:
    decoded = [(frame.width, frame.height) for frame in file.decode(video=0)]
assert decoded == [(160, 120)] * 5 + [(320, 240)] * 5, decoded

capture, seen = cv2.VideoCapture(path, cv2.CAP_FFMPEG), []
while len(seen) < 20:
    ok, frame = capture.read()
    if not ok:
        break
    seen.append((frame.shape[1], frame.shape[0], int(frame.mean()) > 128))
print(f'OpenCV {cv2.__version__}: {len(seen)} frames: ' + ', '.join(f'{w}x{h} {"bright" if b else "dark"}' for w, h, b in seen))
sys.exit(seen != [(160, 120, False)] * 10)
EOF
