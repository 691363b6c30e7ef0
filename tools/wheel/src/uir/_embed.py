"""embed: images as files, uir-index, uir-extract, and the store that it left."""
import json
import os
import tempfile

import numpy as np

from ._programs import Error, run


def embed(images, model, *, options=None):
    """Embeddings of aligned faces.

    images   [N, 112, 112, 3] bytes (uint8), RGB; or a sequence of arrays [height, width, 3] or, grey, [height, width]: other sizes than
             112 x 112 are resized
    model    an ONNX file of anyone; or a run folder of uir-train, a checkpoint of it, or other weights that uir-export reads
    options  of docs/config.md, by their dotted names: {"extract.onnx.color_order": "bgr", "train.precision": "float32"}

    Returns {"embeddings": [N, D] float32, not normalised; "embeddings_mirrored": those of the mirror images, unless
    extract.mirrored is false; "manifest": which weights, pixels and engine}. Add the first two, as evaluate does, for the embedding of the
    evaluation protocols.
    Which engine computes an ONNX file is found out anew in every call, which takes seconds: give it many images at once.
    Raises Error for what a program refuses, ValueError for images of another shape.
    """
    model = os.path.abspath(os.fspath(model))
    if not os.path.exists(model):
        raise Error(f"{model}: no such network", 66)
    with tempfile.TemporaryDirectory(prefix="uir-") as folder:
        _write_images(folder, images)
        config = os.path.join(folder, "experiment.yaml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"paths": {"run": os.path.join(folder, "run")},
                       "data": {"sources": [{"name": "faces", "role": "test", "type": "list", "root": os.path.join(folder, "faces"),
                                             "list": os.path.join(folder, "faces.txt"), "format": "path"}]},
                       "extract": {"weights": _as_onnx(folder, model)}}, file, ensure_ascii=False)
        settings = [text for name, value in (options or {}).items() for text in ("--set", f"{name}={_yaml(value)}")]
        run("uir-index", config, *settings)
        run("uir-extract", config, *settings)
        return _read_store(os.path.join(folder, "run", "embeddings", "faces"))


def _yaml(value):
    return value if isinstance(value, str) else json.dumps(value)


def _as_onnx(folder, model):
    """A run's or a checkpoint's network as an ONNX file, which needs no model section."""
    if model.endswith(".onnx"):
        return model
    path = os.path.join(folder, os.path.basename(model) + ".onnx")
    experiment = os.path.join(model, "config.yaml")
    if os.path.isdir(os.path.join(model, "checkpoints")):
        run("uir-export", experiment, path, "--check-images", "2", "--set", f"paths.run={model}")
    else:
        run("uir-export", "--weights", model, path, "--check-images", "2")
    return path


def _write_images(folder, images):
    if getattr(images, "ndim", 4) == 3 and images.shape[2] == 3:
        raise ValueError(f"images: an array of shape {images.shape} is one image; give a list of them")
    os.mkdir(os.path.join(folder, "faces"))
    names = []
    for number, image in enumerate(images):
        names.append(f"{number:08d}.ppm")
        with open(os.path.join(folder, "faces", names[-1]), "wb") as file:
            file.write(_ppm(np.asarray(image), number))
    if not names:
        raise ValueError("images: there are none")
    with open(os.path.join(folder, "faces.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)


def _ppm(image, number):
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or image.size == 0:
        raise ValueError(f"images: image {number} is {image.dtype} of shape {image.shape}, not uint8 [height, width, 3] in RGB or, grey, [height, width]")
    height, width = image.shape[:2]
    return b"P%d\n%d %d\n255\n" % (6 if image.ndim == 3 else 5, width, height) + image.tobytes()


def _read_store(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        result = {"manifest": json.load(file)}
    for name in ("embeddings", "embeddings_mirrored"):
        path = os.path.join(folder, f"{name}.npy")
        if os.path.exists(path):
            result[name] = np.load(path)
    return result
