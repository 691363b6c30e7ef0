#!/usr/bin/env python3
"""A training step of IResNet in plain PyTorch: what bench_training_step is compared with on a device.

    tools/bench/torch_step.py [--network r50] [--batch 128] [--width 1] [--device cuda] [--rounds 5]

The network of tests/oracle/torch_networks.py, channels-last, forward and backward pass in bf16 autocast: eager, and compiled
with torch.compile. Rates are medians over the rounds [images/s]; a round is ten steps on a device, which is then waited for, and
one on a CPU, as bench_training_step does. Prints JSON; "compiled" is null where PyTorch cannot, with the reason beside it.
Exit code 69: PyTorch is missing.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/oracle"))
try:
    import torch
except ImportError:
    sys.exit(print("PyTorch is missing", file=sys.stderr) or 69)
from torch_networks import IResNet


def rate(step, batch, device, rounds):
    """Images per second."""
    on_device = device != "cpu"
    steps, seconds = 10 if on_device else 1, []
    for timed in [False] * 2 + [True] * rounds:
        start = time.perf_counter()
        for _ in range(steps):
            step()
        if on_device:
            torch.cuda.synchronize()
        if timed:
            seconds.append((time.perf_counter() - start) / steps)
    return batch / statistics.median(seconds)


def step_of(call, network, pixels, direction, device):
    def step():
        network.zero_grad(set_to_none=True)
        with torch.autocast(device.split(":")[0], dtype=torch.bfloat16):
            embeddings = call(pixels)
        embeddings.float().backward(direction)
    return step


def measure(arguments):
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    device, batch = arguments.device, arguments.batch
    network = IResNet(int(arguments.network[1:]), arguments.width).to(device, memory_format=torch.channels_last).train()
    pixels = torch.rand(batch, 3, 112, 112, device=device).contiguous(memory_format=torch.channels_last) * 2 - 1
    direction = torch.randn(batch, 512, device=device)

    def measured(call):
        return rate(step_of(call, network, pixels, direction, device), batch, device, arguments.rounds)

    result = {"network": arguments.network, "batch": batch, "width": arguments.width, "device": device,
              "torch": torch.__version__, "eager": measured(network), "compiled": None}
    if arguments.no_compile or not hasattr(torch, "compile"):
        result["why_not_compiled"] = "not asked for" if arguments.no_compile else "PyTorch before 2.0"
        return result
    try:
        result["compiled"] = measured(torch.compile(network))
    except Exception as error:  # whatever a compiler may say
        result["why_not_compiled"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="r50", choices=["r18", "r34", "r50", "r100", "r200"])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-compile", action="store_true", help="eager alone")
    print(json.dumps(measure(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
