#!/usr/bin/env bash
# confidence_intervals 0.0.3 (with scikit-learn 1.7.2): a bootstrap set over conditions (people, speakers) draws the same positions in every
# condition of one size, since all of them are resampled with one seed. Where samples have a meaning by their place within a condition
# (each person's first image is the frontal one, the last one the profile), the draws of all conditions move together: the interval is
# as wide as if there were one condition. Draws that are independent across conditions give the interval that is due.
#
# Made here: 100 people of four samples, of which the first is always wrong, the others always right. Each person's error is 1/4, so people do
# not differ, and what is left is the draw of samples: a standard deviation of sqrt(1/4 · 3/4 / 400) = .022 at least.
#
# Seen: positions drawn by the first two people alike in every set; the interval of the error [0.000, 0.750]; with independent draws
# [0.210, 0.295].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet confidence_intervals==0.0.3 numpy==2.2.6 scikit-learn==1.7.2
"$folder/venv/bin/python" - <<'END'
import numpy as np
from confidence_intervals import evaluate_with_conf_int, get_bootstrap_indices

people, samples = 100, 4
conditions = np.repeat(np.arange(people), samples)
errors = np.tile([1.0, 0, 0, 0], people)

alike = 0
for seed in range(50):
    drawn = get_bootstrap_indices(people * samples, conditions, random_state=seed)
    positions = {}
    for person in np.unique(conditions[drawn]):
        own = drawn[conditions[drawn] == person]
        times = len(own) // samples
        positions[int(person)] = tuple(own[::times] % samples)
    alike += len(set(positions.values())) == 1
print(f"sets in which all people have the same positions: {alike} of 50")

center, (low, high) = evaluate_with_conf_int(errors, np.mean, conditions=conditions)
print(f"error {center:.3f}, interval [{low:.3f}, {high:.3f}]")

random = np.random.default_rng(1)
means = []
for _ in range(1000):
    chosen = random.integers(0, people, people)
    means.append(errors.reshape(people, samples)[chosen[:, None], random.integers(0, samples, (people, samples))].mean())
independent = np.percentile(means, [2.5, 97.5])
print(f"independent draws: [{independent[0]:.3f}, {independent[1]:.3f}]")

assert alike == 50, "positions differ now"
assert center == 0.25 and low <= 0.01 and high >= 0.74, "the interval is another one now"
assert independent[0] > 0.19 and independent[1] < 0.31
END
