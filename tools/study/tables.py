#!/usr/bin/env python3
"""The study's tables (Markdown), from the results that are there: tables.py [choosing|confirming] [--plan FILE] [--results FOLDER]

Differences to lambda_0 run by run, their mean, its t interval (95 %: each run draws its own people, so the runs' spread holds
all of it), the exact sign-flip p (two-sided), and Holm's over the secondary numbers. Up to two runs: values only.
"""
import argparse
import itertools
import json
import math
import pathlib

HERE = pathlib.Path(__file__).parent


def t_quantile(df, p=0.975):
    def density(x):
        return math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi) * (
            1 + x * x / df) ** (-(df + 1) / 2)

    def upper(x, steps=2000):  # Simpson's rule from 0 on
        h = x / steps
        inner = sum((4 if i % 2 else 2) * density(i * h) for i in range(1, steps))
        return 0.5 + h / 3 * (density(0) + inner + density(x))

    low, high = 0.0, 700.0 if df == 1 else 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if upper(middle) < p else (low, middle)
    return low


def sign_flip_p(differences):
    observed = abs(sum(differences)) - 1e-12
    flips = list(itertools.product((1, -1), repeat=len(differences)))
    return sum(abs(sum(s * d for s, d in zip(signs, differences))) >= observed for signs in flips) / len(flips)


def holm(p_values):
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, worst = [0.0] * len(p_values), 0.0
    for place, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[i]))
        adjusted[i] = worst
    return adjusted


def results_of(plan, stage, results):
    """{arm: {run: numbers}}"""
    found = {}
    for run in plan[stage]["runs"]:
        for file in sorted(results.glob(f"{run}-*.json")):
            result = json.loads(file.read_text())
            found.setdefault(result["arm"], {})[run] = result["numbers"]
    return found


def compare(results, arm, number):
    runs = sorted(set(results[arm]) & set(results["lambda_0"]))
    return runs, [results[arm][run][number] - results["lambda_0"][run][number] for run in runs]


def table(results, number, with_p):
    rows = []
    for arm in sorted(results):
        if arm == "lambda_0":
            continue
        runs, differences = compare(results, arm, number)
        n = len(differences)
        mean = sum(differences) / n
        row = {"arm": arm, "n": n, "mean": mean, "values": differences, "p": None,
               "interval": "", "wins": sum(d > 0 for d in differences)}
        if n > 2:
            deviation = math.sqrt(sum((d - mean) ** 2 for d in differences) / (n - 1))
            half = t_quantile(n - 1) * deviation / math.sqrt(n)
            row["interval"] = f"[{mean - half:+.4f}, {mean + half:+.4f}]"
            row["p"] = sign_flip_p(differences) if with_p else None
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", default=["choosing", "confirming"])
    parser.add_argument("--plan", type=pathlib.Path, default=HERE / "plan.json")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    options = parser.parse_args()
    plan = json.loads(options.plan.read_text())
    for stage in options.stages:
        results = results_of(plan, stage, options.results)
        if "lambda_0" not in results:
            print(f"## {stage}: no results\n")
            continue
        print(f"## {stage}\n")
        numbers = [plan["primary"], *plan["secondary"]]
        tables = {number: table(results, number, stage == "confirming") for number in numbers}
        for arm_place in range(len(tables[numbers[0]])):
            p_values = [tables[number][arm_place]["p"] for number in plan["secondary"]]
            if all(p is not None for p in p_values):
                for number, p in zip(plan["secondary"], holm(p_values)):
                    tables[number][arm_place]["holm"] = p
        for number in numbers:
            base = [values[number] for values in results["lambda_0"].values()]
            kind = "primary" if number == plan["primary"] else "secondary"
            print(f"**{number}** ({kind}); lambda_0: mean {sum(base) / len(base):.4f} of {len(base)} runs\n")
            print("| arm | difference | interval | p | Holm | larger in | each run |\n|---|---|---|---|---|---|---|")
            for row in tables[number]:
                p = "" if row["p"] is None else f"{row['p']:.4f}"
                adjusted = f"{row['holm']:.4f}" if "holm" in row else ""
                values = " ".join(f"{d:+.4f}" for d in row["values"])
                print(f"| {row['arm']} | {row['mean']:+.4f} | {row['interval']} | {p} | {adjusted} | "
                      f"{row['wins']} of {row['n']} | {values} |")
            print()


if __name__ == "__main__":
    main()
