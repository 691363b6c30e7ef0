"""Trillion-Pairs and the LFR image track: TPR@FPR of verification and of identification, with their intervals."""
import numpy as np

from common import emit, parser, rate, scores, tar_at_most
from intervals import Number, Tail, allowed, said_of


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


def tail(own, cross, people, impostors):
    """What the intervals of verification are made of; distractors are images behind those of the gallery."""
    i, j = np.triu_indices(len(people), 1)
    same = people[i] == people[j]
    row, column = (x.ravel() for x in np.indices(cross.shape))
    score, column = cross.ravel(), column + len(people)
    if impostors == "all":
        score, row, column = np.r_[score, own[i, j][~same]], np.r_[row, i[~same]], np.r_[column, j[~same]]
    count = people.max() + 1
    unit = np.r_[people, count + np.arange(cross.shape[1])]
    return Tail(own[i, j][same], people[i][same], score, row, column, unit, count)


class Gallery:
    """Shares of gallery images that are first and above a threshold, and of distractors above it, without each unit."""

    def __init__(self, own, cross, people):
        self.cross, self.people, self.best = cross, people, np.sort(cross.max(axis=0))[::-1]
        same = people[:, None] == people[None, :]
        own = np.where(np.eye(len(own), dtype=bool), -np.inf, own)
        self.right, self.wrong = np.where(same, own, -np.inf).max(axis=1), np.where(same, -np.inf, own)
        self.probe = np.isfinite(self.right)
        self.per_person = np.bincount(people[self.probe], minlength=people.max() + 1)

    def hits(self, t, leaves=-1):
        probe = self.probe & (self.people != leaves)
        other = np.where(self.people[None, :] == leaves, -np.inf, self.wrong).max(axis=1)
        return (self.right > np.maximum(other, t))[probe].mean() if probe.any() else 0

    def alarms(self, t, leaves=-1):
        return self.cross[self.people != leaves].max(axis=0, initial=-np.inf) > t

    def number(self, fpr=None):
        """Rank 1, or with a rate the share that is accepted as well."""
        people, n, d = range(self.people.max() + 1), self.probe.sum(), self.cross.shape[1]
        k, twice, half = (allowed(d, min(x, 1)) for x in ((fpr, 2 * fpr, fpr / 2) if fpr else (d, d, d)))
        limit = {x: self.best[x] if x < d else -np.inf for x in (k, twice, half)}
        t, value = limit[k], self.hits(limit[k])
        groups = [np.array([value - self.hits(t, i) for i in people])]
        said = {"genuine_events": round((1 - value) * n), "effective_people": n**2 / (self.per_person**2).sum()}
        if fpr:
            more = self.alarms(limit[twice]).mean() - self.alarms(limit[half]).mean()
            b = (self.hits(limit[twice]) - self.hits(limit[half])) / more if more > 0 else 0
            loud = self.alarms(t)
            groups[0] -= b * np.array([loud.mean() - self.alarms(t, i).mean() for i in people])
            groups.append(-b * (loud.mean() - (loud.sum() - loud) / (d - 1)))
            said["impostor_events"] = k
        return Number(value, groups, n, (self.per_person**2).sum() / n**2, **said)


p = parser(__doc__, ["--fpr", "--identification-fpr"])
p.add_argument("--impostors", choices=("gallery_x_distractors", "all"), default="gallery_x_distractors")
a = p.parse_args()
v, is_gallery = a.set.vectors(), a.set.labels >= 0
gallery, labels, distractors = v[is_gallery], a.set.labels[is_gallery], v[~is_gallery]
own, cross = scores(gallery, gallery), scores(gallery, distractors)
genuine, impostor, numbers = verification(own, cross, labels, a.impostors, a.fpr)
counts = {"gallery_images": len(gallery), "distractors": len(distractors), "identities": len(set(labels)),
          "genuine_pairs": len(genuine), "impostor_pairs": len(impostor)}
_, people = np.unique(labels, return_inverse=True)
of_pairs = tail(own, cross, people, a.impostors)
uncertainty = {rate("tpr_at_fpr", fpr): of_pairs.at(fpr) for fpr in a.fpr}
if a.identification_fpr:
    images = Gallery(own, cross, people)
    uncertainty |= {rate("identification_tpr_at_fpr", fpr): images.number(fpr) for fpr in a.identification_fpr}
    uncertainty["identification_rank_1"] = images.number()
    more_counts, more_numbers = identification(own, cross, labels, a.identification_fpr)
    counts, numbers = counts | more_counts, numbers | more_numbers
emit({a.name: {"counts": counts, "numbers": numbers, "uncertainty": said_of(uncertainty)}})
