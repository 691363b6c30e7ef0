"""Writes the seeds of tests/fuzz/corpus: small, synthetic, valid inputs. What fuzzing found stands beside them.

python3 tests/fuzz/make_seeds.py [FOLDER]    needs NumPy and PyTorch; the tests need only the result
"""

import base64
import io
import json
import pickle
import struct
import sys
import tarfile
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "corpus"


def write(target, name, content):
    if isinstance(content, str):
        content = content.encode()
    assert len(content) < 4096, (target, name, len(content))
    (root / target).mkdir(parents=True, exist_ok=True)
    (root / target / name).write_bytes(content)


def parts(*files):
    """Several files in one input, as fuzz::split reads them."""
    return b"".join(struct.pack("<H", len(f)) + f for f in files[:-1]) + files[-1]


def segment(marker, content):
    """Of a JPEG."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(components, progressive=False, adobe=False, sampling=(0x11,) * 4, bits=b"\x00\x7f", junk=b""):
    """A flat image of 8x8: one block per component (more with sampling), whose codes are single zero bits; junk stands before segments."""
    def scan(ids, first, last):
        return segment(0xDA, bytes([len(ids)]) + b"".join(bytes([i, 0]) for i in ids) + bytes([first, last, 0])) + bits + junk

    tables = segment(0xDB, b"\0" + bytes([1] * 64))
    for kind in (0x00, 0x10):  # one code of length 1: difference 0; end of block
        tables += segment(0xC4, bytes([kind, 1] + [0] * 15 + [0]))
    ids = range(1, components + 1)
    frame = struct.pack(">BHHB", 8, 8, 8, components) + b"".join(bytes([i, sampling[i - 1], 0]) for i in ids)
    scans = scan(ids, 0, 0) + b"".join(scan([i], 1, 63) for i in ids) if progressive else scan(ids, 0, 63)
    marker = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0") if adobe else b""
    return b"\xff\xd8" + junk + marker + tables + junk + segment(0xC2 if progressive else 0xC0, frame) + scans + b"\xff\xd9"


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(color_type, channels, depth=8, palette=b""):
    rows = b"".join(b"\0" + bytes(4 * channels * depth // 8) for _ in range(4))
    header = struct.pack(">IIBBBBB", 4, 4, depth, color_type, 0, 0, 0)
    middle = png_chunk(b"PLTE", palette) if palette else b""
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + middle + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def animated(still):
    """The PNG with an animation of one frame of the same size."""
    frame = struct.pack(">IIIIIHHBB", 0, 4, 4, 0, 0, 1, 10, 0, 0)
    return still[:33] + png_chunk(b"acTL", struct.pack(">II", 1, 0)) + png_chunk(b"fcTL", frame) + still[33:]


def images():
    write("image", "grey.jpg", jpeg(1))
    write("image", "colour.jpg", jpeg(3))
    write("image", "progressive.jpg", jpeg(3, progressive=True))
    write("image", "cmyk.jpg", jpeg(4, adobe=True))
    write("image", "410.jpg", jpeg(3, sampling=(0x42, 0x11, 0x11), bits=bytes(3)))
    write("image", "uneven.jpg", jpeg(3, progressive=True, sampling=(0x22, 0x21, 0x11), bits=bytes(2)))
    write("image", "fractional.jpg", jpeg(3, sampling=(0x31, 0x21, 0x11), bits=bytes(2)))
    write("image", "junk.jpg", jpeg(3, junk=b"\0\x12"))
    write("image", "rgb.png", png(2, 3))
    write("image", "animated.png", animated(png(2, 3)))
    write("image", "deep.pgm", b"P5\n4 4\n1000\n" + bytes([3, 232] * 16))
    write("image", "bits.pbm", b"P4\n9 4\n" + bytes(8))
    write("image", "ascii.pbm", b"P1 # bits\n4 1\n0110\n")
    write("image", "animated.webp", b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\2\0\0\0" + bytes(6))
    write("image", "photo.heic", b"\0\0\0\x18ftypheic" + bytes(12))
    write("image", "alpha.png", png(6, 4))
    write("image", "deep.png", png(2, 3, 16))
    write("image", "palette.png", png(3, 1, palette=bytes(6)))
    write("image", "grey.pgm", b"P5\n4 4\n255\n" + bytes(16))
    write("image", "rgb.ppm", b"P6\n4 4\n255\n" + bytes(48))
    write("image", "ascii.ppm", b"P3\n2 1\n255\n1 2 3 4 5 6\n")
    bmp = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 24, 0, 48, 0, 0, 0, 0) + bytes(48)
    write("image", "rgb.bmp", b"BM" + struct.pack("<IHHI", 14 + len(bmp), 0, 0, 54) + bmp)
    write("image", "one.webp", base64.b64decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"))


def bin_sets():
    faces = [b"\xff\xd8A", b"\xff\xd8\x00\n", b"caf\xc3", b"\x80"]
    columns = [np.frombuffer(f, np.uint8).reshape(-1, 1) for f in faces]
    for protocol in range(2, 6):
        write("bin_set", f"bytes_{protocol}.bin", pickle.dumps((faces, [True, False]), protocol))
        write("bin_set", f"arrays_{protocol}.bin", pickle.dumps((columns, [np.True_, np.False_]), protocol))
    write("bin_set", "truths.bin", pickle.dumps((faces, np.array([True, False])), 4))
    write("bin_set", "numbers.bin", pickle.dumps((faces, np.array([1, 0])), 4))
    # Python 2 pickles its byte strings as SHORT_BINSTRING.
    short = lambda text: b"U" + bytes([len(text)]) + text
    write("bin_set", "python2.bin", b"\x80\x02]q\0(" + b"".join(map(short, faces)) + b"e]q\1(\x88\x89e\x86q\2.")


def torch_files():
    """Whole files in both containers, and pickles of tensors in storages that the target puts beside them."""
    torch.manual_seed(0)
    base = torch.arange(4, dtype=torch.float32)
    state = OrderedDict([("a.weight", base[:2]), ("a.bias", base[2]), ("n", torch.tensor(3))])
    state._metadata = OrderedDict([("", {"version": 1})])
    checkpoint = {"epoch": 1, "step": 2.5, "state_dict_backbone": state, "flags": [True, None, (1, 2, 3, 4)], 7: {"x": base.t()}}
    strides = {"t": torch.arange(4.0).view(2, 2).t(), "e": torch.ones(1).expand(3), "p": torch.nn.Parameter(base), "z": torch.zeros(0, 2)}
    kinds = {str(t): torch.ones(1).to(t) for t in (torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.uint8, torch.bool)}
    for name, content in {"state": state, "checkpoint": checkpoint, "strides": strides, "kinds": kinds}.items():
        for zipped in (True, False):
            out = io.BytesIO()
            torch.save(content, out, _use_new_zipfile_serialization=zipped)
            file = out.getvalue()
            if len(file) < 4000:
                write("torch_file", f"{name}_{'zip' if zipped else 'legacy'}", b"\0" + file)
            if zipped:
                pkl = next(e for e in zipfile.ZipFile(out).infolist() if e.filename.endswith("data.pkl"))
                write("torch_file", f"{name}_pickle", b"\1" + zipfile.ZipFile(out).read(pkl))


class Metadata: pass
class TensorStorageMetadata: pass
class ChunkStorageMetadata: pass
class BytesStorageMetadata: pass
class MetadataIndex: pass
class _StorageInfo: pass


def distributed():
    """Pickles like those of torch.distributed.checkpoint: of classes, only the names count."""
    def made(cls, **fields):
        value = cls()
        value.__dict__.update(fields)
        return value
    size = torch.Size
    for protocol in (2, 4):
        chunks = [made(ChunkStorageMetadata, offsets=size([r, 0]), sizes=size([1, 3])) for r in range(2)]
        facts = {"model.w": made(TensorStorageMetadata, properties=torch.float32, size=size([2, 3]), chunks=chunks),
                 "n": made(TensorStorageMetadata, size=size([]), chunks=[made(ChunkStorageMetadata, offsets=size([]), sizes=size([]))]),
                 "step": made(BytesStorageMetadata)}
        where = {made(MetadataIndex, fqn="model.w", offset=size([r, 0]), index=None): made(_StorageInfo, relative_path=f"__{r}_0.distcp", offset=9 * r, length=9) for r in range(2)}
        where[made(MetadataIndex, fqn="n", offset=size([]), index=0)] = made(_StorageInfo, relative_path="__0_0.distcp", offset=18, length=7, transform_descriptors=None)
        where[made(MetadataIndex, fqn="step", index=None)] = made(_StorageInfo, relative_path="__0_0.distcp", offset=0, length=1)
        write("distributed", f"two_ranks_{protocol}", pickle.dumps(made(Metadata, state_dict_metadata=facts, planner_data={"n": ("n",)}, storage_data=where), protocol))


def weights_kinds():
    """What is no state dict: first bytes of files, and names in archives."""
    def field(number, content):
        return bytes([number << 3 | 2, len(content)]) + content

    graph = field(1, field(1, b"data") + field(2, b"embedding") + field(4, b"Conv"))
    files = {"onnx": b"\x08\x06" + field(2, b"pytorch") + field(7, graph) + field(8, b"\x10\x0b"), "frozen": field(1, field(1, b"import/x") + field(2, b"Const")),
             "saved_model": b"\x08\x01" + field(2, b"\x0a\x00"), "page": b"<!DOCTYPE html><html></html>",
             "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "index": b'{"weight_map": {}}', "zeros": bytes(100),
             "pickle": pickle.dumps({"a": 1}), "tar": bytes(257) + b"ustar", "safetensors": struct.pack("<Q", 2) + b"{}"}
    for name, content in files.items():
        write("weights_kind", name, b"\0" + content)
    for name, names in {"script": ["m/data.pkl", "m/constants.pkl"], "torch": ["m/data.pkl", "m/data/0"], "numpy": ["a.npy"], "other": ["w/a.pth", "b"]}.items():
        write("weights_kind", "names_" + name, b"\1" + "".join(n + "\n" for n in names).encode())


def onnx_networks():
    """Networks of constants: every kind of constant, attribute and shape that the reader and the operators know."""
    def varint(value):
        value &= (1 << 64) - 1
        out = b""
        while value >= 0x80:
            out += bytes([value & 0x7f | 0x80])
            value >>= 7
        return out + bytes([value])

    def number(field, value):
        return varint(field << 3) + varint(value)

    def field(number_, content):
        return varint(number_ << 3 | 2) + varint(len(content)) + content

    def tensor(name, shape, kind, rest):
        return field(5, b"".join(number(1, s) for s in shape) + number(2, kind) + field(8, name) + rest)

    def attribute(name, kind, rest):
        return field(5, field(1, name) + rest + number(20, kind))

    def node(kind, inputs, outputs, *attributes):
        return field(1, b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs) + field(4, kind) + b"".join(attributes))

    def ints(name, *values):
        return attribute(name, 7, b"".join(number(8, v) for v in values))

    def model(graph, opset=17):
        return number(1, 8) + field(2, b"seed") + field(8, number(2, opset)) + field(7, graph)

    floats = tensor(b"x", [1, 2, 3, 3], 1, field(9, struct.pack("<18f", *range(18))))
    weights = tensor(b"w", [2, 1, 2, 2], 1, field(4, struct.pack("<8f", *range(8))))
    pair = tensor(b"c", [2], 1, field(9, struct.pack("<2f", 1, 2)))
    write("onnx", "conv", model(floats + weights + pair + node(b"Conv", [b"x", b"w", b"c"], [b"y"], ints(b"pads", 0, 1, 1, 0), ints(b"strides", 2, 1), attribute(b"group", 2, number(3, 2))) +
                                node(b"PRelu", [b"y", b"c"], [b"z"]) + node(b"BatchNormalization", [b"z", b"c", b"c", b"c", b"c"], [b"n"], attribute(b"epsilon", 1, varint(2 << 3 | 5) + struct.pack("<f", 1e-3)))))
    write("onnx", "pools", model(floats + node(b"MaxPool", [b"x"], [b"a"], ints(b"kernel_shape", 2, 2), attribute(b"ceil_mode", 2, number(3, 1)), ints(b"strides", 2, 2)) +
                                 node(b"AveragePool", [b"x"], [b"b"], ints(b"kernel_shape", 3, 2), attribute(b"auto_pad", 3, field(4, b"SAME_UPPER"))) + node(b"GlobalAveragePool", [b"x"], [b"g"]) +
                                 node(b"Softmax", [b"x"], [b"s"]) + node(b"ReduceL2", [b"x"], [b"r"], ints(b"axes", 1, -1)), 12))
    shape = tensor(b"i", [3], 7, field(7, varint(0) + varint(-1) + varint(3)))
    write("onnx", "shapes", model(floats + shape + node(b"Reshape", [b"x", b"i"], [b"r"]) + node(b"Transpose", [b"r"], [b"t"], ints(b"perm", 2, 0, 1)) + node(b"Shape", [b"t"], [b"s"]) + node(b"Flatten", [b"x"], [b"f"]) +
                                  node(b"Gather", [b"s", b"s"], [b"g"]) + node(b"Split", [b"x"], [b"p", b"q"], attribute(b"axis", 2, number(3, 1))) + node(b"Concat", [b"p", b"q"], [b"o"], attribute(b"axis", 2, number(3, -1))) +
                                  node(b"Unsqueeze", [b"x", b"s"], [b"u"]), 13))
    write("onnx", "slices", model(floats + tensor(b"b", [2], 7, field(9, struct.pack("<2q", 0, -2))) + tensor(b"e", [2], 7, field(9, struct.pack("<2q", 1, 9))) + node(b"Slice", [b"x", b"b", b"e"], [b"y"]) +
                                  node(b"Pad", [b"x"], [b"z"], ints(b"pads", 0, 0, 1, 1, 0, 0, 1, 1)) + node(b"ConstantOfShape", [b"e"], [b"v"]) + node(b"Expand", [b"y", b"e"], [b"w"])))
    write("onnx", "products", model(tensor(b"a", [2, 3], 11, field(10, struct.pack("<6d", *range(6)))) + tensor(b"b", [3, 2], 10, number(5, 0x3c00) * 6) + node(b"Gemm", [b"a", b"b"], [b"y"], attribute(b"alpha", 1, varint(2 << 3 | 5) + struct.pack("<f", 2))) +
                                    node(b"MatMul", [b"a", b"b"], [b"z"]) + node(b"LayerNormalization", [b"a", b"a"], [b"l"]) + node(b"Constant", [], [b"k"], attribute(b"value_ints", 7, number(8, 4) + number(8, -1)))))
    write("onnx", "outside", model(tensor(b"x", [2], 1, field(13, field(1, b"location") + field(2, b"../w")) + number(14, 1))))
    write("onnx", "branch", model(node(b"If", [b"x"], [b"y"], attribute(b"then_branch", 5, field(6, b"")))))


def safetensors():
    def file(header, data=b""):
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data

    write("safetensors", "empty", file({}))
    write("safetensors", "two", file({"__metadata__": {"a": "b"},
                                      "x": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
                                      "y.z": {"dtype": "I64", "shape": [], "data_offsets": [8, 16]}}, bytes(16)))
    types = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1}
    header, at = {}, 0
    for name, size in types.items():
        header[name] = {"dtype": name, "shape": [1], "data_offsets": [at, at + size]}
        at += size
    write("safetensors", "types", file(header, bytes(at)))


MAGIC = 0xCED7230A


def record(header, payload=b"", labels=()):
    body = struct.pack("<IfQQ", len(labels), header[0], header[1], 0)
    body += b"".join(struct.pack("<f", label) for label in labels) + payload
    cut = body.split(struct.pack("<I", MAGIC))  # aligned, as the callers see to it
    out = b""
    for i, part in enumerate(cut):
        flag = 0 if len(cut) == 1 else 1 if i == 0 else 3 if i == len(cut) - 1 else 2
        out += struct.pack("<II", MAGIC, flag << 29 | len(part)) + part + b"\0" * (-len(part) % 4)
    return out


def recordio():
    plain = [record((0.0, 0), b"abc"), record((1.0, 1), b"defgh"), record((1.0, 2), b"")]
    offsets = [0, len(plain[0]), len(plain[0]) + len(plain[1])]
    idx = "".join(f"{i}\t{o}\n" for i, o in enumerate(offsets)).encode()
    write("recordio", "im2rec", parts(idx, b"".join(plain)))
    write("recordio", "scanned", parts(b"", b"".join(plain)))
    split = record((3.0, 7), b"1234" + struct.pack("<I", MAGIC) + b"5678" + struct.pack("<I", MAGIC))
    write("recordio", "parts", parts(b"", split + record((4.0, 0), b"x")))
    faces = [record((0, 1), b"ab"), record((0, 2), b"cd"), record((0, 3), labels=(1, 3)), record((0, 0), labels=(3, 4))]
    at, lines = 0, ""
    for key, one in zip((1, 2, 3, 0), faces):
        lines += f"{key}\t{at}\n"
        at += len(one)
    write("recordio", "insightface", parts(lines.encode(), b"".join(faces)))
    write("recordio", "labels", parts(b"", record((0, 5), b"xyz", labels=(2, 9))))
    write("recordio", "labels_key_0", parts(b"", record((0, 0), b"ab", labels=(5, 1)) + record((0, 1), b"cd", labels=(3, 0))))
    # 2^24 + 2 images, of which the last two are there: float32 rounds the end up.
    last = 2**24 + 2
    large = [record((0, last - 1), b"ab"), record((0, last), b"cd"), record((0, last + 1), labels=(1, last + 1)),
             record((0, 0), labels=(last + 1, last + 2))]
    at, lines = 0, ""
    for key, one in zip((last - 1, last, last + 1, 0), large):
        lines += f"{key}\t{at}\n"
        at += len(one)
    write("recordio", "large", parts(lines.encode(), b"".join(large)))
    write("recordio", "without_key_0", parts("".join(lines.splitlines(True)[:3]).encode(), b"".join(large)))


def tars():
    def tar(*files, format=tarfile.USTAR_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=format) as shard:
            for name, content in files:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                shard.addfile(info, io.BytesIO(content))
        whole = out.getvalue().rstrip(b"\0")
        return whole + b"\0" * (-len(whole) % 512 + 512)  # one block of the end instead of many
    write("tar", "cls", b"\0" + tar(("a.jpg", b"x"), ("a.cls", b"7")))
    write("tar", "txt", b"\1" + tar(("b/c.d.png", b"x"), ("b/c.txt", b"Ann")))
    write("tar", "json", b"\2" + tar(("a.jpg", b"x"), ("a.json", b'{"label": 1}')))
    write("tar", "gnu", b"\3" + tar(("n" * 120 + ".jpg", b"x"), format=tarfile.GNU_FORMAT))
    write("tar", "pax", b"\3" + tar(("\u00e9.jpg", b"x"), format=tarfile.PAX_FORMAT))
    write("tar", "none", b"\3" + tar(("./a.jpg", b""), (".hidden", b""), ("LICENSE", b"z")))
    sparse = bytearray(tar(("s.jpg", b"data"), format=tarfile.GNU_FORMAT))
    sparse[156:157] = b"S"
    sparse[386:410] = b"00000000000\0" + b"00000000004\0"
    sparse[483:495] = b"00000010004\0"
    sparse[148:156] = b" " * 8
    sparse[148:156] = b"%06o\0 " % sum(sparse[:512])
    write("tar", "sparse", b"\3" + bytes(sparse))


def lists():
    five = "38.3 51.7 73.5 51.5 56 71.7 41.5 92.4 70.7 92.2"
    pairs = "38.3,51.7 73.5,51.5 56,71.7 41.5,92.4 70.7,92.2"
    tabs = "\t".join(["9", "9", "90", "99", "38.3", "73.5", "56", "41.5", "70.7", "51.7", "51.5", "71.7", "92.4", "92.2"])
    header = "path,label," + ",".join(f"x{i},y{i}" for i in range(1, 6))
    row = "a/1.jpg,3," + five.replace(" ", ",")
    samples = [
        "a/1.jpg\t0\nb c.jpg\tBob\n",
        "a/1.jpg 0\nb c.jpg 7\n",
        "a/1.jpg\n\nb.jpg\r\n",
        "17\t3\ta/1.jpg\n18\t4.0\t5\tb.jpg\n",
        f"0\ta/1.jpg\t3\t{tabs}\n1\tb.jpg\t4\n",
        f"a/1.jpg 3 {pairs}\nb.jpg 4\n",
        f"a/1.jpg {five}\n",
        f"{header}\n{row}\nb.jpg,4,,,,,,,,,,\n",
        f"1.jpg {five} 0.998\n",
        f"{header}\n{row}\n",
    ]
    for i, text in enumerate(samples):
        write("lists", f"format_{i}", bytes([i]) + text.encode())
    write("lists", "points_68", bytes([5]) + ("a/1.jpg 3 " + " ".join(f"{i},{i + 1}" for i in range(68))).encode())
    write("lists", "names", bytes([0]) + b"a/1.jpg\tNaN\na/2.jpg\t88e1\nb/1.jpg\t7\nb/2.jpg\t0x10\nb/\xe7.jpg\t-1\n")
    write("lists", "control", bytes([1]) + b"a\x1b/1.jpg b\tc\n")
    write("lists", "byte_order_mark", bytes([0]) + b"\xef\xbb\xbfa/1.jpg\t0\n")


def pair_lists():
    genuine, impostor = "Ann\t1\t2\n", "Ann\t1\tBob\t1\n"
    write("pairs", "lfw_folds", b"\0" + f"1\t1\n{genuine}{impostor}".encode())
    write("pairs", "lfw", b"\0" + f"1\n{genuine}{impostor}".encode())
    write("pairs", "absent", b"\0" + f"1\t1\nAnn\t1\t9\n{impostor}".encode())
    write("pairs", "calfw", b"\1Ann_0001.jpg 1\nAnn_0002.jpg 1\nAnn_0001.jpg 0\nBob_0001.jpg 0\n")
    write("pairs", "path_pairs", b"\2Ann/Ann_0001.jpg Ann/Ann_0002.jpg 1\nAnn/Ann_0001.jpg Bob/Bob_0001.jpg 0\n")
    write("pairs", "noises", b"\3# noises\nAnn_0001.jpg\nx\tBob/Bob_0001.jpg\n")
    write("pairs", "qualities", b"\4Ann/Ann_0001.jpg\t1\nAnn/Ann_0002.jpg\t0.5\nBob/Bob_0001.jpg\t0\nv/1.jpg\t2e3\n")


def arrays():
    def npy(array, version=None):
        out = io.BytesIO()
        np.lib.format.write_array(out, array, version)
        return out.getvalue()

    write("npy", "v1.npy", npy(np.ones((2, 3), np.float32), (1, 0)))
    write("npy", "v2.npy", npy(np.ones((2, 3), np.float32), (2, 0)))
    write("npy", "v3.npy", npy(np.ones((0, 3), np.float32), (3, 0)))
    write("npy", "fortran.npy", npy(np.asfortranarray(np.ones((2, 3), np.float32))))
    write("npy", "double.npy", npy(np.ones((2, 3))))

    def features(rows, cols):
        return struct.pack("<4i", rows, cols, 4 * cols, 5) + np.ones(rows * cols, np.float32).tobytes()

    write("challenge", "plain", parts(b"", b"", features(2, 3)))
    write("challenge", "lists", parts(b"a.jpg\nb.jpg 7\n", b"0\n-1\n", features(2, 3)))
    write("challenge", "npy", parts(b"a\tx\n", b"5", npy(np.ones((1, 2), np.float32))))


def configs():
    for path in sorted((Path(__file__).parent.parent.parent / "configs").glob("*.yaml")):
        text = "".join(line for line in path.read_text().splitlines(True) if not line.startswith("#"))
        if len(text) < 4096:
            write("config", path.name, text)
    write("config", "minimal.yaml", "paths: {run: r}\n")
    write("config", "protocols.yaml", """\
paths: {run: runs/b, data_root: "/d"}
model: {type: iresnet, depth: 18}
head: {type: adaface, m: 0.4}
eval:
  models:
    - {name: theirs, sets: [{set: ijbc, features: ijbc.npy, items: list.txt}]}
  protocols:
    - {name: ijbc, type: ijb_verification, set: ijbc, benchmark: ijbc, meta: IJBC/meta}
    - {name: open, type: open_set, set: ijbc, far: [0.1]}
""")
    write("config", "faulty.yaml", "paths: {run: run}\nhead:\n  scal: 64\n  scale: -1\ntrain: {epochs: many}\n")


def ijb():
    faces = b"1.jpg 1 69544\n2.jpg 1 69545\n3.jpg 9 7\n4.jpg 11 8\n"
    points = b"".join(b"%d.jpg 30 40 70 40 50 60 35 80 65 80 0.9\n" % i for i in range(1, 5))
    pairs = b"1 9 0\n1 11 1\n"
    gallery = b"TEMPLATE_ID,SUBJECT_ID,FILENAME\n1,5,a.jpg\n1,5,b.jpg\n"
    other = b"TEMPLATE_ID,SUBJECT_ID,FILENAME\n9,6,c.jpg\n"
    probes = b"TEMPLATE_ID,SUBJECT_ID,FILENAME\n11,5,d.jpg\n"
    write("ijb_meta", "ijbc", parts(faces, points, pairs, gallery, other, probes))


def indices():
    """First byte: which file of the folder, in the order of their names."""
    manifest = {
        "format": "uir-index", "version": 1, "rows": 10, "num_classes": 3, "num_test_identities": 2,
        "sources": [
            {"name": "people", "role": "labeled", "kind": "synthetic", "path": "", "shift": [0, 0], "first_row": 0, "num_rows": 6,
             "first_class": 0, "num_classes": 3, "settings": {"identities": 3}},
            {"name": "test", "role": "test", "kind": "files", "path": "/x", "shift": [8, 0], "first_row": 6, "num_rows": 4,
             "first_class": 0, "num_classes": 2, "settings": {}}],
        "files": {name: {"bytes": 0, "checksum": ""} for name in [
            "offsets.u64", "sizes.u32", "labels.i64", "flags.u32", "hashes.u128", "items.u64", "items.text", "identities.u64",
            "identities.text", "pixel_sizes.u16x2", "mtimes.i64"]},
    }
    for i in range(12):
        write("index", f"manifest_{i}", bytes([i]) + json.dumps(manifest).encode())
        write("index", f"numbers_{i}", bytes([i]) + struct.pack("<10q", 0, 0, 1, 1, 2, 2, 0, 0, 1, 1))
        write("index", f"offsets_{i}", bytes([i]) + struct.pack("<11Q", *range(0, 55, 5)))


def exif():
    """A JPEG without pixels whose tags say how it is turned, in both byte orders."""
    for order, letters in (("<", b"II"), (">", b"MM")):
        entries = [(0x010F, 2, 4, b"Abc\0"), (0x0112, 3, 1, struct.pack(order + "HH", 6, 0))]
        tiff = letters + struct.pack(order + "HIH", 42, 8, len(entries))
        tiff += b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries) + bytes(4)
        jfif = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
        exif = segment(0xE1, b"Exif\0\0" + tiff)
        write("exif", letters.decode(), b"\xff\xd8" + jfif + exif + segment(0xDA, b""))
        write("exif", letters.decode() + "_junk", b"\xff\xd8" + jfif + b"\0\x12\xff\0" + exif + segment(0xDA, b""))
    write("exif", "none", b"\xff\xd8" + segment(0xDA, b""))


def videos():
    write("videos", "gallery", b"\0a.mp4 1\nb.mp4 2\nc 1\n")
    write("videos", "truth", b"\1" + b"1 a.mp4 c.mp4\n2 b.mp4\n")
    write("videos", "submission", b"\2" + b"1 a.mp4 c.mp4 a.mp4\n2\n")
    write("videos", "labels", b"\3a.mp4 1\nb.mp4 2\nc 1\n")
    write("videos", "open_set", b"\4" + parts(b"a.mp4/000000.jpg 0 1\n", b"b.mp4/000000.jpg 0 1\nc/1.jpg 0 2\n"))
    write("videos", "scan_state", b"\5" + struct.pack("<9q", 1, 2, 2, 4, 5, 10, 3, 4, 0x414243)[:-5])


def timelines():
    header = b"video,start,end,person\n"
    truth = header + b'a.mp4,0,10.5,Anna\n"b,1.mp4",1e1,12,"Lee, ""Bo"""\na.mp4,3,4,?x\na.mp4,2,9,?\n'
    found = b"\xef\xbb\xbfend,video,start,person,score\r\n9,a.mp4,.25,Anna,1\r\n\r\n3.5,a.mp4,3,stranger 1,\r\n4,a.mp4,1,unsure,\r\n"
    write("timelines", "measured", b"\0" + parts(truth, found))
    write("timelines", "spans", b"\1video,start,end\na.mp4,0,1\na.mp4,.5,2\n")
    write("timelines", "uem", b"\2;; map\na.mp4 1 0 1.5\nb 1\t3 4 ;; end\n")


def film_timelines():
    def track(number, begin, end, **fields):
        box = [10, 10, 50.5, 60]
        return {"id": number, "time": [begin, end], "shot": 0, "verdict": "stranger", "person": "", "stranger": 1, "candidates": [["Anna", 0.2]],
                "by_hand": False, "picture": "", "faces": [[begin, 0.5, 0]], "sights": [[t, *box] for t in range(begin, end, 500)], **fields}

    def document(photos, shown, ticks, shots, tracks):
        film = {"file": "f", "path": "../f", "bytes": 1, "checksum": "0", "ticks_per_second": ticks, "container_start": 0, "shown": shown,
                "width": 64, "height": 64, "frames": 50, "lost": 0, "rate": [30000, 1001], "constant_rate": True}
        limits = {"known": 0.5, "unsure": 0.4, "same_person": 0.4, "smallest_face": 24, "because": ""}
        return json.dumps({"format": "uir-timeline", "version": 1, "film": film, "photos": photos, "people": [{"name": "Anna", "photos": 1}],
                           "thresholds": limits, "made_by": {}, "vector_size": 4, "shots": shots, "uncut": [], "tracks": tracks}).encode()

    at = {"group": True, "places": [[0.5, 10, 10, 50, 60]]}
    edits = [{"edit": "name", "who": "stranger 1", "at": at, "name": "Bob"}, {"edit": "split", "who": "#1", "at": at, "seconds": 1},
             {"edit": "merge", "who": "a and b", "at": at, "with": at, "name": ""}, {"edit": "undo"}, {"edit": "not", "who": "#1", "at": at, "name": ""}]
    log = "\n".join(map(json.dumps, edits)).encode()
    known = track(2, 1000, 2000, verdict="known", person="Anna", stranger=0, hidden=[[1100, 1200], [1600, 1700]])
    write("film_timeline", "film", parts(document([], [0, 2000], 1000, [[0, 2000]], [track(1, 0, 2000), known]), log))
    at["places"][0][0] = "b.jpg"
    write("film_timeline", "photos", parts(document(["a.jpg", "b.jpg"], [0, 2], 1, [], [track(1, 1, 2)]), json.dumps(edits[0]).encode()))


def calibrations():
    tracks = {"format": "uir-timeline-calibration", "version": 1, "model": {"checksum": "0"}, "gallery": "0", "people": 2, "hours": 0.5, "tracks": 4,
              "same_person": 0.4, "scores": [0.5, 0.3, 0.3, -0.1]}
    write("track_calibration", "films", json.dumps(tracks).encode())
    def threshold(rate, right, **fields):
        return {rate: 1, "events": 12, "threshold": 0.5, right: 0.9, **fields}
    pairs = threshold("false_match_rate", "genuine_accepted")
    alarms = threshold("false_alarms_per_1000", "named_right")
    photos = {"format": "uir-calibration", "version": 1, "model": {"weights": None, "dim": 8, "flip": False}, "known": "a", "gallery": "a",
              "strangers": ["b"], "verification": {"genuine_pairs": 10, "impostor_pairs": 20, "thresholds": [pairs]},
              "identification": {"people": 2, "probes": 4, "strangers": 8, "galleries": [
                  {"people": 2, "thresholds": [alarms, {**alarms, "threshold": None}]}]}, "curve": []}
    write("calibration", "photos", json.dumps(photos).encode())


def main():
    images()
    exif()
    videos()
    timelines()
    film_timelines()
    calibrations()
    bin_sets()
    torch_files()
    distributed()
    weights_kinds()
    onnx_networks()
    safetensors()
    recordio()
    tars()
    lists()
    pair_lists()
    arrays()
    configs()
    ijb()
    indices()


main()
