"""naive_timeline.py VIDEO GALLERY DETECTOR MODEL [--out FILE.csv]: what a user gets today from twenty lines of OpenCV.

Every fifth frame by cv2.VideoCapture, faces by FaceDetectorYN, one embedding a face, the nearest gallery face if its
cosine reaches a fixed threshold, else "?"; every answer holds until the next look, time is frame number / announced rate.
No tracks, no shots, no calibration. GALLERY holds <name>/*.jpg. Writes video,start,end,person, the form of uir-eval's
protocol timeline, and prints how fast it was. Run by hand, against films of make_film.py: a peer for figures, and for
speed with --every-frame (the detector on every frame at 640x360, one embedding per face).

DETECTOR: a YuNet that this OpenCV can run (2022mar with 4.6, 2023mar from 4.8 on). MODEL: ONNX, 112x112 RGB 0..255 in,
one embedding out, run by cv2.dnn. Needs NumPy and OpenCV; --threads bounds them.
"""
import argparse
import csv
import json
import time
from pathlib import Path

import cv2
import numpy as np

TEMPLATE = np.float32([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
                       [70.7299, 92.2041]])


class Recogniser:
    def __init__(self, detector, model, score):
        self.detector = cv2.FaceDetectorYN.create(str(detector), "", (320, 320), score)
        self.network = cv2.dnn.readNetFromONNX(str(model))
        self.embedded = 0

    def faces(self, picture, longer_side):
        """[(box, landmarks)] in pixels of the picture, found in a copy whose longer side is that long."""
        share = longer_side / max(picture.shape[:2])
        size = tuple(round(side * share) for side in picture.shape[1::-1])
        self.detector.setInputSize(size)
        _, found = self.detector.detect(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        found = np.zeros((0, 15)) if found is None else found / np.r_[np.full(14, share), 1]
        return [(row[:4], row[4:14].reshape(5, 2).astype(np.float32)) for row in found]

    def embedding(self, picture, landmarks):
        move, _ = cv2.estimateAffinePartial2D(landmarks, TEMPLATE, method=cv2.LMEDS)
        face = cv2.warpAffine(picture, move, (112, 112))
        self.network.setInput(cv2.dnn.blobFromImage(face, swapRB=True))
        self.embedded += 1
        vector = self.network.forward().ravel()
        return vector / np.linalg.norm(vector)


def read_gallery(folder, recogniser):
    names, vectors = [], []
    for path in sorted(folder.glob("*/*.jpg")):
        photo = cv2.imread(str(path))
        faces = recogniser.faces(photo, max(photo.shape[:2]))
        if not faces:
            print(f"{path}: no face")
            continue
        _, landmarks = max(faces, key=lambda face: face[0][2] * face[0][3])
        names.append(path.parent.name)
        vectors.append(recogniser.embedding(photo, landmarks))
    return names, np.array(vectors)


def names_in(picture, recogniser, gallery, threshold):
    names, vectors = gallery
    answer = []
    for _, landmarks in recogniser.faces(picture, 640):
        likeness = vectors @ recogniser.embedding(picture, landmarks)
        answer.append(names[likeness.argmax()] if likeness.max() >= threshold else "?")
    return answer


def look(video, recogniser, gallery, threshold, step):
    """[(start, end, name)] and how many frames were decoded and looked at."""
    capture = cv2.VideoCapture(str(video))
    rate, rows, frame, looked = capture.get(cv2.CAP_PROP_FPS), [], 0, 0
    while capture.grab():
        if frame % step == 0:
            looked += 1
            for name in names_in(capture.retrieve()[1], recogniser, gallery, threshold):
                rows.append((frame / rate, (frame + step) / rate, name))
        frame += 1
    return [(start, min(end, frame / rate), name) for start, end, name in rows], frame, looked


def joined(rows):
    """Answers of one name that adjoin, as one line; several "?" at a time stay several."""
    done, open_rows = [], {}
    for start, end, name in sorted(rows):
        ending = [row for row in open_rows.get(name, []) if abs(row[1] - start) < 1e-6]
        if ending:
            ending[0][1] = end
        else:
            done.append([start, end, name])
            open_rows.setdefault(name, []).append(done[-1])
    return sorted(done)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("video", "gallery", "detector", "model"):
        p.add_argument(name, type=Path)
    p.add_argument("--out", type=Path)
    p.add_argument("--threshold", type=float, default=0.4, help="cosine from which on a name is given")
    p.add_argument("--score", type=float, default=0.7, help="of the detector; OpenCV's own 0.9 misses one face in seven")
    p.add_argument("--step", type=int, default=5)
    p.add_argument("--every-frame", action="store_true")
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    cv2.setNumThreads(a.threads)
    recogniser = Recogniser(a.detector, a.model, a.score)
    gallery = read_gallery(a.gallery, recogniser)
    recogniser.embedded, begin, begin_cpu = 0, time.perf_counter(), time.process_time()
    rows, frames, looked = look(a.video, recogniser, gallery, a.threshold, 1 if a.every_frame else a.step)
    seconds = time.perf_counter() - begin
    if a.out:
        with open(a.out, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["video", "start", "end", "person"])
            writer.writerows((a.video.name, f"{start:.6f}", f"{end:.6f}", name) for start, end, name in joined(rows))
    print(json.dumps({"frames": frames, "looked_at": looked, "faces": recogniser.embedded, "seconds": round(seconds, 2),
                      "cpu_seconds": round(time.process_time() - begin_cpu, 2),
                      "frames_per_second": round(frames / seconds, 1), "images_per_second": round(looked / seconds, 1)}))


if __name__ == "__main__":
    main()
