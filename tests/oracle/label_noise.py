"""Oracle of uir-index clean, in float64 from docs/curation.md.

features             features.npy, items.txt, labels.txt of the folder faces: directions of the true persons, which
                     file names tell (person_0003_0001.jpg, moved_3.jpg: person 3)
check CLEAN_JSON     whether every image and class that is reported has the mean cosines that it is said to have
plant ITEMS SEED  wrong labels among the images of a benchmark (items: person/image): labels.txt, truth.json
score TRUTH EXCLUDE MAP     what was found of them
"""
import json
import os
import re
import sys

import numpy as np


def unit(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def read_items(path):
    with open(path) as file:
        return [line.rstrip("\n") for line in file if line.strip()]


def person_of(item):
    name = item.split("/")[-1]
    found = re.match(r"person_(\d+)_", name) or re.match(r"moved_(\d+)", name)
    return int(found.group(1))


def make_features():
    items = sorted(f"{folder}/{image}" for folder in os.listdir("faces") for image in os.listdir(f"faces/{folder}"))
    folders = sorted({item.split("/")[0] for item in items})
    directions = np.random.default_rng(1).normal(size=(1000, 128))
    noise = np.random.default_rng(2)
    features = np.stack([directions[person_of(item)] + 0.9 * noise.normal(size=128) for item in items])
    np.save("features.npy", features.astype(np.float32))
    with open("items.txt", "w") as file:
        file.writelines(item + "\n" for item in items)
    with open("labels.txt", "w") as file:
        file.writelines(f"{folders.index(item.split('/')[0])}\n" for item in items)


def check(path):
    found = json.load(open(path))
    items = read_items("items.txt")
    vectors = unit(np.load("features.npy").astype(np.float64))
    row = {item: i for i, item in enumerate(items)}
    identity = np.array([item.split("/")[0] for item in items])
    out = {row[image["item"]] for image in found["unlike"]}
    left = {name: [i for i in np.flatnonzero(identity == name) if i not in out] for name in set(identity)}
    for image in found["unlike"]:
        i = row[image["item"]]
        for name, cosine in ((image["identity"], image["own_cosine"]), (image["likely"], image["likely_cosine"])):
            mean = np.mean([vectors[i] @ vectors[j] for j in left[name]])
            assert abs(mean - cosine) < 1e-6, (image, mean)
        likely = max((np.mean(vectors[left[name]] @ vectors[i]) / np.linalg.norm(vectors[left[name]].mean(0)), name)
                     for name in left if name != image["identity"])[1]
        assert likely == image["likely"], (image, likely)
    for merge in found["merges"]:
        mean = np.mean(vectors[left[merge["identity"]]] @ vectors[left[merge["into"]]].T)
        assert abs(mean - merge["cosine"]) < 1e-6, (merge, mean)
    print(f"{len(found['unlike'])} images, {len(found['merges'])} merges: the same")


def plant(items_file, seed):
    rng = np.random.default_rng(seed)
    _, labels = np.unique([item.split("/")[0] for item in read_items(items_file)], return_inverse=True)
    true, sizes = labels.copy(), np.bincount(labels)
    free = set(range(len(sizes)))
    moved, splits, joins = [], [], []
    for label in rng.choice(np.flatnonzero(sizes >= 3), 200, replace=False):
        image, target = rng.choice(np.flatnonzero(true == label)), label
        while target == label:
            target = rng.integers(len(sizes))
        labels[image] = target
        moved.append(int(image))
        free -= {label, target}
    large = [label for label in sorted(free) if sizes[label] >= 4]
    rng.shuffle(large)
    for label in large[:100]:
        images = np.flatnonzero(true == label)
        rng.shuffle(images)
        labels[images[: len(images) // 2]] = len(sizes) + len(splits)
        splits.append([int(label), len(sizes) + len(splits)])
        free.discard(label)
    some = [label for label in sorted(free) if sizes[label] >= 2]
    rng.shuffle(some)
    for a, b in zip(some[0:100:2], some[1:100:2]):
        labels[true == b] = a
        joins.append([int(a), int(b)])
    np.savetxt("labels.txt", labels, fmt="%d")
    json.dump({"moved": moved, "splits": splits, "joins": joins, "labels": labels.tolist(), "true": true.tolist(),
               "items": read_items(items_file)}, open("truth.json", "w"))


def score(truth_file, exclude, label_map):
    truth = json.load(open(truth_file))
    row = {item: i for i, item in enumerate(truth["items"])}
    out = {row[line.split("\t")[0]] for line in open(exclude)}
    into = dict(map(int, line.split("\t")[:2]) for line in open(label_map))
    labels, true = np.array(truth["labels"]), np.array(truth["true"])
    moved = [image in out for image in truth["moved"]]
    splits = [into.get(a, a) == into.get(b, b) for a, b in truth["splits"]]
    joins, planted = [], set(truth["moved"])
    for a, b in truth["joins"]:
        sides = [set(np.flatnonzero((labels == a) & (true == person)).tolist()) for person in (a, b)]
        planted |= sides[0] | sides[1]
        joins.append(max(len(side & out) / len(side) for side in sides) >= 0.9)
    clean = len(labels) - len(planted)
    others = len(into) - sum(splits)
    print(f"moved images found {np.mean(moved):.3f}, split classes {np.mean(splits):.3f}, joined classes "
          f"{np.mean(joins):.3f}, together {np.mean(moved + splits + joins):.4f} of {len(moved + splits + joins)}; "
          f"of {clean} clean images left out {len(out - planted) / clean:.5f}; other classes merged {others}")


if __name__ == "__main__":
    mode, arguments = sys.argv[1], sys.argv[2:]
    if mode == "features":
        make_features(*arguments)
    elif mode == "check":
        check(*arguments)
    elif mode == "plant":
        plant(arguments[0], int(arguments[1]))
    else:
        score(*arguments)
