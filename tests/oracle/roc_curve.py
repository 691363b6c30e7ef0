"""Compares the points that uir's rule `nearest` keeps with sklearn.metrics.roc_curve, on data full of ties.

roc_curve.py PROGRAM (roc_points)
"""
import subprocess
import sys

import numpy as np
from sklearn.metrics import roc_curve

FARS = [1e-6, 1e-4, 1e-3, 0.01, 0.02, 0.0625, 0.1, 0.125, 0.25, 0.5, 0.75, 0.9999, 1.0]


def uir_points(program, truth, score):
    text = "".join(f"{t} {float(s)!r}\n" for t, s in zip(truth, score))
    out = subprocess.run([program, *map(repr, FARS)], input=text, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in out.splitlines()]
    points = np.array([line for line in lines if line[0] != "nearest"], float)
    return points, np.array([line[1:] for line in lines if line[0] == "nearest"], float)


def compare(program, truth, score, name):
    fpr, tpr, thresholds = roc_curve(truth, score)
    points, nearest = uir_points(program, truth, score)
    assert len(points) == len(fpr), f"{name}: {len(points)} points, scikit-learn keeps {len(fpr)}"
    assert (points[:, 0] == fpr).all() and (points[:, 1] == tpr).all(), f"{name}: points differ"
    assert (points[1:, 2] == thresholds[1:]).all(), f"{name}: thresholds differ"  # the first one is above all scores
    # The public scripts' reading: the curve turned round, the first of the nearest entries.
    back_fpr, back_tpr = np.flipud(fpr), np.flipud(tpr)
    for far, found in zip(FARS, nearest):
        k = min(zip(abs(back_fpr - far), range(len(fpr))))[1]
        assert tuple(found) == (back_fpr[k], back_tpr[k]), f"{name}: nearest to {far}"
    return len(np.unique(score)) + 1 - len(fpr)


dropped = 0
for seed in range(60):
    random = np.random.default_rng(seed)
    genuine, impostor = random.integers(1, 200), random.integers(1, 3000)
    levels = [2, 5, 20, 200, 10**9][seed % 5]
    score = np.round(np.r_[random.normal(1, 1, genuine), random.normal(0, 1, impostor)] * levels) / levels
    truth = np.r_[np.ones(genuine, int), np.zeros(impostor, int)]
    dropped += compare(sys.argv[1], truth, score, f"seed {seed}")
# Runs of equal steps that hold genuine scores too, which are dropped as well.
score = np.repeat(np.arange(50.0), 2)
dropped += compare(sys.argv[1], np.tile([1, 0], 50), score, "equal steps")
assert dropped > 1000, f"only {dropped} points were dropped: the data do not test the rule"
print(f"61 curves agree; {dropped} points dropped")
