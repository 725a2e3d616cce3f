"""Seconds of a training step, contiguous against channels last, of the 2D bundles' networks on this processor.

    python benchmarks/training_layout.py

Forward and backward in float32 on one patch of random numbers; medians, the two layouts in turn.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch import Tensor, nn

from medseg.networks import UNet, UNetPlusPlus

LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
CASES = {
    "U-Net, 16-256 channels, 572²": (UNet(2, 1, 1, channels=(16, 32, 64, 128, 256), norm="batch"), (1, 1, 572, 572)),
    "U-Net, 32-512 channels, 572²": (UNet(2, 1, 1, channels=(32, 64, 128, 256, 512), norm="batch"), (1, 1, 572, 572)),
    "U-Net++, 24-384 channels, 192²": (
        UNetPlusPlus(2, 3, 2, channels=(24, 48, 96, 192, 384), norm="batch"),
        (2, 3, 192, 192),
    ),
}


def step(network: nn.Module, image: Tensor) -> float:
    """Seconds of one forward and backward pass."""
    start = time.perf_counter()
    output = network(image)
    heads = output if isinstance(output, list | tuple) else [output]
    sum(head.square().mean() for head in heads).backward()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{torch.get_num_threads()} threads")
    for name, (network, shape) in CASES.items():
        seconds: dict[str, list[float]] = {layout: [] for layout in LAYOUTS}
        for _ in range(options.repeats + 1):
            for layout, memory_format in LAYOUTS.items():
                network.to(memory_format=memory_format).train()
                seconds[layout].append(step(network, torch.rand(shape).to(memory_format=memory_format)))
        first, second = (statistics.median(times[1:]) for times in seconds.values())
        print(f"{name}: contiguous {first:.2f} s, channels last {second:.2f} s, ratio {second / first:.2f}")


if __name__ == "__main__":
    main()
