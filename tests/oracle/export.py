"""Exported files, opened by Debian's PyTorch and ONNX.

  export.py images FOLDER COUNT        writes lossless PNGs to embed
  export.py check …                    compares the files of uir-export with the weights that they come from and with the
                                       embeddings of uir-extract (largest relative difference 1e-5)
"""
import argparse
import json
import os
import struct
import sys
import zlib

import numpy as np


def png(pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def faces(count):
    """Coarse random colors with a little noise: nothing that two decoders could see differently."""
    random = np.random.default_rng(3)
    coarse = random.integers(0, 256, (count, 7, 7, 3)).repeat(16, 1).repeat(16, 2)
    return np.clip(coarse + random.integers(-20, 21, (count, 112, 112, 3)), 0, 255).astype(np.uint8)


def write_images(folder, count):
    for i, pixels in enumerate(faces(count)):
        person = os.path.join(folder, f"person{i // 2}")
        os.makedirs(person, exist_ok=True)
        with open(os.path.join(person, f"{i:03}.png"), "wb") as file:
            file.write(png(pixels))


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__")
    kinds = {"F32": "<f4", "I64": "<i8"}
    return metadata, {name: np.frombuffer(data[slice(*t["data_offsets"])], kinds[t["dtype"]]).reshape(t["shape"])
                      for name, t in header.items()}


def same_bits(found, expected, where):
    assert found.dtype == expected.dtype and found.shape == expected.shape, (where, found.dtype, found.shape)
    assert found.tobytes() == expected.tobytes(), where


def difference(found, expected, where):
    largest = (np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)).max()
    print(f"{where}: largest relative difference {largest:.1e}")
    assert largest <= 1e-5, where


def check_state(path, metadata, weights, pixels, embeddings):
    import torch
    from torch_networks import network
    for weights_only in False, True:
        state = torch.load(path, weights_only=weights_only)
        assert type(state).__name__ == "OrderedDict" and set(state) == set(weights), path
        for name, tensor in state.items():
            same_bits(tensor.numpy(), weights[name], name)
    ours = network(json.loads(metadata["architecture"]))
    assert list(state) == list(ours.state_dict()), "the keys stand in another order than PyTorch's"
    ours.load_state_dict(state, strict=True)
    with torch.no_grad():
        difference(ours(torch.from_numpy(pixels)).numpy(), embeddings, path)


def check_script(path, weights, pixels, embeddings, normalized):
    import torch
    extra = {"metadata.json": ""}
    module = torch.jit.load(path, _extra_files=extra)
    assert json.loads(extra["metadata.json"])["color_order"] == "RGB"
    if not normalized:
        assert set(module.state_dict()) == set(weights), path
        for name, tensor in module.state_dict().items():
            same_bits(tensor.numpy(), weights[name], name)
    with torch.no_grad():
        for rows in slice(0, 1), slice(0, None):
            difference(module(torch.from_numpy(pixels[rows])).numpy(), embeddings[rows], path)


def check_onnx(path, weights, dim, opset, folded):
    import onnx
    from onnx import numpy_helper
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", opset)], model.opset_import
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True).graph

    def shape(value):
        return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
    assert [(v.name, shape(v)) for v in inferred.input] == [("data", ["batch", 3, 112, 112])]
    assert [(v.name, shape(v)) for v in inferred.output] == [("embedding", ["batch", dim])]
    if folded:
        return
    for tensor in model.graph.initializer:
        expected = weights[tensor.name]
        same_bits(numpy_helper.to_array(tensor).reshape(expected.shape), expected, tensor.name)


def check(args):
    metadata, weights = read_safetensors(args.weights)
    embeddings = np.load(os.path.join(args.store, "embeddings.npy"))
    raw = faces(len(embeddings)).transpose(0, 3, 1, 2).astype(np.float32)
    pixels = np.ascontiguousarray((raw - np.float32(127.5)) / np.float32(127.5))
    check_state(f"{args.files}.pth", metadata, weights, pixels, embeddings)
    check_script(f"{args.files}.pt", weights, pixels, embeddings, False)
    check_script(f"{args.files}_inside.pt", weights, np.ascontiguousarray(raw), embeddings, True)
    for opset in 11, 13, 17:
        check_onnx(f"{args.files}_{opset}.onnx", weights, embeddings.shape[1], opset, False)
    check_onnx(f"{args.files}_inside.onnx", weights, embeddings.shape[1], 17, True)
    check_onnx(f"{args.files}_default.onnx", weights, embeddings.shape[1], 17, True)


def main():
    if sys.argv[1] == "images":
        return write_images(sys.argv[2], int(sys.argv[3]))
    parser = argparse.ArgumentParser()
    parser.add_argument("check")
    parser.add_argument("--weights", required=True, help="safetensors file that was exported")
    parser.add_argument("--store", required=True, help="embeddings of the images, float32, in their order")
    parser.add_argument("--files", required=True, help="what the names of the exported files begin with")
    check(parser.parse_args())


main()
