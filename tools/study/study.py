#!/usr/bin/env python3
"""Trains and measures what plan.json names, run by run; a later start goes on where this one ended.

    study.py --faces FOLDER [--lists FOLDER] --work FOLDER [--bin FOLDER] [--stage choosing|confirming] [--dry-run]
             [--plan FILE] [--results FOLDER]    # another study

FOLDER of the faces: lfw-112X112/ (all of LFW's crops, one folder a person) and celeba299/; beside them, or where
--lists says, the lists celeba/labeled.lst and celeba/unlabeled.lst. Each arm of a run leaves results/RUN-ARM.json
here: its numbers, their intervals, counts, the split's and the programs' checksums. tables.py makes the tables.
Faces and trained networks stay in the work folder.
"""
import argparse
import hashlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent


def read_people(faces, lists):
    """{person: [paths below the faces]}, and the paths of CelebA's unlabeled list."""
    people = {}
    for folder in sorted((faces / "lfw-112X112").iterdir()):
        images = sorted(f"lfw-112X112/{folder.name}/{image.name}" for image in folder.iterdir())
        people["lfw/" + folder.name] = images
    for line in (lists / "celeba/labeled.lst").read_text().splitlines():
        path, label = line.split("\t")
        people.setdefault("celeba/" + label, []).append("celeba299/" + path)
    lines = (lists / "celeba/unlabeled.lst").read_text().splitlines()
    return people, ["celeba299/" + line.split("\t")[0] for line in lines]


def draw_split(people, unlabeled, run, most_images):
    """Lists of one run: {name: [(path, label)]}."""
    draw = random.Random(f"split {run}")
    names = sorted(people)
    left_out = set(draw.sample(names, len(names) // 5))
    split = {"labeled": [], "unlabeled": [(path, None) for path in unlabeled], "test": []}
    for label, name in enumerate(names):
        images = people[name]
        if name in left_out:
            split["test"] += [(path, label) for path in images]
        elif len(images) >= 2:
            chosen = images if len(images) <= most_images else sorted(draw.sample(images, most_images))
            split["labeled"] += [(path, label) for path in chosen]
        else:
            split["unlabeled"] += [(images[0], None)]
    return split


def write_lists(split, folder):
    """LFW's crops sit 8 pixels left of CelebA's, so each list is two, with a shift of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, entries in split.items():
        for part, prefix in (("lfw", "lfw-112X112/"), ("celeba", "celeba299/")):
            lines = [path if label is None else f"{path}\t{label}" for path, label in entries
                     if path.startswith(prefix)]
            (folder / f"{name}_{part}.lst").write_text("".join(line + "\n" for line in lines))


def sources_of(folder, held_out):
    sources = []
    for name, role, form in (("labeled", "labeled", "path_label"), ("unlabeled", "unlabeled", "path"),
                             ("test", "test", "path_label")):
        for part, shift in (("lfw", [8, 0]), ("celeba", [0, 0])):
            path = folder / f"{name}_{part}.lst"
            if path.stat().st_size == 0:
                continue
            source = {"name": f"{name}_{part}", "role": role, "type": "list", "list": str(path), "root": ".",
                      "format": form, "shift": shift}
            if role == "labeled":
                source["held_out"] = held_out
            sources.append(source)
    return sources


def experiment(plan, faces, run_folder, seed, settings):
    """As JSON, which is YAML."""
    sources = sources_of(run_folder / "lists", plan["held_out"])
    names = {role: [s["name"] for s in sources if s["role"] == role] for role in ("labeled", "test")}
    known = [name + ".held_out" for name in names["labeled"]]
    training = {
        "epochs": settings["epochs"],
        "seed": seed,
        "batch": {"labeled": settings["labeled"], "unlabeled": settings["unlabeled"]},
        "optimizer": {"type": "sgd", "weight_decay": 5e-4},
        "schedule": {"type": "cosine", "base_lr": settings["base_lr"],
                     "warmup_epochs": settings.get("warmup_epochs", 0)},
        "checkpoint": {"every_steps": 200},
        "tensorboard": False,
    }
    if "from" in settings:
        training["init"] = {"from": str(settings["from"])}
    folder = settings["run"]
    merged = {"set": "test", "features": str(folder / "test.npy"), "mirrored": str(folder / "test_mirrored.npy"),
              "labels": str(folder / "test_people.txt")}
    return {
        "paths": {"data_root": str(faces), "run": str(folder), "index": str(run_folder / "index")},
        "data": {"sources": sources},
        "model": plan["network"],
        "head": {"type": "combined", "m2": 0.3, "scale": plan["scale"]},
        "uir": {"weight": settings.get("weight", 0), "reduction": settings.get("reduction", "mean")},
        "train": training,
        "extract": {"sets": names["test"] + known},
        "eval": {
            "models": [{"name": "arm", "run": str(folder), "sets": [merged]}],
            "protocols": [
                {"name": "all_pairs", "type": "all_pairs", "set": "test", "far": [1e-3, 1e-2]},
                {"name": "open_set", "type": "open_set", "set": "test", "far": [0.05, 0.1]},
                {"name": "centers", "type": "separation"},
                {"name": "rejection", "type": "rejection", "known": known, "strangers": names["test"]},
            ],
        },
    }


def merge_test_sets(sources, folder):
    """The test faces of both parts as one set of features."""
    import numpy

    parts = [folder / "embeddings" / s["name"] for s in sources if s["role"] == "test"]
    for name, merged in (("embeddings.npy", "test.npy"), ("embeddings_mirrored.npy", "test_mirrored.npy")):
        numpy.save(folder / merged, numpy.concatenate([numpy.load(part / name) for part in parts]))
    people = {}
    with open(folder / "test_people.txt", "w") as out:
        for part in parts:
            for line in (part / "items.tsv").read_text().splitlines():
                path, label = line.split("\t")
                person = path.split("/")[1] if path.startswith("lfw") else "celeba " + label
                out.write(f"{people.setdefault(person, len(people))}\n")


class Study:
    def __init__(self, options):
        self.plan = json.loads(options.plan.read_text())
        self.results = options.results
        self.results.mkdir(parents=True, exist_ok=True)
        self.faces, self.bin, self.work = options.faces.resolve(), options.bin.resolve(), options.work.resolve()
        workers = self.bin.parent / "libexec/uir"
        programs = [workers / name for name in ("uir-index", "uir-train", "uir-extract", "uir-eval")]
        self.programs = hashlib.sha256(b"".join(program.read_bytes() for program in programs)).hexdigest()
        self.people, self.unlabeled = read_people(self.faces, (options.lists or options.faces).resolve())

    def program(self, name, *arguments):
        with open(self.work / "log.txt", "ab") as log:
            log.write(f"\n$ {name} {' '.join(map(str, arguments))}\n".encode())
            log.flush()
            done = subprocess.run([self.bin / name, *arguments], stdout=log, stderr=log)
        if done.returncode != 0:
            sys.exit(f"{name} ended with {done.returncode}; see {self.work / 'log.txt'}")

    def split(self, run):
        return draw_split(self.people, self.unlabeled, run, self.plan["most_images"])

    def images(self, run, arm):
        """Of a base (arm None) or a fork: labeled and unlabeled rows."""
        labeled = round(len(self.split(run)["labeled"]) * (1 - self.plan["held_out"]))
        part = self.plan["base"] if arm is None else {**self.plan["fork"], **self.plan["arms"][arm]}
        share = part.get("unlabeled", 0) / part["labeled"]
        return round(labeled * part["epochs"] * (1 + share))

    def arms_of(self, stage):
        arms = list(self.plan[stage]["arms"])
        for kind in ("mean", "released"):
            if f"best_{kind}" in arms:
                arms[arms.index(f"best_{kind}")] = self.best(kind)
        return arms

    def best(self, kind):
        """The arm of the choosing runs with the largest mean difference to lambda_0."""
        numbers, runs = {}, self.plan["choosing"]["runs"]
        for arm in self.plan["choosing"]["arms"]:
            files = [self.results / f"{run}-{arm}.json" for run in runs]
            if not all(file.exists() for file in files):
                return f"best_{kind}"
            numbers[arm] = [json.loads(file.read_text())["numbers"][self.plan["primary"]] for file in files]
        arms = [arm for arm in numbers if arm.startswith(kind)]
        return max(arms, key=lambda arm: sum(numbers[arm]) - sum(numbers["lambda_0"]))

    def write_experiment(self, run_folder, name, seed, settings):
        path = run_folder / f"{name}.yaml"
        path.write_text(json.dumps(experiment(self.plan, self.faces, run_folder, seed, settings), indent=1))
        return path

    def train(self, path, folder):
        resumed = ["--resume"] if (folder / "checkpoints" / "latest").exists() else []
        self.program("uir-train", path, *resumed)

    def base_of(self, run):
        """The checkpoint of a run's base, trained if it is not there."""
        run_folder = self.work / f"run-{run}"
        folder, done = run_folder / "base", run_folder / "base.done"
        if not done.exists():
            write_lists(self.split(run), run_folder / "lists")
            settings = {**self.plan["base"], "unlabeled": 0, "run": folder}
            path = self.write_experiment(run_folder, "base", run, settings)
            self.program("uir-index", path)
            self.train(path, folder)
            done.write_text("")
        return folder / "checkpoints" / (folder / "checkpoints" / "latest").read_text().split()[0]

    def measure(self, run, arm):
        start, run_folder = time.time(), self.work / f"run-{run}"
        base = self.base_of(run)
        of_base = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(base.glob("*.safetensors")))).hexdigest()
        for path in self.results.glob(f"{run}-*.json"):
            result = json.loads(path.read_text())
            for key, mine in ("base_sha256", of_base), ("programs_sha256", self.programs):
                if result[key] != mine:
                    sys.exit(f"{path}: another {key}: arms of one run share their base and the programs; "
                             "remove the run's results")
        folder = run_folder / arm
        settings = {**self.plan["fork"], **self.plan["arms"][arm], "run": folder, "from": base}
        path = self.write_experiment(run_folder, arm, run, settings)
        self.train(path, folder)
        self.program("uir-extract", path, "--set", "extract.weights=" + str(
            folder / "checkpoints" / (folder / "checkpoints" / "latest").read_text().split()[0]))
        merge_test_sets(sources_of(run_folder / "lists", self.plan["held_out"]), folder)
        self.program("uir-eval", path)
        report = json.loads((folder / "report" / "report.json").read_text())
        self.write_result(run, arm, of_base, report["models"][0]["protocols"], time.time() - start)
        shutil.rmtree(folder)

    def write_result(self, run, arm, of_base, protocols, seconds):
        split = json.dumps(self.split(run), sort_keys=True).encode()
        result = {
            "run": run,
            "arm": arm,
            "split_sha256": hashlib.sha256(split).hexdigest(),
            "base_sha256": of_base,
            "images": self.images(run, arm),
            "seconds": round(seconds),
            "programs_sha256": self.programs,
            "counts": {f"{p['name']}.{name}": value for p in protocols for name, value in p["counts"].items()},
            "numbers": {f"{p['name']}.{name}": value for p in protocols for name, value in p["numbers"].items()},
            "uncertainty": {f"{p['name']}.{name}": value for p in protocols
                            for name, value in p["uncertainty"].items()},
        }
        target = self.results / f"{run}-{arm}.json"
        target.with_suffix(".tmp").write_text(json.dumps(result, indent=1) + "\n")
        target.with_suffix(".tmp").replace(target)

    def todo(self, stages):
        """(run, arm, whether it is done), in order."""
        for stage in stages:
            arms = self.arms_of(stage)
            for run in self.plan[stage]["runs"]:
                for arm in arms:
                    yield run, arm, (self.results / f"{run}-{arm}.json").exists()

    def dry_run(self, stages, rate):
        images = left = 0
        bases = set()
        for run, arm, done in self.todo(stages):
            known = arm if arm in self.plan["arms"] else "lambda_0"
            count = self.images(run, known) + (0 if run in bases else self.images(run, None))
            bases.add(run)
            images += count
            left += 0 if done else count
            print(f"{run} {arm}: {count} images{', done' if done else ''}")
        hours = left / rate / 3600
        print(f"{images / 1e6:.2f} million images, {left / 1e6:.2f} left: {hours:.1f} hours at {rate:g} a second")

    def run(self, stages):
        everything = list(self.todo(stages))
        for number, (run, arm, done) in enumerate(everything):
            if done:
                continue
            if arm not in self.plan["arms"]:
                sys.exit(f"{arm} is not known before all choosing runs are done")
            print(f"{number + 1} of {len(everything)}: run {run}, {arm}", flush=True)
            self.measure(run, arm)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=pathlib.Path, required=True)
    parser.add_argument("--lists", type=pathlib.Path)
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--plan", type=pathlib.Path, default=HERE / "plan.json")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    parser.add_argument("--stage", choices=("choosing", "confirming"))
    parser.add_argument("--rate", type=float, default=350, help="images a second, for --dry-run")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    study = Study(options)
    stages = [options.stage] if options.stage else ["choosing", "confirming"]
    if options.dry_run:
        study.dry_run(stages, options.rate)
        return
    # The confirming arms are known when the choosing runs are there.
    for stage in stages:
        study.run([stage])


if __name__ == "__main__":
    main()
