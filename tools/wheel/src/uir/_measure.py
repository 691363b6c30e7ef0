"""evaluate and compare: one experiment for uir-eval, whose report.json is the answer."""
import json
import os
import tempfile

import numpy as np

from ._programs import run

_FAR = (1e-4, 1e-3, 1e-2)
_SETS = {"embeddings": "features", "embeddings_mirrored": "mirrored"}  # keys of embed's result: keys of a set


def evaluate(features, labels, *, pairs=None, far=None, split=None):
    """How well embeddings tell people apart.

    features  [N, D] numbers, row i the embedding of image i (computed with as float32); or what embed returned, whose mirrored
              embeddings then count as well
    labels    N whole numbers or names: who image i shows; an image of a stranger has a label of its own
    pairs     [P, 3] whole numbers i, j, same: these pairs of images in ten folds (protocol "verification") instead of all pairs
              ("all_pairs"), and of the open-set protocol ("open_set"), which needs people with one image beside others with more
    far       false-acceptance rates; default 1e-4, 1e-3, 1e-2 (pairs have their own)
    split     N texts, for instance poses: every number also for each of them; "" or None: none

    Returns a dict by protocol, as docs/protocols.md#the-report describes it: result["all_pairs"]["numbers"]["tar_at_far_0.001"],
    ["uncertainty"], ["counts"], ["details"] … Lists whose entries have names are dicts by name.
    Raises Error (exit code 65) for what cannot be measured, such as rows of zeros, ValueError for input of another shape.
    """
    return _report({"features": features}, labels, pairs, far, split)["models"]["features"]["protocols"]


def compare(a, b, labels, *, names=("a", "b"), pairs=None, far=None, split=None):
    """Which of two networks is better, by their embeddings a and b of the same images. Arguments as of evaluate; names hold letters, digits,
    _ and -.

    Returns {"models": {"a": …, "b": …}, "comparison": …}: each model's protocols as evaluate returns them, and by protocol what
    became of each number: result["comparison"]["all_pairs"]["numbers"]["auc"] has values, differences, difference_intervals and
    verdicts ("better", "worse", "not decided"), for each model against the first.
    """
    names = [str(name) for name in names]
    if len(names) != 2 or len(set(names)) != 2:
        raise ValueError("names: two different ones")
    report = _report(dict(zip(names, (a, b))), labels, pairs, far, split)
    return {"models": {name: model["protocols"] for name, model in report["models"].items()},
            "comparison": report["comparison"]["protocols"]}


def _report(models, labels, pairs, far, split):
    with tempfile.TemporaryDirectory(prefix="uir-") as folder:
        labels = _identities(labels)
        _write_lines(folder, "labels.txt", labels)
        experiment = {"paths": {"run": os.path.join(folder, "run")},
                      "eval": {"models": [{"name": name, "sets": [{"set": "faces", "labels": os.path.join(folder, "labels.txt"),
                                                                   **_write_features(folder, f"{i}", features, len(labels))}]}
                                          for i, (name, features) in enumerate(models.items())],
                               "protocols": _protocols(folder, labels, pairs, far, split)}}
        config = os.path.join(folder, "experiment.yaml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump(experiment, file, ensure_ascii=False)  # JSON is YAML
        run("uir-eval", config)
        with open(os.path.join(folder, "run", "report", "report.json"), encoding="utf-8") as file:
            return by_name(json.load(file))


def by_name(value):
    """Lists of dicts with a name each become dicts by name, at any depth."""
    if isinstance(value, dict):
        return {key: by_name(entry) for key, entry in value.items()}
    if not isinstance(value, list):
        return value
    entries = [by_name(entry) for entry in value]
    names = [entry.pop("name") for entry in entries if isinstance(entry, dict) and "name" in entry]
    return dict(zip(names, entries)) if entries and len(names) == len(entries) else entries


def _protocols(folder, labels, pairs, far, split):
    extra = {} if split is None else {"attributes": _write_split(folder, split, len(labels)), "split": "split"}
    if pairs is not None:
        if far is not None:
            raise ValueError("far: pairs have rates of their own")
        return [{"name": "verification", "type": "verification", "set": "faces", "format": "path_pairs",
                 "pairs": _write_pairs(folder, pairs, len(labels)), **extra}]
    extra["far"] = [float(rate) for rate in (_FAR if far is None else far)]
    protocols = [{"name": "all_pairs", "type": "all_pairs", "set": "faces", **extra}]
    images = np.bincount(labels)
    if images.min() == 1 < images.max():
        protocols.append({"name": "open_set", "type": "open_set", "set": "faces", **extra})
    return protocols


def _identities(labels):
    """Dense numbers of people, in the order in which they appear."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) == 0:
        raise ValueError(f"labels: one for each image, not an array of shape {labels.shape}")
    if labels.dtype.kind == "O":
        if not all(isinstance(label, str) for label in labels):
            raise ValueError("labels: all whole numbers, or all names")
        labels = labels.astype(str)
    if labels.dtype.kind not in "iuU":
        raise ValueError(f"labels: whole numbers or names, not {labels.dtype}")
    if labels.dtype.kind == "i" and labels.min() < 0:
        raise ValueError(f"labels: {labels.min()} in row {labels.argmin()}; give each stranger a label of its own, or leave the row out")
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _write_features(folder, stem, features, rows):
    """The set's entries that name them."""
    sets = features if isinstance(features, dict) else {"embeddings": features}
    entries = {}
    for key in (key for key in _SETS if key in sets):
        matrix = np.asarray(sets[key])
        if matrix.ndim != 2 or len(matrix) != rows or matrix.dtype.kind not in "fiu":
            raise ValueError(f"features: [{rows}, D] numbers, as there are {rows} labels, not {matrix.dtype} of shape {matrix.shape}")
        entries[_SETS[key]] = os.path.join(folder, f"{stem}_{key}.npy")
        np.save(entries[_SETS[key]], np.ascontiguousarray(matrix, np.float32))
    if "features" not in entries:
        raise ValueError("features: a dict without 'embeddings'")
    return entries


def _write_pairs(folder, pairs, rows):
    pairs = np.asarray(pairs)
    if pairs.ndim != 2 or pairs.shape[1] != 3 or pairs.dtype.kind not in "iub":
        raise ValueError(f"pairs: [P, 3] whole numbers i, j, same, not {pairs.dtype} of shape {pairs.shape}")
    if pairs[:, :2].min(initial=0) < 0 or pairs[:, :2].max(initial=0) >= rows or pairs[:, 2].min(initial=0) < 0 or pairs[:, 2].max(initial=0) > 1:
        raise ValueError(f"pairs: i and j from 0 to {rows - 1}, same 0 or 1")
    return _write_lines(folder, "pairs.txt", (f"{i} {j} {same}" for i, j, same in pairs.astype(np.int64).tolist()))


def _write_split(folder, split, rows):
    values = ["" if value is None else str(value) for value in split]
    if len(values) != rows:
        raise ValueError(f"split: {len(values)} values, but {rows} labels")
    if any(set(value) & set('",\r\n') for value in values):
        raise ValueError("split: values without commas, quotes and line breaks")
    return _write_lines(folder, "split.csv", ["image,split", *(f"{row},{value}" for row, value in enumerate(values))])


def _write_lines(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path
