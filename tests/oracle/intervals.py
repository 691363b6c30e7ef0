"""The 95 % intervals of `uir-eval compare`'s reports, recomputed by brute force: all_pairs and open_set.

    intervals.py A.npy ITEMS.tsv REPORT.json [--second B.npy]    exit 1 where the report says something else
    intervals.py --draw FOLDER                                   draws a.npy, b.npy, items.tsv to call it with

A.npy, B.npy: features of the report's first and second model; ITEMS.tsv: lines "item<TAB>person", row i's in line i.
REPORT.json: what `uir-eval compare A.npy B.npy --list ITEMS.tsv --far RATES --out FOLDER` left in FOLDER.

Checked for every number: the interval, whether it is resolved, events and effective people; with --second also the
intervals of the differences. Memory: some matrices of images x images: up to about 4,000 images.

Source: docs/protocols.md, "How sure a number is" ("delete one person": B. Efron, C. Stein, The jackknife estimate of
variance, 1981), with g_i, h_i what person i adds to the n genuine and N impostor pairs, n_i and M_i of which are i's:

    phi_i = (g_i/n)/(1 - n_i/n) + (h_i/N)/(1 - M_i/N), less their mean over G people
    V     = (G-1)/G sum phi^2, of a rate at least that of independent pairs or probes
    df    = 2 (sum phi^2)^2 / (sum phi^4 - (sum phi^2)^2/G), between min(4, G-1) and G-1

A score is a sum in index order (common.scores), as ties at a threshold need. Student's t comes from numerical
integration, searches in the gallery are repeated without each person: nothing here is shared with the program.
The source leaves three things open, which are read here as the program's output shows them. The k = int(x N) accepted
impostor pairs of a rate x are spread evenly between the genuine scores around the k-th (Pairs.at), p = k/N; likewise
EER N of them for the EER. Known people's and strangers' V have the df of Welch and Satterthwaite. Counting the pairs
above the threshold itself instead changes widths by up to 1 % in the drawn set, 0.05 % in most numbers of LFW's faces.
An EER's least V is that of independent pairs of both kinds; means over people (per_person) have none.
"""
import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402 (after the number of threads)

from common import auc, canonical, lines, rate, scores  # noqa: E402

# Largest difference between the intervals' ends, in parts of the width: the sums are the same in another order, which
# leaves 1e-12, and Student's t is integrated to 1e-9 or so. A pair that counts on the wrong side changes 1e-4.
TOLERANCE = 1e-6


def student(df):
    """t with 97.5 % of Student's distribution below it: with t = sqrt(df) tan(u), the density of u is cos(u)^(df-1)."""
    u = np.linspace(0, np.pi / 2, 400001)
    density = np.cos(u) ** (df - 1)
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.sqrt(df) * np.tan(np.interp(0.95 * below[-1], below, u))


class Number:
    """A value, and phi of each person in each of its independent groups of people (None: they cannot be told).

    floor_of: pairs or probes, whose independent spread is the least V; part: sum n_i^2 / n^2, of which three are the
    bound of a number without a mistake; both: other events that must be enough; said: what the report says beside it.
    """

    def __init__(self, value, groups, floor_of, part, both=(), **said):
        self.value, self.groups, self.floor_of, self.part, self.both, self.said = \
            value, groups, floor_of, part, list(both), said
        self.few = groups is None or min(map(len, groups)) < 3

    def resolution(self):
        k = 0 if self.few else min([self.said.get("impostor_events", 30)] + self.both)
        return "resolved" if k >= 30 else "weak" if k >= 10 else "not resolved"

    def interval(self):
        if self.resolution() == "not resolved":
            return None
        if self.value in (0, 1):
            bound = min(3 * self.part, 1)
            return (0, bound) if self.value == 0 else (1 - bound, 1)
        variance, df = spread(self.groups)
        slope = self.value * (1 - self.value)
        if self.floor_of:
            variance = max(variance, slope / self.floor_of)
        half, center = student(df) * np.sqrt(variance) / slope, np.log(self.value / (1 - self.value))
        return tuple(1 / (1 + np.exp(-(center + side * half))) for side in (-1, 1))


def spread(groups):
    """V and df of independent groups of people: V is added, df that of Welch and Satterthwaite."""
    variances, freedoms = [], []
    for phi in groups:
        c, people = phi - phi.mean(), len(phi)
        squares = (c**2).sum()
        fourth = (c**4).sum() - squares**2 / people
        variances.append((people - 1) / people * squares)
        freedoms.append(np.clip(2 * squares**2 / fourth if fourth > 0 else people, min(4, people - 1), people - 1))
    total = sum(variances)
    if len(groups) == 1 or total == 0:
        return total, freedoms[0]
    return total, total**2 / sum(v**2 / df for v, df in zip(variances, freedoms) if v > 0)


def said_of(numbers):
    """As the report's "uncertainty", for compare.py."""
    def said(n):
        return {"interval": n.interval(), "resolution": n.resolution(), **({} if n.few else n.said)}

    def plain(x):
        return [float(y) for y in x] if isinstance(x, tuple) else x.item() if isinstance(x, np.generic) else x
    return {name: {key: plain(value) for key, value in said(n).items()} for name, n in numbers.items()}


def allowed(n, share):
    """The most of n whose share does not exceed this one."""
    k = min(int(share * n), n)
    while k < n and (k + 1) / n <= share:
        k += 1
    return k - (k > 0 and k / n > share)


class Tail:
    """TAR at a FAR from the best impostor pairs of people and distractors, each of which is a unit of its own.

    genuine, owner: scores, and whose; impostor, row, column: scores, and the images' numbers; unit: of every image, the
    people's first. Of pairs that score alike those of lower rows, then columns are the better ones.
    """

    def __init__(self, genuine, owner, impostor, row, column, unit, people):
        self.genuine, self.owner, self.people, self.units = genuine, owner, people, unit.max() + 1
        order = np.lexsort((column, row, -impostor))
        self.impostor, self.one, self.two = impostor[order], unit[row[order]], unit[column[order]]
        self.n, self.N = len(genuine), len(impostor)
        self.n_i, self.M_i = np.bincount(owner, minlength=people), self.of(self.N)

    def of(self, k):
        """How many of the best k pairs are each unit's."""
        return sum(np.bincount(unit[:k], minlength=self.units) for unit in (self.one, self.two))

    def found(self, k):
        return self.genuine > (self.impostor[k] if k < self.N else -np.inf)

    def at(self, far):
        k, twice, half = (allowed(self.N, x) for x in (far, min(2 * far, 1), far / 2))
        found, p = self.found(k), k / self.N
        said = {"impostor_events": k, "genuine_events": int((~found).sum()),
                "effective_people": self.n**2 / (self.n_i**2).sum()}
        tar, part = found.mean(), (self.n_i**2).sum() / self.n**2
        if self.n_i.max() == self.n or self.M_i.max() == self.N:
            return Number(tar, None, self.n, part, **said)
        h = (self.of(k) - p * self.M_i) / (self.N - self.M_i)
        split = [x for x in (slice(self.people), slice(self.people, None)) if len(h[x])]
        groups = [h[x] for x in split]
        if min(map(len, groups)) > 2:
            independent = p * (1 - p) / self.N
            said["effective_events"] = k / max(1, spread(groups)[0] / independent if independent > 0 else 1)
        b = (self.found(twice).mean() - self.found(half).mean()) / np.log(twice / half) if twice > half > 0 else 0
        phi = -b * h / p if k else 0 * h
        phi[:self.people] += (np.bincount(self.owner, found, self.people) - tar * self.n_i) / (self.n - self.n_i)
        return Number(tar, [phi[x] for x in split], self.n, part, **said)


def difference(a, b):
    """Interval of b - a: what a person does to both drops out."""
    if a.interval() is None or b.interval() is None:
        return None
    variance, df = spread([y - x for x, y in zip(a.groups, b.groups)])
    half = student(df) * np.sqrt(variance)
    return b.value - a.value - half, b.value - a.value + half


class Pairs:
    """All pairs of images: their scores, kind and people; counts of each person."""

    def __init__(self, v, person):
        self.people = person.max() + 1
        i, j = np.triu_indices(len(v), 1)
        s, same = scores(v, v)[i, j], person[i] == person[j]
        self.genuine, self.owner = s[same], person[i][same]
        self.impostor, self.one, self.two = s[~same], person[i][~same], person[j][~same]
        self.n, self.N = len(self.genuine), len(self.impostor)
        self.sorted_impostor = np.sort(self.impostor)
        self.steps = np.r_[np.inf, np.unique(self.genuine)[::-1], -np.inf]
        self.n_i, self.M_i = self.of_genuine(np.ones(self.n)), self.of_impostor(np.ones(self.N))

    def of_genuine(self, x):
        return np.bincount(self.owner, x, self.people)

    def of_impostor(self, x):
        return np.bincount(self.one, x, self.people) + np.bincount(self.two, x, self.people)

    def phi(self, g, h):
        """Influences of the people who have pairs; None: one owns all genuine pairs, or has a part in all others."""
        some = (self.n_i > 0) | (self.M_i > 0)
        g_left, h_left = self.n - self.n_i[some], self.N - self.M_i[some]
        return None if (g_left == 0).any() or (h_left == 0).any() else g[some] / g_left + h[some] / h_left

    def at(self, k):
        """The largest TAR with at most k impostor pairs: its threshold, and how many of k pairs are each person's.

        Where more of them lie between that genuine score and the next lower one, k is reached on the way to that one:
        the part of them that is missing is taken from each of them alike.
        """
        counts = self.N - np.searchsorted(self.sorted_impostor, self.steps, "left")
        i = np.searchsorted(counts, k, "right") - 1
        if i + 1 == len(self.steps):
            return self.steps[i], self.M_i
        way = (k - counts[i]) / (counts[i + 1] - counts[i])
        before, behind = (self.of_impostor(self.impostor >= t) for t in self.steps[i:i + 2])
        return self.steps[i], (1 - way) * before + way * behind

    def numbers(self, fars):
        if 0 in (self.n, self.N):
            return {}
        out = {"auc": self.auc(), "eer": self.eer()}
        for far in fars:
            out[rate("tar_at_far", far)], out[rate("tar_at_far", far) + "_per_person"] = self.rates(far)
        return out

    def effective(self):
        return {"effective_people": self.n**2 / (self.n_i**2).sum()}

    def auc(self):
        def below(x, sorted_scores):
            return (np.searchsorted(sorted_scores, x, "left") + np.searchsorted(sorted_scores, x, "right")) / 2
        value = auc(self.genuine, self.impostor)
        g = self.of_genuine(below(self.genuine, np.sort(self.impostor)) / self.N) - value * self.n_i
        h = self.of_impostor(1 - below(self.impostor, np.sort(self.genuine)) / self.n) - value * self.M_i
        phi = self.phi(g, h)
        return Number(value, None if phi is None else [phi], None, (self.n_i**2).sum() / self.n**2, **self.effective())

    def tar(self, t):
        return (self.genuine >= t).mean()

    def eer(self):
        value = eer_of_sorted(self.genuine, self.impostor)
        k, whole = value * self.N, int(value * self.N + 1e-6)
        t, accepted = self.at(whole if abs(k - whole) < 1e-6 else k)
        double, half = (self.at(min(int(f * k + 1e-6), self.N))[0] for f in (2, 0.5))
        d_frr = self.tar(double) - self.tar(half)
        a = d_frr / (d_frr + 1.5 * value) if value > 0 else 0.5
        g = (1 - a) * (self.of_genuine(self.genuine < t) - (1 - self.tar(t)) * self.n_i)
        phi, genuine = self.phi(g, a * (accepted - value * self.M_i)), int(value * self.n + 1e-6)
        independent = 1 / ((1 - a) ** 2 / self.n + a**2 / self.N)
        return Number(value, None if phi is None else [phi], independent, (self.n_i**2).sum() / self.n**2,
                      [genuine], genuine_events=genuine, impostor_events=whole, **self.effective())

    def rates(self, far):
        """TAR at this rate, over pairs and as the mean over people."""
        k, count, own = int(far * self.N), self.of_genuine, self.n_i > 0
        t, accepted = self.at(k)
        ends = [int(min(2 * far, 1) * self.N), int(far / 2 * self.N)]
        d_ln = np.log(ends[0] / ends[1]) if ends[1] > 0 else np.inf
        ends = [self.at(end)[0] for end in ends]
        h = accepted / max(k, 1) - self.M_i / self.N
        some = (self.n_i > 0) | (self.M_i > 0)
        said = {"impostor_events": k, "effective_events": self.effective_events(k, accepted),
                "genuine_events": int((self.genuine < t).sum())}

        def number(of, g, part, effective):
            b = (of(ends[0]) - of(ends[1])) / d_ln
            phi = self.phi(np.zeros(self.people), -b * h * self.N)
            groups = None if phi is None or self.n_i.max() == self.n else [phi + g[some]]
            return Number(of(t), groups, self.n if of == self.tar else None, part, **effective, **said)

        def mean_share(t):
            return (count(self.genuine >= t)[own] / self.n_i[own]).mean()

        of_pairs = (count(self.genuine >= t) - self.tar(t) * self.n_i) / np.maximum(self.n - self.n_i, 1)
        of_people = np.where(own, count(self.genuine >= t) / np.maximum(self.n_i, 1) - mean_share(t), 0)
        return (number(self.tar, of_pairs, (self.n_i**2).sum() / self.n**2, self.effective()),
                number(mean_share, of_people / max(own.sum() - 1, 1), 1 / own.sum(), {"effective_people": own.sum()}))

    def effective_events(self, k, accepted):
        """k, by how much more FAR varies than if its pairs were independent: at least as much."""
        far, left = k / self.N, self.N - self.M_i
        if k in (0, self.N) or (left == 0).any():
            return float(k)
        variance, _ = spread([(accepted - far * self.M_i) / left])
        return k / max(1, variance / (far * (1 - far) / self.N))


def eer_of_sorted(genuine, impostor):
    """common.eer, which counts all scores anew for every threshold, from sorted scores."""
    every = np.unique(np.r_[genuine, impostor])[::-1]
    far = 1 - np.searchsorted(np.sort(impostor), every, "left") / len(impostor)
    tar = 1 - np.searchsorted(np.sort(genuine), every, "left") / len(genuine)
    i = np.argmax(far + tar >= 1)
    before = (far[i - 1], tar[i - 1]) if i else (0.0, 0.0)
    share = (1 - sum(before)) / (far[i] + tar[i] - sum(before))
    return before[0] + share * (far[i] - before[0])


class Gallery:
    """open_set without lists: the first image of everyone with several is the gallery, all other images are probes."""

    def __init__(self, v, person):
        _, first, sizes = np.unique(person, return_index=True, return_counts=True)
        self.rows = np.sort(first[sizes > 1])
        probe = np.setdiff1d(np.arange(len(v)), self.rows)
        self.known, self.who = person[self.rows], person[probe]
        s = scores(v[probe], v[self.rows])
        same = self.who[:, None] == self.known[None, :]
        self.mated = same.any(axis=1)
        self.own, self.others = np.where(same, s, -np.inf).max(axis=1), np.where(same, -np.inf, s)
        self.best = self.others.max(axis=1)
        self.strangers = np.sort(self.best[~self.mated])[::-1]
        self.cut = [self.without(i) for i in range(len(self.known))]

    def without(self, i):
        """Rows whose best other score changes when gallery image i is away, and what it is then."""
        rows = np.flatnonzero(self.others[:, i] == self.best)
        return rows, np.delete(self.others[rows], i, axis=1).max(axis=1, initial=-np.inf)

    def threshold(self, far):
        return self.strangers[max(int(len(self.strangers) * far) - 1, 0)]

    def hits(self, t):
        return self.mated & (self.own > self.best) & (self.own > t)

    def shares(self, t):
        """DIR, and the share of strangers above t."""
        return self.hits(t)[self.mated].mean(), (self.strangers > t).mean() if len(self.strangers) else 0.0

    def deleted(self, t):
        """What both change by without each known person: share with everyone - share without."""
        base, false = self.shares(t)
        hit, loud = self.hits(t), ~self.mated & (self.best > t)
        change = np.zeros((2, len(self.known)))
        for i, (rows, best) in enumerate(self.cut):
            now, quiet = hit.copy(), loud.copy()
            now[rows] = self.mated[rows] & (self.own[rows] > best) & (self.own[rows] > t)
            quiet[rows] = ~self.mated[rows] & (best > t)
            left = self.mated & (self.who != self.known[i])
            if not left.any():
                return None
            change[:, i] = base - now[left].mean(), false - (quiet[~self.mated].mean() if quiet.size else 0)
        return change

    def numbers(self, fars):
        probes = np.bincount(self.who[self.mated]).astype(float)
        part, n = (probes**2).sum() / probes.sum() ** 2, int(self.mated.sum())
        said = {"effective_people": 1 / part}
        change = self.deleted(-np.inf)
        value = self.shares(-np.inf)[0]
        out = {"rank1": Number(value, None if change is None else [change[0]], n, part, **said)}
        for far in fars:
            out[rate("dir_at_far", far)] = self.dir(far, n, part, said)
        return out

    def dir(self, far, n, part, said):
        t, count = self.threshold(far), len(self.strangers)
        value, false = self.shares(t)
        (dir_2, fa_2), (dir_half, fa_half) = (self.shares(self.threshold(f)) for f in (min(2 * far, 1), far / 2))
        b = (dir_2 - dir_half) / (fa_2 - fa_half) if fa_2 > fa_half else 0.0
        change = self.deleted(t)
        groups = None
        if change is not None and count > 1:
            loud = self.best[~self.mated] > t
            alone = false - (loud.sum() - loud) / (count - 1)
            groups = [change[0] - b * change[1], -b * alone]
        return Number(value, groups, n, part, impostor_events=int(count * far), **said)


def check(title, theirs, ours):
    """Prints one line of the table; true where they agree."""
    if theirs is None or ours is None:
        good, text = (theirs is None) == (ours is None), "" if theirs is ours is None else "only one has an interval"
    else:
        width = ours[1] - ours[0]
        wrong, wider = max(abs(x - y) for x, y in zip(theirs, ours)), theirs[1] - theirs[0] - width
        wrong, wider = (x / width if width > 0 else float(x != 0) for x in (wrong, wider))
        good, text = wrong <= TOLERANCE, f"{wider:+.1e} {wrong:.1e}"
    show = lambda x: "none" if x is None else f"[{x[0]:.8f}, {x[1]:.8f}]"
    print(f"{title:32}{show(theirs):28}{show(ours):28}{text}{'' if good else '  <- DIFFERENT'}")
    return good


def check_said(name, theirs, ours):
    """What is said beside the interval."""
    good = True
    for key, value in {"resolution": ours.resolution(), **({} if ours.few else ours.said)}.items():
        other = theirs.get(key)
        same = other == value if isinstance(value, str) or other is None else abs(other - value) <= 1e-9 * value
        if not same:
            print(f"{name:32}{key}: report {other}, oracle {value}  <- DIFFERENT")
            good = False
    return good


def rates(names, prefix):
    return [float(x[len(prefix):]) for x in names if x.startswith(prefix) and not x.endswith("_per_person")]


def draw(folder):
    """60 people of 1 to 6 images; the second model sees the same with more noise."""
    random = np.random.default_rng(5)
    count = random.permutation(np.r_[np.arange(1, 7).repeat(7), np.ones(18, int)])
    person = np.arange(60).repeat(count)
    center = random.standard_normal((60, 20)) * np.arange(1, 21) ** -0.35
    a = center[person] + 0.5 * np.exp(0.25 * random.standard_normal(60))[person, None] * \
        random.standard_normal((len(person), 20))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "a.npy", a.astype(np.float32))
    np.save(folder / "b.npy", (a + 0.3 * random.standard_normal(a.shape)).astype(np.float32))
    items = "".join(f"{p:02}/{i:03}.jpg\tperson{p:02}\n" for i, p in enumerate(person))
    (folder / "items.tsv").write_text(items)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs="*", metavar="A.npy ITEMS.tsv REPORT.json")
    p.add_argument("--second", help="features of the report's second model: checks the intervals of differences")
    p.add_argument("--draw", type=Path, metavar="FOLDER", help="make a small set of features")
    a = p.parse_args()
    if a.draw:
        return draw(a.draw)
    if len(a.files) != 3:
        p.error("expected A.npy ITEMS.tsv REPORT.json, or --draw FOLDER")
    features, items, report = a.files
    report = json.load(open(report))
    _, person = np.unique([line.split("\t")[1] for line in lines(items)], return_inverse=True)
    make = {"all_pairs": (Pairs, "tar_at_far_"), "open_set": (Gallery, "dir_at_far_")}
    good, checked = True, 0
    print(f"{'number':32}{'report':28}{'oracle':28}difference of width, of ends (parts of the width)")
    for k, protocol in enumerate(report["models"][0]["protocols"]):
        if protocol["type"] not in make:
            continue
        kind, prefix = make[protocol["type"]]
        fars = rates(protocol["numbers"], prefix)
        models = [kind(canonical(np.load(f).astype(float)), person).numbers(fars)
                  for f in (features, a.second) if f]
        for name, value in protocol["numbers"].items():
            if value is None:
                continue
            ours, theirs = models[0][name], protocol["uncertainty"].get(name, {})
            if abs(value - ours.value) > 1e-12:
                print(f"{name:32}value: report {value}, oracle {ours.value}  <- DIFFERENT")
                good = False
            good &= check(name, theirs.get("interval"), ours.interval()) & check_said(name, theirs, ours)
            checked += 1
            if a.second:
                both = {n["name"]: n for n in report["comparison"]["protocols"][k]["numbers"]}[name]
                good &= check("  difference", both["difference_intervals"][1], difference(*(m[name] for m in models)))
    print(f"{checked} numbers: {'the same' if good else 'DIFFERENT'}{'' if checked else ' (none was checked)'}")
    sys.exit(not good or not checked)


if __name__ == "__main__":
    main()
