"""LFR video track: TPR@FPR over all pairs of videos."""
import numpy as np

from common import emit, lines, parser, rate, scores, tar_at_most
from video import templates

p = parser(__doc__, ["--fpr"])
p.add_argument("--list", required=True, help="filelist.txt: video, number of frames")
p.add_argument("--labels", required=True, help="one identity per line of the list")
a = p.parse_args()
listed = [line.split() for line in lines(a.list)]
labels = np.array([int(line) for line in lines(a.labels)])
assert len(labels) == len(listed)
v = templates(a.set, [f[0] for f in listed], [int(f[1]) for f in listed])
i, j = np.triu_indices(len(v), 1)
s, same = scores(v, v)[i, j], (labels[i] == labels[j]) & (labels[i] >= 0)
numbers = {rate("tpr_at_fpr", fpr): tar_at_most(s[same], s[~same], fpr) for fpr in a.fpr}
emit({a.name: {"counts": {"videos": len(v), "genuine_pairs": same.sum(), "impostor_pairs": (~same).sum()},
               "numbers": numbers}})
