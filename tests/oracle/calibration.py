"""Oracle of uir-eval calibrate, in float64 from docs/protocols.md.

make                       features of known people, strangers, class centers, and other people
check JSON GALLERY         whether the thresholds do what they are said to do; galleries smaller than the whole by drawing
applied JSON REPORT        whether uir-eval's numbers at these thresholds are right
removed JSON TSV           whether uir-index overlap removes what reaches the threshold
"""
import json
import sys

import numpy as np

DIM, PEOPLE = 24, 60


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def save(name, features, labels=None):
    np.save(f"{name}.npy", features.astype(np.float32))
    with open(f"{name}.txt", "w") as file:
        file.writelines(f"{name}_{i}.jpg\n" for i in range(len(features)))
    if labels is not None:
        np.savetxt(f"{name}_labels.txt", labels, fmt="%d")


def make():
    rng = np.random.default_rng(7)
    people = rng.normal(size=(PEOPLE, DIM))
    labels = np.repeat(np.arange(PEOPLE), 5)
    save("known", people[labels] + 0.8 * rng.normal(size=(len(labels), DIM)), labels)
    save("centers", people, np.arange(PEOPLE))
    save("web", rng.normal(size=(700, DIM)))
    save("crowd", rng.normal(size=(300, DIM)))
    others = np.concatenate([np.repeat(np.arange(40), 4), np.arange(40, 240)])
    directions = rng.normal(size=(240, DIM))
    save("other", directions[others] + 0.8 * rng.normal(size=(len(others), DIM)), others)
    with open("pairs.txt", "w") as file:
        for i in range(200):
            a = int(rng.integers(40))
            b = a if i % 2 else int((a + 1 + rng.integers(38)) % 40)
            file.write(f"other_{4 * a}.jpg other_{4 * b + 1}.jpg {int(a == b)}\n")


def load(name):
    return unit(np.load(f"{name}.npy").astype(np.float64))


def labels_of(name):
    return np.loadtxt(f"{name}_labels.txt", dtype=int)


def near(a, b, tolerance=1e-12):
    assert abs(a - b) <= tolerance, (a, b)


def check_pairs(found, known, labels, strangers):
    scores = known @ known.T
    i, j = np.triu_indices(len(known), 1)
    same = labels[i] == labels[j]
    genuine = scores[i, j][same]
    impostors = np.concatenate([scores[i, j][~same], (known @ strangers.T).ravel()])
    pairs = found["verification"]
    assert pairs["genuine_pairs"] == len(genuine) and pairs["impostor_pairs"] == len(impostors)
    for t in pairs["thresholds"]:
        allowed = int(t["false_match_rate"] * len(impostors))
        assert t["resolved"] == (allowed >= 10), t
        if not t["resolved"]:
            assert t["threshold"] is None
            continue
        assert t["events"] == np.sum(impostors >= t["threshold"]) == allowed, t
        near(t["genuine_accepted"], np.mean(genuine >= t["threshold"]))


def check(path, gallery_set):
    found = json.load(open(path))
    known, labels = load("known"), labels_of("known")
    strangers = np.concatenate([load(name) for name in found["strangers"]])
    check_pairs(found, known, labels, strangers)
    if gallery_set == "known":
        gallery = unit(np.stack([known[labels == p].sum(0) for p in range(PEOPLE)]))
        own = np.array([known[i] @ unit(known[labels == labels[i]].sum(0) - known[i]) for i in range(len(known))])
    else:
        gallery = load("centers")
        own = np.array([known[i] @ gallery[labels[i]] for i in range(len(known))])
    others = known @ gallery.T
    others[np.arange(len(known)), labels] = -2
    named = found["identification"]
    assert (named["people"], named["probes"], named["strangers"]) == (PEOPLE, len(known), len(strangers))
    best = strangers @ gallery.T
    rng = np.random.default_rng(1)
    for size in named["galleries"]:
        n = size["people"]
        draws = [np.arange(PEOPLE)] if n == PEOPLE else [rng.permutation(PEOPLE)[:n] for _ in range(400)]
        for t in size["thresholds"]:
            if not t["resolved"]:
                continue
            rate = t["false_alarms_per_1000"] / 1000
            alarms = [np.mean(best[:, draw].max(1) >= t["threshold"]) for draw in draws]
            right = []
            for draw in draws:
                inside = np.isin(labels, draw)
                right.append(np.mean((own[inside] >= t["threshold"]) & (others[inside][:, draw].max(1) < own[inside])))
            assert t["events"] == np.sum(best.max(1) >= t["threshold"])
            if n == PEOPLE:
                assert np.mean(alarms) <= rate and t["events"] == int(rate * len(strangers)), (alarms, t)
                near(t["named_right"], right[0])
            else:  # five standard errors
                near(np.mean(alarms), rate, 5 * np.std(alarms) / 20 + 1 / len(strangers))
                near(np.mean(right), t["named_right"], 5 * np.std(right) / 20)
    print(path, "the same")


def surely(result, name, events):
    """An interval stands beside a rate of mistakes, with what was counted: few of them carry it, or none a bound of one side."""
    sure, value = result["uncertainty"][name], result["numbers"][name]
    assert sure["impostor_events"] == events, (name, sure, events)
    assert sure["resolution"] == ("resolved" if events >= 30 else "weak" if events >= 10 else "not resolved"), (name, sure)
    low, high = sure["interval"]
    assert low <= value < high and (low == 0) == (events == 0), (name, sure, value)
    if events == 0:
        assert "bound of one side" in sure["note"]


def applied(path, report):
    found, report = json.load(open(path)), json.load(open(report))
    features, labels = load("other"), labels_of("other")
    results = {result["name"]: result for result in report["models"][0]["protocols"]}
    row = {f"other_{i}.jpg": i for i in range(len(features))}
    lines = [line.split() for line in open("pairs.txt")]
    scores = np.array([features[row[a]] @ features[row[b]] for a, b, _ in lines])
    same = np.array([int(s) for _, _, s in lines]) == 1
    numbers, checked = results["pairs"]["numbers"], 0
    for t in found["verification"]["thresholds"]:
        if t["resolved"]:
            rate = f"{t['false_match_rate']:g}"
            near(numbers[f"tar_calibrated_for_{rate}"], np.mean(scores[same] >= t["threshold"]))
            near(numbers[f"far_calibrated_for_{rate}"], np.mean(scores[~same] >= t["threshold"]))
            surely(results["pairs"], f"far_calibrated_for_{rate}", np.sum(scores[~same] >= t["threshold"]))
            checked += 1
    first = np.arange(0, 160, 4)
    probes = np.setdiff1d(np.arange(len(features)), first)
    cosines = features[probes] @ features[first].T
    mine = labels[probes][:, None] == labels[first][None, :]
    mated = mine.any(1)
    own, other = np.where(mine, cosines, -2).max(1), np.where(mine, -2, cosines).max(1)
    numbers = results["open"]["numbers"]
    for t in [g for g in found["identification"]["galleries"] if g["people"] >= 40][0]["thresholds"]:
        if t["resolved"]:
            rate = f"{t['false_alarms_per_1000'] / 1000:g}"
            near(numbers[f"dir_calibrated_for_{rate}"], np.mean((own > other)[mated] & (own >= t["threshold"])[mated]))
            near(numbers[f"far_calibrated_for_{rate}"], np.mean(other[~mated] >= t["threshold"]))
            surely(results["open"], f"far_calibrated_for_{rate}", np.sum(other[~mated] >= t["threshold"]))
            checked += 1
    assert checked >= 4
    print(checked, "thresholds applied: the same")


def removed(path, listed):
    found = json.load(open(path))
    gallery = [g for g in found["identification"]["galleries"] if g["people"] == PEOPLE][0]
    best = (load("crowd") @ load("centers").T).max(1)
    want = {str(i) for i in np.flatnonzero(best >= gallery["thresholds"][0]["threshold"])}
    assert {line.split("\t")[0] for line in open(listed)} == want and want
    print(len(want), "removed: the same")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
