"""Makes a MobileFaceNet in PyTorch, saves it as users find it, and compares what uir-extract makes of it.

make FOLDER           images, weights in all containers, per-rank checkpoints; expected.npy, centers.npy
compare FOLDER STORE  the embeddings of a store against expected.npy, its image order by name
"""

import argparse
import gzip
import json
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch

from torch_networks import MobileFaceNet

WIDTH, SIZE, CLASSES, RANKS = 0.0625, 32, 5, 2


def trained_looking(width, embedding_size, seed=0):
    """A network whose every tensor differs from its initial value, so that none can be forgotten."""
    torch.manual_seed(seed)
    network = MobileFaceNet(width=width, embedding_size=embedding_size)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.1)
            elif name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif name.endswith("num_batches_tracked"):
                tensor.fill_(1000)
            elif tensor.dim() == 1:
                tensor.uniform_(0.2, 1.2)
    return network.eval()


def images(folder):
    """Smooth random pictures as PPM, which every reader takes bit by bit; five people with three pictures each."""
    generator = np.random.default_rng(5)
    paths = []
    for person in range(CLASSES):
        for i in range(3):
            coarse = torch.from_numpy(generator.integers(0, 256, (1, 3, 7, 7)).astype(np.float32))
            fine = torch.nn.functional.interpolate(coarse, (112, 112), mode="bilinear")[0].round().byte()
            path = folder / "faces" / f"{person}" / f"{i}.ppm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"P6\n112 112\n255\n" + fine.permute(1, 2, 0).contiguous().numpy().tobytes())
            paths.append((f"{person}/{i}.ppm", fine))
    return paths


def make(folder):
    network = trained_looking(WIDTH, SIZE)
    paths = images(folder)
    with torch.no_grad():
        pixels = torch.stack([p for _, p in paths]).float().sub(127.5).div(127.5)
        np.save(folder / "expected.npy", network(pixels).numpy())
    (folder / "order.txt").write_text("".join(name + "\n" for name, _ in paths))
    (folder / "labels.lst").write_text("".join(f"{name}\t{name[0]}\n" for name, _ in paths))
    # Without the images of person 2, whose label no row has.
    (folder / "gap.lst").write_text("".join(f"{name}\t{name[0]}\n" for name, _ in paths if name[0] != "2"))

    state = network.state_dict()
    torch.save(state, folder / "bare.pth")
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"state_dict": {"module.backbone." + k: v for k, v in state.items()}, "epoch": 3}, folder / "prefixed.pt")
    old = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(old, folder / "old.pth")
    torch.save({k: v for k, v in state.items() if not k.startswith("conv_sep.layers.0")}, folder / "incomplete.pth")
    torch.save(network, folder / "whole.pt")
    torch.save({"weights": 3}, folder / "nothing.pt")

    foreign(folder, network, state)

    torch.manual_seed(7)
    centers = torch.randn(CLASSES, SIZE) * 0.05
    np.save(folder / "centers.npy", centers.numpy())
    (folder / "ranks").mkdir()
    first = 0
    for rank in range(RANKS):
        local = CLASSES // RANKS + (rank < CLASSES % RANKS)
        checkpoint = {"epoch": 1, "global_step": 20, "state_dict_backbone": state,
                      "state_dict_softmax_fc": {"weight": centers[first:first + local].clone()},
                      "state_optimizer": {"state": {}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]},
                      "state_lr_scheduler": {"base_lrs": [0.1], "last_epoch": 20}}
        torch.save(checkpoint, folder / "ranks" / f"checkpoint_gpu_{rank}.pt")
        first += local
    # Ranks of different runs: the second holds too many.
    (folder / "mixed").mkdir()
    for rank in range(RANKS):
        torch.save({"state_dict_backbone": state, "state_dict_softmax_fc": {"weight": centers}}, folder / "mixed" / f"checkpoint_gpu_{rank}.pt")
    torch.save({"state_dict_backbone": state, "state_dict_softmax_fc": {"weight": centers[:2]}}, folder / "mixed" / "checkpoint_gpu_1.pt")


def behind(prefix, state):
    return {prefix + name: tensor for name, tensor in state.items()}


def foreign(folder, network, state):
    """The network as training tools leave it, and files that hold none."""
    head = {"head.kernel": torch.randn(SIZE, 7), "head.t": torch.zeros(1)}
    settings = argparse.Namespace(lr=0.1, root=Path("/data"), device=torch.device("cpu"))
    # PyTorch Lightning: settings, callbacks and NumPy's numbers beside the state.
    torch.save({"state_dict": {**behind("model.", state), **head}, "hyper_parameters": settings, "callbacks": {Path: {"best": np.float64(0.5)}},
                "optimizer_states": [{"state": {0: {"momentum_buffer": torch.ones(2)}}}], "epoch": 3}, folder / "lightning.ckpt")
    torch.save({"net": {"backbone": state, "head": {"kernel": head["head.kernel"]}}}, folder / "nested.pt")
    torch.save({"ema": behind("module._orig_mod.", state), "step": np.int64(4)}, folder / "ema.pt")
    torch.save({**state, **head}, folder / "beside.pth")
    shifted = {name: tensor + 1 for name, tensor in state.items()}
    torch.save({"model": state, "model_ema": shifted}, folder / "first.pt")
    torch.save({"state_dict": {**behind("student.", state), **behind("teacher.", shifted)}}, folder / "two.pt")
    deeper = {**state, "features.layers.99.weight": torch.ones(1)}
    torch.save({"model": deeper}, folder / "deeper.pt")
    torch.save({"model": network}, folder / "in_dict.pt")

    script = torch.jit.trace(network, torch.zeros(1, 3, 112, 112))
    script.save(str(folder / "script.pt"))
    quantised = dict(state)
    quantised["conv_sep.layers.0.weight"] = torch.quantize_per_tensor(state["conv_sep.layers.0.weight"], 0.1, 0, torch.qint8)
    torch.save({"model": quantised}, folder / "quantised.pt")
    np.savez_compressed(folder / "arrays.npz", **{name: tensor.numpy() for name, tensor in state.items()})
    np.save(folder / "array.npy", state["conv_sep.layers.0.weight"].numpy())
    (folder / "pickle.bin").write_bytes(pickle.dumps({name: tensor.numpy() for name, tensor in state.items()}))
    (folder / "packed.pth.gz").write_bytes(gzip.compress((folder / "bare.pth").read_bytes()))
    with zipfile.ZipFile(folder / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "bare.pth", "bare.pth")
    with zipfile.ZipFile(folder / "bare.pth") as source, zipfile.ZipFile(folder / "repacked.pth", "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    header = json.dumps({"w": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}).encode()
    (folder / "float8.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))


def compare(folder, store):
    expected = np.load(folder / "expected.npy")
    found = np.load(store / "embeddings.npy")
    items = [line.split("\t")[0] for line in (store / "items.tsv").read_text().splitlines()]
    assert items == (folder / "order.txt").read_text().split(), items
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    print(f"largest difference {difference:.2e} of the largest number")
    assert difference <= 1e-5, difference


if sys.argv[1] == "make":
    make(Path(sys.argv[2]))
else:
    compare(Path(sys.argv[2]), Path(sys.argv[3]))
