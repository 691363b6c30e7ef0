"""Exported files in one program of other people: python3 onnx_clients.py PROGRAM STORE IMAGES FILE.onnx…

PROGRAM: ort, openvino, opencv, onnx (its reference evaluator). STORE: what uir-extract made of the images in float32, without
mirror images. IMAGES: the folder of its source, 112 x 112. For each file a line: the largest difference of an embedding, relative to its norm,
over batches of 1, 3, 1 and 5 faces, each with the program's own defaults.
"""
import os
import sys
import warnings

import cv2
import numpy as np

warnings.simplefilter("ignore")


def ort(path):
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return onnxruntime.__version__, lambda x: session.run(None, {session.get_inputs()[0].name: x})[0]


def openvino(path):
    import openvino
    core = openvino.Core()
    model = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return openvino.__version__.split("-")[0], lambda x: model(x)[0]


def opencv(path):
    network = cv2.dnn.readNetFromONNX(path)

    def embed(x):
        network.setInput(x)
        return network.forward().copy()
    return cv2.__version__, embed


def onnx(path):
    import onnx
    from onnx.reference import ReferenceEvaluator
    evaluator = ReferenceEvaluator(path)
    return onnx.__version__, lambda x: evaluator.run(None, {"data": x})[0]


def main(program, store, images, files):
    expected = np.load(os.path.join(store, "embeddings.npy"))
    items = [line.split("\t")[0] for line in open(os.path.join(store, "items.tsv"))]
    faces = np.stack([cv2.imread(os.path.join(images, item))[:, :, ::-1] for item in items])
    pixels = np.ascontiguousarray((faces.transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 127.5)
    for path in files:
        try:
            version, embed = globals()[program](path)
            largest, begin = 0.0, 0
            for size in 1, 3, 1, 5:
                found = np.asarray(embed(pixels[begin:begin + size])).reshape(size, -1)
                right = expected[begin:begin + size]
                largest = max(largest, float(np.max(np.linalg.norm(found - right, axis=1) / np.linalg.norm(right, axis=1))))
                begin += size
            print(f"{program} {version}: {os.path.basename(path)}: {largest:.1e}")
        except Exception as error:  # a refusal is a result
            print(f"{program}: {os.path.basename(path)}: refused: {str(error).splitlines()[0][:100]}")


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
