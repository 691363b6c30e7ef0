"""The module uir (tools/wheel/src) against brute force in float64: python_api.py NETWORK.onnx

Rates by their definitions (docs/protocols.md) on random features; embed against uir-extract on the same pictures as files; what is refused.
"""
import os
import pickle
import sys

import numpy as np
import uir

FAR = [1e-3, 1e-2, 0.1]


def unit(features):
    wide = np.asarray(features, np.float32).astype(np.float64)
    return (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32).astype(np.float64)


def curve(genuine, impostor):
    """TAR at FAR: the largest whose FAR is not above; the area: genuine above impostor scores, ties half."""
    numbers = {}
    thresholds = np.unique(np.concatenate([genuine, impostor]))
    for far in FAR:
        allowed = [t for t in thresholds if np.mean(impostor >= t) <= far]
        numbers[f"tar_at_far_{far:g}"] = max((np.mean(genuine >= t) for t in allowed), default=0.0)
    above = np.mean([np.mean(impostor < score) + np.mean(impostor == score) / 2 for score in genuine])
    return {**numbers, "auc": above}


def all_pairs(features, labels):
    vectors = unit(features)
    i, j = np.triu_indices(len(labels), 1)
    scores, same = np.sum(vectors[i] * vectors[j], axis=1), labels[i] == labels[j]
    return curve(scores[same], scores[~same])


def open_set(features, labels):
    scores = unit(features) @ unit(features).T
    count = {label: np.sum(labels == label) for label in labels}
    gallery = [np.flatnonzero(labels == label)[0] for label in np.unique(labels) if count[label] > 1]
    strangers = sorted((scores[row, gallery].max() for row in range(len(labels)) if count[labels[row]] == 1), reverse=True)
    mated = [row for row in range(len(labels)) if count[labels[row]] > 1 and row not in gallery]
    own = np.array([max(scores[row, g] for g in gallery if labels[g] == labels[row]) for row in mated])
    other = np.array([max(scores[row, g] for g in gallery if labels[g] != labels[row]) for row in mated])
    numbers = {"rank1": np.mean(own > other)}
    for far in FAR:
        threshold = strangers[max(int(len(strangers) * far) - 1, 0)]
        numbers[f"dir_at_far_{far:g}"] = np.mean((own > other) & (own > threshold))
    return numbers


def differences(found, expected):
    return {name for name, value in expected.items() if not abs(found[name] - value) < 1e-12}


def agree(found, expected, what):
    assert not differences(found, expected), (what, {name: (found[name], expected[name]) for name in differences(found, expected)})


def features_and_labels():
    random = np.random.default_rng(5)
    labels = np.concatenate([np.repeat(np.arange(30), 4), np.arange(100, 140)])[random.permutation(160)]
    centers = random.normal(size=(140, 24))
    return [centers[labels] + noise * random.normal(size=(160, 24)) for noise in (0.9, 1.4)], labels


def check_measures():
    (a, b), labels = features_and_labels()
    found = uir.evaluate(a, labels, far=FAR)
    agree(found["all_pairs"]["numbers"], all_pairs(a, labels), "all_pairs")
    agree(found["open_set"]["numbers"], open_set(a, labels), "open_set")
    assert differences(found["all_pairs"]["numbers"], all_pairs(a, labels[::-1])), "the oracle sees no difference"
    both = uir.compare(a, b, [f"person {label}" for label in labels], names=["x", "y-2"], far=FAR)
    for name, features in ("x", a), ("y-2", b):
        agree(both["models"][name]["all_pairs"]["numbers"], all_pairs(features, labels), name)
    assert both["models"]["x"] == found, "names for numbers change a number"
    auc = both["comparison"]["all_pairs"]["numbers"]["auc"]
    assert auc["values"] == [both["models"][name]["all_pairs"]["numbers"]["auc"] for name in ("x", "y-2")]
    assert auc["differences"][1] == auc["values"][1] - auc["values"][0] and auc["verdicts"][1] == "worse", auc

    split = np.where(np.arange(160) % 3 == 0, "profile", "frontal")
    result = uir.evaluate({"embeddings": a, "embeddings_mirrored": b}, labels, far=FAR,
                          split=[None if row == 7 else value for row, value in enumerate(split)])["all_pairs"]
    both = a.astype(np.float32).astype(float) + b.astype(np.float32)
    agree(result["numbers"], all_pairs(both, labels), "mirrored")
    part = np.flatnonzero((split == "frontal") & (np.arange(160) != 7))
    agree(result["groups"]["frontal"]["numbers"], all_pairs(both[part], labels[part]), "a group")


def check_pairs():
    (a, _), labels = features_and_labels()
    i, j = np.triu_indices(160, 1)
    chosen = np.random.default_rng(6).permutation(np.concatenate([np.flatnonzero(labels[i] == labels[j]), np.arange(200)]))
    i, j, same = i[chosen], j[chosen], (labels[i] == labels[j])[chosen]
    scores = np.sum(unit(a)[i] * unit(a)[j], axis=1)
    expected = curve(scores[same], scores[~same])
    del expected["tar_at_far_0.1"]
    agree(uir.evaluate(a, labels, pairs=np.stack([i, j, same], axis=1))["verification"]["numbers"], expected, "pairs")


def check_embed(network):
    random = np.random.default_rng(7)
    images = [random.integers(0, 256, shape, np.uint8) for shape in ((112, 112, 3), (112, 112, 3), (100, 80, 3), (112, 92))]
    os.makedirs("pictures")
    for number, image in enumerate(images):
        with open(f"pictures/{number}.ppm", "wb") as file:
            file.write(b"P%d %d %d 255\n" % (6 if image.ndim == 3 else 5, image.shape[1], image.shape[0]) + image.tobytes())
    with open("pictures.txt", "w") as file:
        file.writelines(f"{number}.ppm\n" for number in range(len(images)))
    with open("pictures.yaml", "w") as file:
        file.write(f"{{paths: {{run: extracted}}, extract: {{weights: {network}}}, train: {{precision: float32}}, data: {{sources: "
                   "[{name: all, role: test, type: list, root: pictures, list: pictures.txt, format: path}]}}")
    uir.run("uir-index", "pictures.yaml")
    uir.run("uir-extract", "pictures.yaml")
    expected = np.load("extracted/embeddings/all/embeddings.npy")
    found = uir.embed(images, network, options={"train.precision": "float32", "extract.mirrored": False})
    assert sorted(found) == ["embeddings", "manifest"], "not mirrored"
    found, largest = found["embeddings"], np.abs(expected).max()
    assert found.shape == expected.shape and np.allclose(found, expected, rtol=0, atol=1e-5 * largest), "embeddings differ"
    assert np.abs(found[0] - found[1]).max() > 1e-3 * largest, "all pictures are alike"


def refused(code, call):
    """What it says; ValueError where code is None."""
    try:
        call()
    except uir.Error as error:
        assert code == error.code and str(error).endswith(f"(exit code {code})"), error
        assert pickle.loads(pickle.dumps(error)).message == error.message
        return error.message
    except ValueError as error:
        assert code is None, error
        return str(error)
    raise AssertionError("it was not refused")


def check_errors():
    (a, b), labels = features_and_labels()
    broken = a.copy()
    broken[3, 0] = np.nan
    assert "row 3" in refused(65, lambda: uir.evaluate(broken, labels))
    assert "no_such.onnx" in refused(66, lambda: uir.embed(np.zeros((1, 112, 112, 3), np.uint8), "no_such.onnx"))
    assert "nothing.yaml" in refused(66, lambda: uir.run("uir-eval", "nothing.yaml"))
    assert "PATH" in refused(127, lambda: uir.run("uir-no-such-program"))
    assert "159 labels" in refused(None, lambda: uir.evaluate(a, labels[1:]))
    assert "row 2" in refused(None, lambda: uir.evaluate(a, np.where(np.arange(160) == 2, -1, labels)))
    for wrong in labels.astype(float), [None, *labels[1:]], labels[:, None], []:
        assert "labels" in refused(None, lambda: uir.evaluate(a, wrong))
    for wrong in [[0, 1]], [[0, 160, 1]], [[0, 1, 2]], [[0.0, 1, 1]]:
        assert "pairs" in refused(None, lambda: uir.evaluate(a, labels, pairs=wrong))
    assert "split" in refused(None, lambda: uir.evaluate(a, labels, split=["a,b"] * 160))
    assert "names" in refused(None, lambda: uir.compare(a, b, labels, names="xx"))
    for wrong in [], np.zeros((112, 112, 3), np.uint8), np.zeros((1, 112, 112, 3), np.float32):
        assert "images" in refused(None, lambda: uir.embed(wrong, "model.onnx"))


def main(network):
    check_errors()
    check_measures()
    check_pairs()
    check_embed(network)
    print("the module agrees with brute force")


if __name__ == "__main__":
    main(*sys.argv[1:])
