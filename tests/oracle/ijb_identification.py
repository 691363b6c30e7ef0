"""IJB-B and IJB-C 1:N: open set per gallery, and the pooled closed set of older tables."""
import math

import numpy as np

from common import emit, parser, rate, scores
from ijb import Meta

KS = (1, 5, 10)


def search(v, probes, gallery):
    """Scores [probes, gallery], and for each probe the column of its subject (-1: not in the gallery)."""
    s = scores(np.array([v[t] for t in probes]), np.array([v[t] for t in gallery]))
    column = {subject: k for k, subject in enumerate(gallery.values())}
    return s, np.array([column.get(subject, -1) for subject in probes.values()])


def split(s, own_column):
    """Of the mated probes: own score, number of other templates that are not below it; then all non-mate scores."""
    mated = own_column >= 0
    is_own = np.arange(s.shape[1])[None, :] == own_column[:, None]
    own = s[is_own]
    others = np.where(is_own, -np.inf, s)
    return own, (others[mated] >= own[:, None]).sum(axis=1), others, mated


def open_set(v, probes, galleries, fpirs):
    numbers, hits, counts = {}, np.zeros(len(KS), int), {"templates": len(v), "probes": len(probes)}
    for g, gallery in enumerate(galleries):
        own, not_below, others, mated = split(*search(v, probes, gallery))
        best = np.sort(others[~mated].max(axis=1))[::-1]
        for fpir in fpirs:
            threshold = best[max(int(len(best) * fpir) - 1, 0)]
            numbers[rate(f"g{g + 1}.tpir_at_fpir", fpir)] = ((not_below == 0) & (own > threshold)).mean()
        counts |= {f"g{g + 1}.gallery": len(gallery), f"g{g + 1}.mated_probes": mated.sum(),
                   f"g{g + 1}.non_mated_probes": (~mated).sum()}
        hits += [(not_below < k).sum() for k in KS]
    for fpir in fpirs:
        both = [numbers[rate(f"g{g}.tpir_at_fpir", fpir)] for g in (1, 2)]
        numbers[rate("mean.tpir_at_fpir", fpir)] = sum(both) / 2
    numbers |= {f"top{k}": hit / len(probes) for k, hit in zip(KS, hits)}
    return {"counts": counts, "numbers": numbers}


def pooled(v, probes, galleries, fpirs):
    gallery = galleries[0] | galleries[1]
    own, not_below, others, mated = split(*search(v, probes, gallery))
    assert mated.all()
    non_mate = np.sort(others[np.isfinite(others)])[::-1]
    numbers = {f"top{k}": (not_below < k).mean() for k in KS}
    for fpir in fpirs:
        threshold = non_mate[math.ceil(len(probes) * fpir) - 1]
        numbers[rate("tpir_at_fpir", fpir)] = (own > threshold).mean()
    counts = {"templates": len(v), "gallery": len(gallery), "probes": len(probes), "mated_probes": mated.sum()}
    return {"counts": counts, "numbers": numbers}


p = parser(__doc__, ["--fpir"])
p.add_argument("--benchmark", required=True)
p.add_argument("--meta", required=True)
p.add_argument("--no-flip", action="store_true")
p.add_argument("--remove-norm", action="store_true")
p.add_argument("--no-detector-score", action="store_true")
a = p.parse_args()
meta = Meta(a.meta, a.benchmark)
v = meta.templates(a.set, not a.no_flip, not a.remove_norm, not a.no_detector_score)
probes, galleries = meta.subjects("probe_mixed"), [meta.gallery(0), meta.gallery(1)]
emit({f"{a.name}/open_set": open_set(v, probes, galleries, a.fpir),
      f"{a.name}/pooled": pooled(v, probes, galleries, a.fpir)})
