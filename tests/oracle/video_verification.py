"""LFR video track: TPR@FPR over all pairs of videos."""
import numpy as np

from common import emit, lines, parser, rate, scores, tar_at_most
from video import add_options, vectors

p = parser(__doc__, ["--fpr"])
p.add_argument("--labels", required=True, help="lines: video, identity")
add_options(p)
a = p.parse_args()
videos, v = vectors(a.set, a)
identity = dict(line.split() for line in lines(a.labels))
labels = np.array([int(identity[video]) for video in videos])
i, j = np.triu_indices(len(v), 1)
s, same = scores(v, v)[i, j], labels[i] == labels[j]
numbers = {rate("tpr_at_fpr", fpr): tar_at_most(s[same], s[~same], fpr) for fpr in a.fpr}
counts = {"videos": len(v), "identities": len(set(labels)), "genuine_pairs": same.sum(),
          "impostor_pairs": (~same).sum()}
if any("/" in item for item in a.set.items):
    counts["frames"] = len(a.set.items)
emit({a.name: {"counts": counts, "numbers": numbers}})
