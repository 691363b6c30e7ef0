"""Trillion-Pairs and the LFR image track: TPR@FPR of verification and of identification."""
import numpy as np

from common import emit, parser, rate, scores, tar_at_most


def verification(own, cross, labels, impostors, fprs):
    """own: scores within the gallery; cross: gallery x distractors. Two distractors never make a pair."""
    i, j = np.triu_indices(len(labels), 1)
    s, same = own[i, j], labels[i] == labels[j]
    impostor = np.r_[cross.ravel(), s[~same]] if impostors == "all" else cross.ravel()
    return s[same], impostor, {rate("tpr_at_fpr", fpr): tar_at_most(s[same], impostor, fpr) for fpr in fprs}


def identification(own, cross, labels, fprs):
    """Each gallery image against the rest of the gallery; distractors are accepted by their best score."""
    same = labels[:, None] == labels[None, :]
    np.fill_diagonal(own, -np.inf)
    right, wrong = np.where(same, own, -np.inf).max(axis=1), np.where(same, -np.inf, own).max(axis=1)
    probe = np.isfinite(right)  # there is another image to be found
    rank1 = np.where(right > wrong, right, -np.inf)[probe]
    numbers = {rate("identification_tpr_at_fpr", fpr): tar_at_most(rank1, cross.max(axis=0), fpr) for fpr in fprs}
    return {"identification_probes": probe.sum()}, numbers | {"identification_rank_1": (right > wrong)[probe].mean()}


p = parser(__doc__, ["--fpr", "--identification-fpr"])
p.add_argument("--impostors", choices=("gallery_x_distractors", "all"), default="gallery_x_distractors")
a = p.parse_args()
v, is_gallery = a.set.vectors(), a.set.labels >= 0
gallery, labels, distractors = v[is_gallery], a.set.labels[is_gallery], v[~is_gallery]
own, cross = scores(gallery, gallery), scores(gallery, distractors)
genuine, impostor, numbers = verification(own, cross, labels, a.impostors, a.fpr)
counts = {"gallery_images": len(gallery), "distractors": len(distractors), "identities": len(set(labels)),
          "genuine_pairs": len(genuine), "impostor_pairs": len(impostor)}
if a.identification_fpr:
    more_counts, more_numbers = identification(own, cross, labels, a.identification_fpr)
    counts, numbers = counts | more_counts, numbers | more_numbers
emit({a.name: {"counts": counts, "numbers": numbers}})
