"""Verification sets: accuracy and VAL over folds, AUC, EER, TAR@FAR (docs/protocols.md)."""
import pickle

import numpy as np

from common import auc, eer, emit, joined, lines, parser, rate, tar_at_most, tar_per_person


class Rows(dict):
    """Row by name; -1 for names that are not there, which are noted."""

    def __init__(self, rows, absent):
        super().__init__(rows)
        self.absent = absent

    def __missing__(self, name):
        self.absent.add(name)
        return -1


def tenths(n):
    """Fold of each of n pairs: ten contiguous ones, the first n % 10 one longer."""
    return np.repeat(np.arange(10), [n // 10 + (k < n % 10) for k in range(10)])


def stem(path):
    return path.rsplit(".", 1)[0]


def read_pairs_txt(path, row_of):
    """rows [P, 2], same [P], fold [P]."""
    header, *body = [line.split("\t") for line in lines(path)]
    same = np.array([len(fields) == 3 for fields in body])
    at = lambda name, i: row_of[f"{name}/{name}_{int(i):04d}"]
    rows = [(at(f[0], f[1]), at(f[0], f[2])) if len(f) == 3 else (at(f[0], f[1]), at(f[2], f[3])) for f in body]
    if len(header) == 2:
        fold = np.repeat(np.arange(int(header[0])), 2 * int(header[1]))
    else:
        fold = np.r_[tenths(int(header[0])), tenths(int(header[0]))]
    return np.array(rows), same, fold


def read_bin(path):
    with open(path, "rb") as file:
        same = np.array(pickle.load(file, encoding="bytes")[1], bool)
    return np.arange(2 * len(same)).reshape(-1, 2), same, tenths(len(same))


def read_calfw(path, row_of):
    """Two lines `item flag` a pair; folds as in a list without any."""
    fields = [line.split() for line in lines(path)]
    same = np.array([f[1] != "0" for f in fields[::2]])
    fold = np.empty(len(same), int)
    for kind in same, ~same:
        fold[kind] = tenths(kind.sum())
    return np.array([row_of[stem(f[0])] for f in fields]).reshape(-1, 2), same, fold


def read_path_pairs(path, row_of):
    fields = [line.split() for line in lines(path)]
    same = np.array([f[2] == "1" for f in fields])
    return np.array([[row_of[stem(f[0])], row_of[stem(f[1])]] for f in fields]), same, tenths(len(same))


def read_cfp(folder, row_of, second):
    """Protocol/: image numbers in Pair_list_[FP].txt; Split/F?/01 … 10 with same.txt and diff.txt."""
    last_three = {"/".join(item.split("/")[-3:]): row for item, row in row_of.items()}
    numbered = {v: {f[0]: last_three["/".join(stem(f[1]).split("/")[-3:])] for f in
                    (line.split() for line in lines(f"{folder}/Pair_list_{v}.txt"))} for v in "FP"}
    rows = []
    for fold in range(10):
        for name in "same", "diff":
            for line in lines(f"{folder}/Split/F{second}/{fold + 1:02d}/{name}.txt"):
                i, j = line.split(",")
                rows.append((numbered["F"][i], numbered[second][j], name == "same", fold))
    rows = np.array(rows)
    return rows[:, :2], rows[:, 2] == 1, rows[:, 3]


def read_pairs(path, form, row_of):
    if form in ("cfp_fp", "cfp_ff"):
        return read_cfp(path, row_of, form[-1].upper())
    return {"lfw": read_pairs_txt, "calfw": read_calfw, "path_pairs": read_path_pairs}[form](path, row_of)


def people_of(rows, same, fold, labels):
    """Of each pair whose it is: people of one label and those whom genuine pairs join are one; folds where nothing tells."""
    of_rows = labels[rows]
    if (of_rows < 0).any() and len(np.unique(rows)) == rows.size:
        return fold
    joins = [tuple(pair) for pair in rows[same]]
    first = {}
    for row in np.unique(rows):
        if labels[row] >= 0:
            joins.append((first.setdefault(labels[row], row), row))
    return joined(joins, len(labels))[rows[:, 0]]


def accuracy(d, same, fold):
    thresholds, result = np.arange(0, 4, 0.01), []
    for k in range(fold.max() + 1):
        rest = fold != k
        right = [((d[rest] < t) == same[rest]).sum() for t in thresholds]
        t = thresholds[np.argmax(right)]
        result.append(((d[~rest] < t) == same[~rest]).mean())
    return np.mean(result), np.std(result)


def val(d, same, fold, target=1e-3):
    thresholds, vals, fars = np.arange(0, 4, 0.001), [], []
    for k in range(fold.max() + 1):
        others = d[(fold != k) & ~same]
        far = np.array([(others < t).mean() for t in thresholds])
        t = 0.0
        if far.max() >= target:
            i = np.argmax(far >= target)
            t = thresholds[i - 1] + (thresholds[i] - thresholds[i - 1]) * (target - far[i - 1]) / (far[i] - far[i - 1])
        vals.append((d[(fold == k) & same] < t).mean())
        fars.append((d[(fold == k) & ~same] < t).mean())
    return np.mean(vals), np.std(vals), np.mean(fars)


def main():
    p = parser(__doc__)
    p.add_argument("--pairs", help="list of pairs, or CFP's folder Protocol")
    p.add_argument("--format", default="lfw", help="lfw, calfw, path_pairs, cfp_fp, cfp_ff")
    p.add_argument("--bin", help="pickled verification set, whose images are the rows of the set")
    p.add_argument("--allow-missing", action="store_true", help="leave out pairs that name images which the set lacks")
    a = p.parse_args()
    row_of = {stem(item): row for item, row in a.set.rows().items()}
    absent = set()
    if a.allow_missing:  # an image that is not in the set gets row -1; folds are those of the whole list
        row_of = Rows(row_of, absent)
    rows, same, fold = read_pairs(a.pairs, a.format, row_of) if a.pairs else read_bin(a.bin)
    there = (rows >= 0).all(axis=1)
    rows, same, fold = rows[there], same[there], fold[there]
    v = a.set.vectors()
    d = ((v[rows[:, 0]] - v[rows[:, 1]]) ** 2).sum(axis=1)
    numbers = dict(zip(("accuracy", "accuracy_std"), accuracy(d, same, fold)))
    numbers |= dict(zip(("val", "val_std", "val_far"), val(d, same, fold)))
    genuine, impostor = -d[same], -d[~same]
    numbers |= {"auc": auc(genuine, impostor), "eer": eer(genuine, impostor)}
    numbers |= {rate("tar_at_far", far): tar_at_most(genuine, impostor, far) for far in (1e-2, 1e-3)}
    people = people_of(rows, same, fold, a.set.labels)[same]
    numbers |= {rate("tar_at_far", far) + "_per_person": tar_per_person(genuine, impostor, far, people)
                for far in (1e-2, 1e-3)}
    counts = {"genuine_pairs": same.sum(), "impostor_pairs": (~same).sum(), "folds": fold.max() + 1}
    if not there.all():
        counts |= {"left_out_pairs": (~there).sum(), "missing_images": len(absent)}
    emit({a.name: {"counts": counts, "numbers": numbers}})


main()
