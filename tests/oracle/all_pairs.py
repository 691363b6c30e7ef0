"""All unordered pairs of a labeled set: AUC, EER, TAR@FAR."""
import numpy as np

from common import auc, eer, emit, parser, rate, scores, tar_at_most, tar_per_person

a = parser(__doc__, ["--far"]).parse_args()
v, labels = a.set.vectors(), a.set.labels
i, j = np.triu_indices(len(v), 1)
s, same = scores(v, v)[i, j], labels[i] == labels[j]
genuine, impostor = s[same], s[~same]
numbers = {"auc": auc(genuine, impostor), "eer": eer(genuine, impostor)}
numbers |= {rate("tar_at_far", far): tar_at_most(genuine, impostor, far) for far in a.far}
people = labels[i][same]
numbers |= {rate("tar_at_far", far) + "_per_person": tar_per_person(genuine, impostor, far, people) for far in a.far}
counts = {"images": len(v), "identities": len(set(labels)), "genuine_pairs": len(genuine), "impostor_pairs": len(impostor)}
emit({a.name: {"counts": counts, "numbers": numbers}})
