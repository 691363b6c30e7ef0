"""IJB-B and IJB-C 1:1: TAR@FAR under both rules, in all variants of the template's feature."""
from itertools import product

import numpy as np

from common import auc, eer, emit, joined, parser, rate, tar_at_most, tar_nearest, tar_per_person
from ijb import Meta

p = parser(__doc__, ["--far"])
p.add_argument("--benchmark", required=True)
p.add_argument("--meta", required=True)
a = p.parse_args()
meta = Meta(a.meta, a.benchmark)
pairs = meta.pairs()
same = pairs[:, 2] == 1
people = joined(pairs[same][:, :2], pairs[:, :2].max() + 1)[pairs[same][:, 0]]
results = {}
for flip, keep_norm, score in product((True, False), repeat=3):
    if flip and a.set.mirrored is None:
        continue
    v = meta.templates(a.set, flip, keep_norm, score)
    s = np.array([np.cumsum(v[t] * v[u])[-1] for t, u, _ in pairs])
    genuine, impostor = s[same], s[~same]
    numbers = {"auc": auc(genuine, impostor), "eer": eer(genuine, impostor)}
    numbers |= {rate("tar_at_far", far): tar_at_most(genuine, impostor, far) for far in a.far}
    numbers |= {rate("tar_nearest_far", far): tar for far, tar in zip(a.far, tar_nearest(genuine, impostor, a.far))}
    numbers |= {rate("tar_at_far", far) + "_per_person": tar_per_person(genuine, impostor, far, people) for far in a.far}
    variant = ",".join(("flip" if flip else "no_flip", "norm_kept" if keep_norm else "norm_removed",
                        "score" if score else "no_score"))
    counts = {"images": len(meta.image), "templates": len(v), "genuine_pairs": same.sum(),
              "impostor_pairs": (~same).sum()}
    results[f"{a.name}/{variant}"] = {"counts": counts, "numbers": numbers}
emit(results)
