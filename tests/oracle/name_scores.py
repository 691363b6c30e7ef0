"""name_scores.py NETWORK.onnx FACES LISTS : which score is worth a name, on photos, without our programs (numpy, OpenCV).

FACES: LFW as 112x112 crops of the 112x96 template (FACES/NAME/NAME_0001.jpg), which are shifted to where uir-identify aligns faces.
LISTS: the folder of peopleDevTest.txt: these people, of whom the films are made, are left out.

A gallery holds one photo each of so many people; strangers are people with one photo. Prints
1. the score that 1 in 1,000 strangers reaches with somebody of the gallery, by its size, and 1 in 300: a false name in three
   hours, and in one;
2. the share of other photos of 30 people that score less with the right one, or more with another, per gallery: what no detector
   and no tracks can bring back; with the mirror image's embedding added as well, and with normalised scores (by what a person has
   with everybody else in a film: z-norm; by what a face has with other people of the gallery: t-norm);
3. strangers and known people whose faces were made smaller (a crop of 112 pixels holds a face of some 80), at scores of the full size."""
import sys
from pathlib import Path

import cv2
import numpy as np

network, faces, lists = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
RATE, PEOPLE, GALLERIES, PHOTOS = 1 / 300, 30, 300, 6
SIZES = {"32 px": 45, "21 px": 30, "16 px": 22}
random = np.random.default_rng(1)


def embed(net, files, change):
    rows = []
    for begin in range(0, len(files), 32):
        images = []
        for file in files[begin : begin + 32]:
            image = cv2.imread(str(file))
            image = np.hstack([np.repeat(image[:, :1], 8, 1), image[:, :-8]])
            images.append(change(image))
        net.setInput(cv2.dnn.blobFromImages(images, 1.0, (112, 112), (0, 0, 0), True))  # RGB, 0 to 255
        rows.append(net.forward().astype(np.float64))
    return np.concatenate(rows)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def smaller(side):
    def change(image):
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (112, 112), interpolation=cv2.INTER_LINEAR)

    return change


def galleries():
    """Of each: the photos of the gallery, other photos of its people, who they are, strangers."""
    for _ in range(GALLERIES):
        people = random.choice(len(several), PEOPLE, replace=False)
        shown, probes, right = [], [], []
        for number, person in enumerate(people):
            photos = random.permutation(several[person])[:PHOTOS]
            shown.append(photos[0])
            probes += list(photos[1:])
            right += [number] * (len(photos) - 1)
        yield shown, probes, np.array(right), random.choice(alone, 300, replace=False)


def as_found(found, film):
    return found


def less_persons_median(found, film):
    return found - np.median(film, 0)


def z_norm(found, film):
    return less_persons_median(found, film) / (np.median(film, 0) - np.percentile(film, 16, axis=0))


def less_faces_mean(found, film):
    return found - np.sort(found, 1)[:, :-2].mean(1, keepdims=True)


def t_norm(found, film):
    return less_faces_mean(found, film) / np.sort(found, 1)[:, :-2].std(1, keepdims=True)


def scores(gallery, vectors, probes, right, strangers, norm=as_found):
    known, others = vectors[probes] @ gallery.T, vectors[strangers] @ gallery.T
    film = np.concatenate([known, others])
    found, best = norm(known, film), norm(others, film).max(1)
    return np.where(found.argmax(1) == right, found[np.arange(len(found)), right], -9), best


def at(values, rate):
    return np.sort(values)[::-1][int(rate * len(values))]


left_out = {line.split("\t")[0] for line in (lists / "peopleDevTest.txt").read_text().splitlines()[1:]}
files = [file for file in sorted(faces.glob("*/*.jpg")) if file.parent.name not in left_out]
by_person = {}
for row, file in enumerate(files):
    by_person.setdefault(file.parent.name, []).append(row)
several = [rows for rows in by_person.values() if len(rows) >= 3]
alone = np.array([rows[0] for rows in by_person.values() if len(rows) == 1])
first = np.array([rows[0] for rows in by_person.values()])

net = cv2.dnn.readNetFromONNX(network)
plain = embed(net, files, lambda image: image)
vectors, both = unit(plain), unit(plain + embed(net, files, lambda image: cv2.flip(image, 1)))
print(f"{len(files)} photos, {len(by_person)} people, {len(alone)} with one photo")

print("people in the gallery, score that 1 in 1,000 strangers reaches (and 1 in 300, 1 in 30)")
for size in (10, 30, 100, 300, 1000):
    best = []
    for _ in range(max(20, min(2000, 60000 // size))):
        drawn = random.permutation(first)
        best.append((vectors[drawn[size : size + 600]] @ vectors[drawn[:size]].T).max(1))
    best = np.concatenate(best)
    print(f"{size:6}  {at(best, 0.001):.3f}  ({at(best, RATE):.3f}, {at(best, 10 * RATE):.3f})")

drawn = list(galleries())
for name, rows, norm in (
    ("photos", vectors, as_found),
    ("with their mirror images", both, as_found),
    ("less a person's median", both, less_persons_median),
    ("z-norm", both, z_norm),
    ("less a face's mean", both, less_faces_mean),
    ("t-norm", both, t_norm),
):
    results = [scores(rows[gallery], rows, *rest, norm) for gallery, *rest in drawn]
    least = at(np.concatenate([strangers for _, strangers in results]), RATE)
    missed = np.array([
        1 - np.mean([(hits[right == person] >= least).mean() for person in range(PEOPLE)])
        for (hits, _), (_, _, right, _) in zip(results, drawn)
    ])
    print(f"{PEOPLE} people, {name}: score {least:.3f}; not named: mean {missed.mean():.4f} of a gallery's people, "
          f"above .03 in {(missed > .03).mean():.2f} of the galleries")

least = (0.385, 0.404, 0.421)
print("score at least", *least)
for name, side in {"full size": 112, **SIZES}.items():
    rows = vectors if side == 112 else unit(embed(net, files, smaller(side)))
    results = [scores(vectors[gallery], rows, *rest) for gallery, *rest in drawn]
    hits, strangers = (np.concatenate(part) for part in zip(*results))
    print(f"  {name}: strangers per 1,000", *(f"{1000 * (strangers >= x).mean():.2f}" for x in least),
          "known", *(f"{(hits >= x).mean():.3f}" for x in least))
