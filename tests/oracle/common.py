"""What the oracles share: sets of features, canonical vectors, scores, ROC figures, output.

Written from docs/protocols.md and docs/formats.md alone, in float64 and by brute force. An oracle prints
{result: {"counts": {…}, "numbers": {…}}} for tests/oracle/compare.py.
"""
import argparse
import json

import numpy as np


def read_features(path):
    """float32 [N, D] of a .npy file, or of the challenges' .bin: int32 rows, cols, cols * 4, 5, then the matrix."""
    with open(path, "rb") as file:
        if file.read(6) == b"\x93NUMPY":
            return np.load(path)
        file.seek(0)
        rows, cols, stride, kind = np.fromfile(file, "<i4", 4)
        assert stride == cols * 4 and kind == 5, path
        return np.fromfile(file, "<f4").reshape(rows, cols)


def lines(path):
    with open(path) as file:
        return [line.rstrip("\r\n") for line in file if line.strip()]


class Set:
    """--set features=F.npy[,mirrored=F][,items=LIST][,labels=LIST], or --set store=FOLDER (a folder of uir-extract)."""

    def __init__(self, text):
        part = dict(pair.split("=", 1) for pair in text.split(","))
        if "store" in part:
            folder = part["store"]
            part = {"features": f"{folder}/embeddings.npy", "mirrored": f"{folder}/embeddings_mirrored.npy", **part}
            rows = [line.split("\t") for line in lines(f"{folder}/items.tsv")]
            self.items, self.labels = [row[0] for row in rows], np.array([int(row[1]) for row in rows])
        self.features = read_features(part["features"]).astype(float)
        self.mirrored = read_features(part["mirrored"]).astype(float) if "mirrored" in part else None
        if "items" in part:
            self.items = [line.split()[0] for line in lines(part["items"])]
        elif "store" not in part:
            self.items = [str(i) for i in range(len(self.features))]
        if "labels" in part:
            self.labels = np.array([int(line) for line in lines(part["labels"])])
        elif "store" not in part:
            self.labels = np.full(len(self.features), -1)
        assert len(self.items) == len(self.labels) == len(self.features), text

    def image_features(self, flip=True):
        return self.features + self.mirrored if flip and self.mirrored is not None else self.features

    def vectors(self, flip=True):
        return canonical(self.image_features(flip))

    def rows(self):
        return {item: row for row, item in enumerate(self.items)}


def unit(x):
    return x / np.sqrt(np.cumsum(x * x, axis=-1)[..., -1:])


def canonical(x):
    """Normalised in float64, rounded once to float32; as float64, in which products of two of them are exact."""
    return unit(x).astype(np.float32).astype(float)


def scores(a, b):
    """[len(a), len(b)] dot products, each summed in index order."""
    s = np.zeros((len(a), len(b)))
    for k in range(a.shape[1]):
        s += np.outer(a[:, k], b[:, k])
    return s


def tar_at_most(genuine, impostor, far):
    """The largest share of genuine scores >= t over all t at which the share of impostor scores >= t is <= far."""
    best = 0.0
    for t in np.unique(genuine):
        if (impostor >= t).sum() / len(impostor) <= far:
            best = max(best, (genuine >= t).sum() / len(genuine))
    return best


def tar_per_person(genuine, impostor, far, person):
    """Mean over people of each one's share of genuine pairs that are accepted where tar_at_most is; person[i] has pair i."""
    allowed = [t for t in np.unique(genuine) if (impostor >= t).sum() / len(impostor) <= far]
    accepted = genuine >= min(allowed, default=np.inf)
    return np.mean([accepted[person == one].mean() for one in np.unique(person)])


def joined(rows, size):
    """Numbers of the people of `size` rows, of whom each pair in rows [n, 2] joins two."""
    person = np.arange(size)
    for a, b in rows:
        person[person == person[b]] = person[a]
    return person


def tar_nearest(genuine, impostor, fars):
    """scikit-learn's curve, read as the public scripts do: the nearest FPR, ties to the larger FPR, then TPR."""
    from sklearn.metrics import roc_curve
    truth = np.r_[np.ones(len(genuine)), np.zeros(len(impostor))]
    fpr, tpr, _ = roc_curve(truth, np.r_[genuine, impostor])
    fpr, tpr = np.flipud(fpr), np.flipud(tpr)
    return [tpr[np.argmin(np.abs(fpr - far))] for far in fars]


def auc(genuine, impostor):
    s = np.sort(impostor)
    below, not_above = np.searchsorted(s, genuine, "left"), np.searchsorted(s, genuine, "right")
    return (below.sum() + not_above.sum()) / 2 / (len(genuine) * len(impostor))


def eer(genuine, impostor):
    """Where the polygon through (FAR, TAR) of every distinct score, (0, 0) in front, meets FAR = 1 - TAR."""
    far, tar = 0.0, 0.0
    for t in np.unique(np.r_[genuine, impostor])[::-1]:
        next_far, next_tar = (impostor >= t).mean(), (genuine >= t).mean()
        if next_far + next_tar >= 1:
            share = (1 - far - tar) / (next_far + next_tar - far - tar)
            return far + share * (next_far - far)
        far, tar = next_far, next_tar


def rate(name, value):
    return f"{name}_{value:g}"


def parser(doc, rates=()):
    p = argparse.ArgumentParser(description=doc)
    p.add_argument("--name", required=True, help="name of the protocol in the report")
    p.add_argument("--set", type=Set, required=True)
    for option in rates:
        p.add_argument(option, type=lambda text: [float(x) for x in text.split(",") if x], default=[])
    return p


def emit(results):
    """NumPy's numbers as Python's, undefined ones (not a number) as null."""
    plain = lambda x: x.item() if isinstance(x, np.generic) else x
    values = lambda d: {key: None if plain(x) != plain(x) else plain(x) for key, x in d.items()}
    print(json.dumps({name: {kind: values(d) for kind, d in r.items()} for name, r in results.items()}, indent=1))
