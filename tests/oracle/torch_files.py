"""Writes files of torch.save into a folder, and beside each what a reader must find: FILE and FILE.txt.

python3 torch_files.py FOLDER

A line of FILE.txt is one value, by its path of keys: a tensor as `path type shape bytes in hex`, a number as `path value`.
"""

import struct
import sys
from collections import OrderedDict
from pathlib import Path

import torch

TYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
         torch.int32: "I32", torch.uint8: "U8", torch.bool: "BOOL"}


def hex_of(tensor):
    flat = tensor.detach().contiguous().reshape(-1)
    if tensor.dtype == torch.bfloat16:  # NumPy has none: by its bits
        return flat.view(torch.int16).numpy().tobytes().hex()
    return flat.numpy().tobytes().hex()


def lines(values, path=""):
    for key, value in values.items():
        if not isinstance(key, str):
            continue
        here = f"{path}/{key}"
        if isinstance(value, torch.Tensor):
            yield f"{here} {TYPES[value.dtype]} {','.join(map(str, value.shape))} {hex_of(value)}"
        elif isinstance(value, dict):
            yield from lines(value, here)
        elif isinstance(value, (bool, int, float)):
            yield f"{here} {struct.pack('<d', float(value)).hex()}"


def state_dict():
    state = OrderedDict()
    state["conv1.weight"] = torch.randn(8, 3, 3, 3)
    state["bn1.weight"] = torch.rand(8)
    state["bn1.running_var"] = torch.rand(8)
    state["bn1.num_batches_tracked"] = torch.tensor(123456789012345)
    state["fc.weight"] = torch.nn.Parameter(torch.randn(4, 8))
    state._metadata = OrderedDict([("", {"version": 1}), ("bn1", {"version": 2})])
    return state


def views():
    base = torch.arange(24, dtype=torch.float32)
    grid = base.view(2, 3, 4)
    return {
        "base": base, "middle": base[5:11], "grid": grid, "transposed": grid.transpose(0, 2), "strided": base[::5],
        "column": grid[:, 1, 2], "expanded": base[3].expand(2, 3), "rows": base[:3].view(3, 1).expand(3, 4),
        "channels_last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last), "scalar": base[7],
        "empty": torch.zeros(0, 3), "one": torch.ones(1, 1, 1).transpose(0, 2),
    }


def types():
    return {str(dtype): torch.tensor([0, 1, 1, 0, 1]).to(dtype) for dtype in TYPES}


def checkpoint():
    """As arcface_torch's checkpoint_gpu_0.pt, with real optimizer and scheduler states."""
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    for name, optimizer in {"sgd": torch.optim.SGD(network.parameters(), 0.1, momentum=0.9),
                            "adamw": torch.optim.AdamW(network.parameters(), 0.1)}.items():
        network(torch.randn(5, 4)).square().sum().backward()
        optimizer.step()
        scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 2])
        yield name, {"epoch": 3, "global_step": 70000, "state_dict_backbone": network.state_dict(),
                     "state_dict_softmax_fc": {"weight": torch.randn(7, 4)}, "state_optimizer": optimizer.state_dict(),
                     "state_lr_scheduler": scheduler.state_dict(), "lr": 1e-4, "best": None, "done": True, "big": 1 << 40,
                     "list": [1, 2.5, (True, None), {"x": torch.ones(2)}], 5: "five"}


def main():
    folder = Path(sys.argv[1])
    torch.manual_seed(1)
    contents = {"state": state_dict(), "views": views(), "types": types(), "empty": {}, **dict(checkpoint())}
    for name, content in contents.items():
        for container, zipped in ("zip", True), ("legacy", False):
            file = folder / f"{name}.{container}.pt"
            torch.save(content, file, _use_new_zipfile_serialization=zipped)
            file.with_suffix(".txt").write_text("".join(line + "\n" for line in lines(content)))
        for protocol in 3, 4, 5:
            file = folder / f"{name}.protocol{protocol}.pt"
            torch.save(content, file, pickle_protocol=protocol)
            file.with_suffix(".txt").write_text("".join(line + "\n" for line in lines(content)))


main()
