#!/usr/bin/env bash
# OpenCV turns a video whose display matrix mirrors it (-1, 0, 0, 1: left and right change places, as front cameras
# write) by 180 degrees instead: it looks at the matrix's angle alone (cap_ffmpeg_impl.hpp, get_rotation_angle).
# Seen with opencv-python-headless 4.12.0.88. Input: an MP4 of one MPEG-4 picture, white in its left upper quarter; ISO/IEC 14496-12
# says that the matrix of the track header maps stored to shown. Output: white in the right lower quarter, not in the right upper one.
# Exits 0 if it is still so, 1 if it changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencv-python-headless==4.12.0.88 av==14.2.0 numpy==2.2.6
"$folder/venv/bin/python" - "$folder" <<'EOF'
import struct, sys
import av, cv2, numpy as np

path = sys.argv[1] + '/mirrored.mp4'
picture = np.zeros((240, 320, 3), np.uint8)
picture[:120, :160] = 255
with av.open(path, 'w') as file:
    stream = file.add_stream('mpeg4', rate=25)
    stream.width, stream.height, stream.pix_fmt = 320, 240, 'yuv420p'
    for _ in range(3):
        for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format='bgr24')):
            file.mux(packet)
    for packet in stream.encode():
        file.mux(packet)
content = bytearray(open(path, 'rb').read())
at = content.index(b'tkhd') + 4 + 40  # version 0: the matrix
assert content[at - 40] == 0
content[at:at + 36] = struct.pack('>9i', -1 << 16, 0, 0, 0, 1 << 16, 0, 320 << 16, 0, 1 << 30)
open(path, 'wb').write(content)

ok, frame = cv2.VideoCapture(path, cv2.CAP_FFMPEG).read()
assert ok and frame.shape == picture.shape, frame
quarters = {'left upper': frame[:120, :160], 'right upper': frame[:120, 160:], 'left lower': frame[120:, :160], 'right lower': frame[120:, 160:]}
white = max(quarters, key=lambda name: quarters[name].mean())
print(f'OpenCV {cv2.__version__}: white is in the {white} quarter; shown by the matrix it is in the right upper one')
sys.exit(white != 'right lower')
EOF
