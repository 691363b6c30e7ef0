"""MegaFace with FaceScrub probes: rank of a mate among the distractors, TAR@FAR, and their intervals; noisy images
are left out.

I. Kemelmacher-Shlizerman et al., The MegaFace Benchmark (2016); noise lists as in InsightFace's evaluation:
facescrub_noises.txt holds file names, megaface_noises.txt the last three parts of a path, perhaps as a second column.
"""
import numpy as np

from common import Set, canonical, emit, lines, parser, rate, scores, tar_at_most
from intervals import Number, Tail, said_of


def noises(path):
    return {line.split("\t")[-1].strip() for line in lines(path) if not line.startswith("#")} if path else set()


p = parser(__doc__, ["--far"])
p.add_argument("--distractors", type=Set, required=True)
p.add_argument("--probe-noises")
p.add_argument("--distractor-noises")
p.add_argument("--ranks", type=lambda text: [int(k) for k in text.split(",")], default=[1, 10])
p.add_argument("--noisy-probes", choices=("left_out", "center"), default="left_out",
               help="center: a noisy probe becomes the mean of its person's other images, as in InsightFace's script")
a = p.parse_args()
noisy_probes, noisy_distractors = noises(a.probe_noises), noises(a.distractor_noises)
clean = np.array([item.split("/")[-1] not in noisy_probes for item in a.set.items])
person = np.array([item.split("/")[-2] for item in a.set.items])
probes = a.set.vectors()
if a.noisy_probes == "center":
    for row in np.flatnonzero(~clean):
        probes[row] = canonical(probes[clean & (person == person[row])].sum(axis=0))
else:
    probes, person = probes[clean], person[clean]
clean_distractor = np.array(["/".join(item.split("/")[-3:]) not in noisy_distractors for item in a.distractors.items])
distractors = a.distractors.vectors()[clean_distractor]

own, other = scores(probes, probes), scores(probes, distractors)
probe, mate = np.nonzero((person[:, None] == person[None, :]) & ~np.eye(len(person), dtype=bool))
genuine = own[probe, mate][probe < mate]


def cmc(first):
    """Share of searches of rank <= k among the distractors within the first rows of the set, for every k."""
    among = other[:, np.flatnonzero(clean_distractor) < first]
    reach = np.array([among[i] >= own[i, j] for i, j in zip(probe, mate)])
    return {k: share(reach, k) for k in a.ranks}


def share(reach, rank):
    """Searches whose mate fewer than `rank` distractors reach; without each person, and without each distractor."""
    hit, who, n = reach.sum(axis=1) < rank, people[probe], len(probe)
    value, own_searches = hit.mean(), np.bincount(people[probe], minlength=people.max() + 1)
    some = own_searches > 0
    left = (hit.sum() - np.bincount(who, hit, len(own_searches)))[some] / np.maximum(n - own_searches[some], 1)
    without = [value - ((reach.sum(axis=1) - reach[:, d]) < rank).mean() for d in range(reach.shape[1])]
    part = (own_searches**2).sum() / n**2
    return Number(value, None if some.sum() == 1 else [value - left, np.array(without)], n, part,
                  genuine_events=int((~hit).sum()), effective_people=1 / part)


_, people = np.unique(person, return_inverse=True)
rows = len(a.distractors.items)
sure = {f"identification_rank_{k}": number for k, number in cmc(rows).items()}
for n in (10**power for power in range(1, 10) if 10**power < rows):
    sure |= {f"identification_rank_{k}_distractors_{n}": number for k, number in cmc(n).items()}
numbers = {name: number.value for name, number in sure.items()}
row, column = (x.ravel() for x in np.indices(other.shape))
tail = Tail(genuine, people[probe[probe < mate]], other.ravel(), row, len(people) + column,
            np.r_[people, people.max() + 1 + np.arange(other.shape[1])], people.max() + 1)
sure |= {rate("tar_at_far", far): tail.at(far) for far in a.far}
numbers |= {rate("tar_at_far", far): tar_at_most(genuine, other.ravel(), far) for far in a.far}
counts = {"probes": len(probes), "probe_identities": len(set(person)), "probe_noises": (~clean).sum(),
          "distractors": len(distractors), "distractor_noises": (~clean_distractor).sum(), "searches": len(probe),
          "genuine_pairs": len(genuine),
          "impostor_pairs": other.size}
emit({a.name: {"counts": counts, "numbers": numbers, "uncertainty": said_of(sure)}})
