"""compare.py [--model NAME] [--skip TYPE]… report.json oracle.json…: every number of uir-eval against the oracles'.

Counts and rates (shares of whole things, quotients of two counts) must be equal to the last bit, everything else to a
relative 1e-12: float64 sums in another order. What only one side has is a difference too. Exit 1 on any.
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
print("\n".join(problems) or f"{len(right)} numbers of {len(oracle)} results agree")
sys.exit(bool(problems) or not right)
