"""compare.py [--model NAME] [--skip TYPE]… report.json oracle.json…: every number of uir-eval against the oracles'.

Counts and rates (shares of whole things, quotients of two counts) must be equal to the last bit, everything else to a
relative 1e-12: float64 sums in another order. What only one side has is a difference too. Where an oracle has them,
also intervals, to 1e-6 of their width, and what is said beside them, to 1e-9. Exit 1 on any.
"""
import argparse
import json
import sys

INEXACT = ("accuracy", "accuracy_std", "val", "val_std", "val_far", "auc", "eer", "map_at_100", "mean_f1",
           "interval_map_at_iou_0.5")


def flat(results):
    """{(result, kind, name): value}"""
    return {(name, kind, key): value for name, r in results.items() for kind in ("counts", "numbers")
            for key, value in r.get(kind, {}).items()}


def equal(key, ours, theirs):
    if ours is None or theirs is None:
        return ours is theirs
    close = key in INEXACT or key.startswith("mean.") or key.endswith("_per_person")
    return ours == theirs or (close and abs(ours - theirs) <= 1e-12 * max(abs(ours), abs(theirs)))


def unequal_intervals(name, ours, theirs):
    """What the report says else than the oracle about how sure the numbers of a result are."""
    for number in sorted(ours.keys() ^ theirs.keys()):
        yield f"only one says how sure {name} {number} is"
    for number in sorted(ours.keys() & theirs.keys()):
        for key, value in theirs[number].items():
            other = ours[number].get(key)
            if key == "interval" and value and other:
                good = max(abs(x - y) for x, y in zip(value, other)) <= 1e-6 * (value[1] - value[0])
            elif isinstance(value, (int, float)) and other is not None:
                good = abs(value - other) <= 1e-9 * abs(value)
            else:
                good = value == other
            if not good:
                yield f"{name} {number} {key}: report {other}, oracle {value}"


p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--model", help="default: the only one")
p.add_argument("--skip", action="append", default=[], help="a type of protocol that has no oracle")
p.add_argument("report")
p.add_argument("oracles", nargs="+")
a = p.parse_args()
models = [m for m in json.load(open(a.report))["models"] if a.model in (None, m["name"])]
if len(models) != 1:
    sys.exit(f"{a.report}: {len(models)} models; name one with --model")
report = {r["name"]: r for r in models[0]["protocols"] if r["type"] not in a.skip}
oracle = {name: r for path in a.oracles for name, r in json.load(open(path)).items()}
left, right = flat(report), flat(oracle)
problems = [f"only in the {side}: {' '.join(k)}" for side, mine, other in
            (("report", left, right), ("oracle", right, left)) for k in sorted(mine.keys() - other.keys())]
problems += [f"{' '.join(k)}: report {left[k]!r}, oracle {right[k]!r}" for k in sorted(left.keys() & right.keys())
             if not equal(k[2], left[k], right[k])]
problems += [problem for name in sorted(oracle.keys() & report.keys()) if "uncertainty" in oracle[name]
             for problem in unequal_intervals(name, report[name]["uncertainty"], oracle[name]["uncertainty"])]
print("\n".join(problems) or f"{len(right)} numbers of {len(oracle)} results agree")
sys.exit(bool(problems) or not right)
