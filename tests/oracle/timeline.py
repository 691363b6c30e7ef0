"""Who appears when: every figure at every millisecond, from the words of docs/protocols.md.

timeline.py --name NAME --reference CSV… --hypothesis CSV… [--spans CSV|UEM] [--collar SECONDS]
"""
import argparse
import csv
import re
from collections import defaultdict

import numpy as np

from common import emit, lines

NOT_TOLD = ("?", "unsure", "too small")


def stranger(label):
    return label in NOT_TOLD or label.startswith("?") or re.fullmatch(r"stranger [0-9]+", label) is not None


def ms(text):
    return round(float(text) * 1000)


def rows(paths):
    """(video, start, end, person) in milliseconds."""
    for path in paths:
        with open(path, newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                yield row["video"], ms(row["start"]), ms(row["end"]), row.get("person")


def spans(path):
    if not path.endswith(".uem"):
        return [row[:3] for row in rows([path])]
    parts = [line.split(";;")[0].split() for line in lines(path)]
    return [(p[0], ms(p[2]), ms(p[3])) for p in parts if p]


def runs(there):
    """[begin, end) of the runs of a grid of true and false."""
    edges = np.flatnonzero(np.diff(np.r_[False, there, False].astype(int)))
    return list(zip(edges[::2], edges[1::2]))


class Timeline:
    """Of one video: who is there at each millisecond, and how many of those who are not told."""

    def __init__(self, intervals, length):
        self.people, self.untold, self.edges = {}, np.zeros(length, int), []
        for start, end, person in intervals:
            if person in NOT_TOLD:
                self.untold[start:end] += 1
                self.edges += [start, end]
            else:
                self.people.setdefault(person, np.zeros(length, bool))[start:end] = True
        for there in self.people.values():
            self.edges += [edge for run in runs(there) for edge in run]

    def names(self):
        return {label: there for label, there in self.people.items() if not stranger(label)}

    def told_apart(self):
        return {label: there for label, there in self.people.items() if stranger(label)}

    def strangers(self):
        return self.untold + sum(self.told_apart().values())


def sums():
    return defaultdict(int)


def errors(total, ours, theirs, scored):
    n = lambda people: sum(people.values()) if people else 0
    both = n({label: there & theirs.people[label] for label, there in ours.names().items() if label in theirs.people})
    r = n(ours.names()) + ours.strangers()
    h = n(theirs.names()) + theirs.strangers()
    right = both + np.minimum(ours.strangers(), theirs.strangers())
    total["person_ms"] += (r * scored).sum()
    total["confusion"] += ((np.minimum(r, h) - right) * scored).sum()
    total["false_alarm"] += (np.maximum(h - r, 0) * scored).sum()
    total["miss"] += (np.maximum(r - h, 0) * scored).sum()


def name_seconds(s, ours, theirs):
    s["ours"] += ours.sum()
    s["theirs"] += theirs.sum()
    s["both"] += (ours & theirs).sum()
    s["difference"] += abs(int(ours.sum()) - int(theirs.sum()))
    a, b = runs(ours), runs(theirs)
    s["appearances"] += len(a)
    s["their_appearances"] += len(b)
    s["not_identified"] += sum(2 * theirs[i:j].sum() < j - i for i, j in a)
    s["false_names"] += sum(2 * ours[i:j].sum() < j - i for i, j in b)
    iou = lambda x, y: max(0, min(x[1], y[1]) - max(x[0], y[0])) / (max(x[1], y[1]) - min(x[0], y[0]))
    s["matches"] += sum(iou(x, y) >= 0.5 for x in a for y in b)


def clusters(total, ours, theirs, span):
    total["strangers"] += sum((there & span).any() for there in ours.told_apart().values())
    anybody = np.any(list(ours.people.values()), axis=0) if ours.people else np.zeros(len(span), bool)
    for cluster in theirs.told_apart().values():
        met = int((cluster & anybody & span).sum())
        total["clusters"] += met > 0
        total["met"] += met
        total["most"] += max([int((cluster & there & span).sum()) for there in ours.people.values()], default=0)


p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--name", required=True)
p.add_argument("--reference", nargs="+", required=True)
p.add_argument("--hypothesis", nargs="+", required=True)
p.add_argument("--spans")
p.add_argument("--collar", default="0")
a = p.parse_args()

reference, hypothesis = list(rows(a.reference)), list(rows(a.hypothesis))
measured = defaultdict(list)
if a.spans:
    for video, start, end in spans(a.spans):
        measured[video].append((start, end))
else:
    for video in {row[0] for row in reference + hypothesis}:
        times = [t for row in reference + hypothesis if row[0] == video for t in row[1:3]]
        measured[video] = [(min(times), max(times))]

total, names = sums(), defaultdict(sums)
length = 1 + max([row[2] for row in reference + hypothesis] + [end for s in measured.values() for _, end in s], default=0)
for video in sorted(measured):
    ours, theirs = (Timeline([row[1:] for row in side if row[0] == video], length) for side in (reference, hypothesis))
    span = np.zeros(length, bool)
    for start, end in measured[video]:
        span[start:end] = True
    scored, half = span.copy(), ms(a.collar) // 2
    for edge in ours.edges:
        scored[max(edge - half, 0):edge + half] = False
    total["ms"] += span.sum()
    errors(total, ours, theirs, scored)
    never = np.zeros(length, bool)
    for label in ours.names().keys() | theirs.names().keys():
        name_seconds(names[label], ours.people.get(label, never) & span, theirs.people.get(label, never) & span)
    clusters(total, ours, theirs, span)

over = lambda x, y: float(x) / float(y) if y else None
rate = lambda x: over(x, total["person_ms"]) if total["person_ms"] else float(x > 0)
known = [names[label] for label in sorted(names) if names[label]["ours"]]
mean = lambda values: sum(values) / len(values) if values else None
of = lambda key: sum(s[key] for s in names.values())
hours = total["ms"] / 3.6e6
emit({a.name: {
    "counts": {"videos": len(measured), "people": len(known), "appearances": of("appearances"),
               "strangers": total["strangers"]},
    "numbers": {
        "hours": hours,
        "reference_person_hours": total["person_ms"] / 3.6e6,
        "ier": rate(total["confusion"] + total["false_alarm"] + total["miss"]),
        **{part: rate(total[part]) for part in ("confusion", "false_alarm", "miss")},
        "precision": over(of("both"), of("theirs")),
        "recall": over(of("both"), of("ours")),
        "f1": over(2 * of("both"), of("ours") + of("theirs")),
        "mean_f1": mean([2 * s["both"] / (s["ours"] + s["theirs"]) for s in known]),
        "screen_time_error": over(of("difference"), of("ours")),
        "interval_map_at_iou_0.5": mean([s["matches"] ** 2 / (s["appearances"] * s["their_appearances"])
                                         if s["their_appearances"] else 0.0 for s in known]),
        "fnir": over(of("not_identified"), of("appearances")),
        "false_names_per_hour": over(of("false_names"), hours),
        "false_person_seconds_per_hour": over((of("theirs") - of("both")) / 1000, hours),
        "cluster_purity": over(total["most"], total["met"]),
        "cluster_ratio": over(total["clusters"], total["strangers"]),
    }}})
