#!/usr/bin/env python3
"""What training runs really take, beside what `uir-train --estimate` says: docs/distributed.md, "Planning".

    tools/bench/measure_ranks.py [--bin build/release/bin] [--steps 4] [--times] [CASE ...]

Each case trains a few steps on synthetic faces with 1 to 4 ranks on this machine, and prints one line of JSON: the
largest rank's peak of resident memory (and of it what belongs to files: libraries, the index), the estimate, their ratio.
--times adds the median step time: of use only while nothing else runs here. Names of cases: see CASES.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

# name: model, identities, images of each, labeled + unlabeled rows, ranks, further options
CASES = {
    "tiny": ("{type: mobilefacenet, width: 0.0625, embedding_size: 32}", 50, 4, 12, 4, [1, 2]),
    "mbf": ("{type: mobilefacenet}", 200, 4, 48, 16, [1, 2, 3, 4]),
    "r18": ("{type: iresnet, depth: 18}", 200, 4, 24, 8, [1, 2]),
    "mbf_bf16": ("{type: mobilefacenet}", 200, 4, 48, 16, [1, 2], "train.precision=bf16"),
    "r18_adamw": ("{type: iresnet, depth: 18}", 200, 4, 24, 8, [1, 2], "train.optimizer.type=adamw"),
    "million": ("{type: mobilefacenet, width: 0.25, embedding_size: 512}", 1_000_000, 1, 96, 32, [2]),
}
CONFIG = """
paths: {{run: run}}
data:
  sources:
    - {{name: people, role: labeled, type: synthetic, identities: {identities}, images_per_identity: {images}}}
    - {{name: web, role: unlabeled, type: synthetic, identities: 200, images_per_identity: 2, first_identity: 2000000}}
model: {model}
train:
  device: cpu
  precision: float32
  threads: 1
  batch: {{labeled: {labeled}, unlabeled: {unlabeled}}}
  schedule: {{type: linear, base_lr: 0.001}}
  checkpoint: {{every_steps: 1000000, background: false}}
"""


def status_of(pid):
    """Peak and file-backed resident memory of a process [bytes]; none once it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = {key: int(value) * 1024 for key, value in re.findall(r"(VmHWM|RssFile):\s+(\d+) kB", text)}
    return found if len(found) == 2 else None


def processes_of(pid):
    """A process and its children."""
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid] + [int(child) for child in children]


def run_and_watch(command, log):
    """Peak resident memory of the largest process of the command."""
    peak = {"VmHWM": 0, "RssFile": 0}
    with open(log, "w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        while process.poll() is None:
            for pid in processes_of(process.pid):
                seen = status_of(pid)
                if seen and seen["VmHWM"] > peak["VmHWM"]:
                    peak = seen
            time.sleep(0.02)
    if process.returncode != 75:  # stopped on request
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n" + pathlib.Path(log).read_text())
    return peak


def bytes_of(text):
    value, prefix = re.fullmatch(r"([\d.]+) ([kMGT]?)B", text).groups()
    return float(value) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[prefix]


def estimated(train, ranks, options):
    command = [train, "exp.yaml", "--estimate", f"{ranks}x1TB"] + options
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    table = text.split("memory of a rank\n")[1]
    return bytes_of(re.search(r"^  total +(.*)$", table, re.M).group(1))


def measure(name, binaries, steps, times):
    model, identities, images, labeled, unlabeled, rank_counts, *options = CASES[name]
    train = str(binaries / "uir-train")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        pathlib.Path("exp.yaml").write_text(CONFIG.format(**locals()))
        subprocess.run([str(binaries / "uir-index"), "exp.yaml"], check=True, capture_output=True)
        for ranks in rank_counts:
            overrides = [word for option in [f"paths.run=run{ranks}", "paths.index=run/index", *options]
                         for word in ("--set", option)]
            command = [train, "exp.yaml", "--stop-after", str(steps), "--nproc-per-node", str(ranks)] + overrides
            if labeled % ranks or unlabeled % ranks:
                overrides += ["--set", f"train.batch.labeled={labeled // ranks * ranks}",
                              "--set", f"train.batch.unlabeled={unlabeled // ranks * ranks}"]
                command = command[:6] + overrides
            peak = run_and_watch(command, "log.txt")
            estimate = estimated(train, ranks, overrides)
            line = {"case": name, "ranks": ranks, "peak_mb": round(peak["VmHWM"] / 1e6),
                    "of_files_mb": round(peak["RssFile"] / 1e6), "estimate_mb": round(estimate / 1e6),
                    "estimate_to_peak": round(estimate / peak["VmHWM"], 3)}
            if times:
                log = [json.loads(text) for text in pathlib.Path(f"run{ranks}/log.jsonl").read_text().splitlines()]
                rates = sorted(entry["images_per_s"] for entry in log[1:] if "images_per_s" in entry)
                line["images_per_s"] = round(rates[len(rates) // 2], 1)
            print(json.dumps(line), flush=True)
        os.chdir("/")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), help=", ".join(CASES))
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--times", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.cases:
        measure(name, arguments.bin.resolve(), arguments.steps, arguments.times)


if __name__ == "__main__":
    main()
