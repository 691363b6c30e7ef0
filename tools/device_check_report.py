#!/usr/bin/env python3
"""What tools/device_check.sh counts and writes with: numbers of its parts, their results, the table. Python's own library alone.

A part's file, NAME.json, holds "numbers" (name: value), "misses" (texts) and, if it was skipped, "skipped" (why).
"""
import array
import datetime
import json
import math
import pathlib
import re
import resource
import subprocess
import sys

# What a part can come to; all but the first are named at the end.
PASSED, FAILED, MISSED, CUT_OFF, SKIPPED = "passed", "failed", "missed", "cut off", "skipped"


def read(path, otherwise=None):
    try:
        return json.loads(pathlib.Path(path).read_text())
    except OSError:
        return otherwise


def write(path, content):
    new = pathlib.Path(f"{path}.new")
    new.write_text(json.dumps(content, indent=1) + "\n")
    new.replace(path)


def change(path, **entries):
    content = read(path, {"numbers": {}, "misses": []})
    for key, value in entries.items():
        if isinstance(value, dict):
            content[key].update(value)
        elif isinstance(value, list):
            content[key] += value
        else:
            content[key] = value
    write(path, content)


def number(path, name, value, bound="", target=""):
    """Notes a number; with `least` or `most` and a target, also whether it misses that."""
    value = json.loads(value)
    change(path, numbers={name: value})
    if not bound:
        return
    target = float(target)
    if value is not None and math.isfinite(value) and (value >= target if bound == "least" else value <= target):
        return
    change(path, misses=[f"{name} {text_of(value)}, target at {bound} {target:g}"])


def skip(path, why):
    change(path, skipped=why)


def get(path, *keys):
    """Prints a value of a JSON file."""
    value = read(path)
    for key in keys:
        value = value[key]
    print(json.dumps(value) if not isinstance(value, str) else value)


def quotient(a, b):
    print(json.loads(a) / json.loads(b))


def sum_of(a, b):
    print(json.loads(a) + json.loads(b))


def run_peak(path, name, *command):
    """Runs a command and notes its peak of resident memory, or that of its largest process [GB]; its exit code."""
    code = subprocess.run(command).returncode
    change(path, numbers={name: resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9})
    sys.exit(code)


def estimate(path):
    """Prints an estimate's memory on the device, or of the process on a CPU [GB]: without and with the libraries' own."""
    table = pathlib.Path(path).read_text().split("memory of a rank\n")[1].split("\n\n")[0]

    def row(name):
        value, prefix = re.search(rf"^  (?:{name}) .*? ([\d.]+) ([kMGT]?)B$", table, re.M).groups()
        return float(value) * {"": 1e-9, "k": 1e-6, "M": 1e-3, "G": 1, "T": 1e3}[prefix]
    total = row("total")
    print(total - row("program and libraries|CUDA context and libraries"), total)


def tensors(path):
    """Name and float32 values of a safetensors file's tensors; others as bytes."""
    data = pathlib.Path(path).read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    for name, entry in sorted(json.loads(data[8:end]).items()):
        if name == "__metadata__":
            continue
        begin, stop = entry["data_offsets"]
        content = data[end + begin:end + stop]
        yield name, array.array("f", content) if entry["dtype"] == "F32" else content


def compare_checkpoints(path, one, other):
    """Notes whether two checkpoints hold the same bytes, and the largest relative difference of a tensor."""
    same, worst = True, 0.0
    files = sorted(file.name for file in pathlib.Path(one).glob("*.safetensors"))
    if not files or files != sorted(file.name for file in pathlib.Path(other).glob("*.safetensors")):
        sys.exit(f"{one} and {other} do not hold the same files")
    for file in files:
        for (name, a), (name_b, b) in zip(tensors(f"{one}/{file}"), tensors(f"{other}/{file}"), strict=True):
            if name != name_b or len(a) != len(b):
                sys.exit(f"{file}: {name} and {name_b} differ in name or size")
            if a == b:
                continue
            same = False
            if isinstance(a, array.array):
                size = math.sqrt(sum(x * x for x in b))
                worst = max(worst, math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b))) / max(size, 1e-30))
            elif name != "step":
                worst = math.inf
    change(path, numbers={"equal_to_the_bit": same, "largest_difference": worst})


def compare_embeddings(path, one, other):
    """Notes the smallest cosine between the rows of two files of float32 embeddings."""
    def rows(file):
        data = pathlib.Path(file).read_bytes()
        end = 10 + int.from_bytes(data[8:10], "little")
        count, size = map(int, re.search(rb"'shape': \((\d+), (\d+)\)", data[:end]).groups())
        values = array.array("f", data[end:])
        return [values[i * size:(i + 1) * size] for i in range(count)]

    def cosine(a, b):
        dot = sum(x * y for x, y in zip(a, b))
        return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    pairs = list(zip(rows(one), rows(other), strict=True))
    change(path, numbers={"embeddings": len(pairs), "smallest_cosine": min(cosine(a, b) for a, b in pairs)})


# --- The report -------------------------------------------------------------------------------------------------------------

def begin(out, device, minutes, left_out):
    write(f"{out}/device_check.json", {
        "device": device, "minutes": float(minutes), "started": datetime.datetime.now().isoformat(timespec="seconds"),
        "parts": [], "left_out": left_out.split(), "passed": False})


def last_words(log):
    """The last line of a part's output."""
    lines = pathlib.Path(log).read_text(errors="replace").split("\n") if pathlib.Path(log).exists() else []
    return next((line.strip()[:160] for line in reversed(lines) if line.strip()), "it said nothing")


def result_of(part, code, seconds, limit, log):
    """A part's result and the reason, from its exit code and its file."""
    if code == 124 or (code == 137 and seconds >= limit):
        return CUT_OFF, f"after its limit of {limit} s"
    if code == 137:
        return FAILED, "killed (for memory?)"
    if code != 0:
        return FAILED, last_words(log)
    if "skipped" in part:
        return SKIPPED, part["skipped"]
    if part["misses"]:
        return MISSED, "; ".join(part["misses"])
    return PASSED, ""


def record(out, name, code, limit, seconds):
    """Adds a part to the report."""
    part = read(f"{out}/{name}.json", {"numbers": {}, "misses": []})
    result, reason = result_of(part, int(code), float(seconds), int(limit), f"{out}/{name}.log")
    report = read(f"{out}/device_check.json")
    report["parts"].append({"name": name, "result": result, "reason": reason, "seconds": float(seconds),
                            "limit_s": int(limit), "numbers": part["numbers"]})
    write(f"{out}/device_check.json", report)
    print(f"{name}: {result}" + (f": {reason}" if reason else ""), flush=True)


def text_of(value):
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value)


def finish(out, may_skip):
    """The table; ends with 0 only if all parts passed, or were skipped and may be."""
    report = read(f"{out}/device_check.json")
    print(f"\n{'part':<10}  {'result':<8}  {'seconds':>7}  numbers")
    for part in report["parts"]:
        numbers = ", ".join(f"{name} {text_of(value)}" for name, value in part["numbers"].items())
        print(f"{part['name']:<10}  {part['result']:<8}  {part['seconds']:7.1f}  {numbers}")
    bad = [part for part in report["parts"] if part["result"] != PASSED]
    for part in bad:
        print(f"  {part['name']} {part['result']}: {part['reason']}")
    if report["left_out"]:
        print("  left out, not asked for: " + " ".join(report["left_out"]))
    held = [part["name"] for part in bad if part["result"] != SKIPPED or part["name"] not in may_skip.split()]
    report["passed"] = not held and bool(report["parts"])
    write(f"{out}/device_check.json", report)
    count = len(report["parts"])
    print(f"device check on {report['device']}: {count - len(bad)} of {count} parts passed"
          + (f"; not: {' '.join(held)}" if held else "") + f"; {out}/device_check.json")
    sys.exit(0 if report["passed"] else 1)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
