"""Open-set identification: DIR@FAR, rank 1."""
import numpy as np

from common import emit, lines, parser, rate, scores


def without_lists(labels):
    """Gallery: the first image of every identity with two or more; all other images are probes."""
    _, first, inverse, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    gallery = np.sort(first[sizes > 1])
    probe = np.setdiff1d(np.arange(len(labels)), gallery)
    return gallery, labels[gallery], probe, labels[probe]


def from_list(path, row_of):
    fields = [line.split() for line in lines(path)]
    return np.array([row_of[f[0]] for f in fields]), np.array([f[2] for f in fields])


def main():
    p = parser(__doc__, ["--far"])
    p.add_argument("--gallery")
    p.add_argument("--probe")
    a = p.parse_args()
    if a.gallery:
        gallery, gallery_id = from_list(a.gallery, a.set.rows())
        probe, probe_id = from_list(a.probe, a.set.rows())
    else:
        gallery, gallery_id, probe, probe_id = without_lists(a.set.labels)
    v = a.set.vectors()
    s, same = scores(v[probe], v[gallery]), probe_id[:, None] == gallery_id[None, :]
    own, other = np.where(same, s, -np.inf).max(axis=1), np.where(same, -np.inf, s).max(axis=1)
    mated = same.any(axis=1)
    strangers = np.sort(other[~mated])[::-1]
    threshold = {far: strangers[max(int(len(strangers) * far) - 1, 0)] for far in a.far}
    hit = (own > other)[mated]
    numbers = {"rank1": hit.mean()}
    numbers |= {rate("dir_at_far", far): (hit & (own[mated] > threshold[far])).mean() for far in a.far}
    counts = {"gallery": len(gallery), "mated_probes": mated.sum(), "non_mated_probes": (~mated).sum()}
    emit({a.name: {"counts": counts, "numbers": numbers}})


main()
