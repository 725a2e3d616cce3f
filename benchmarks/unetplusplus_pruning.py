"""What each level of a pruned U-Net++ costs: parameters, multiply-accumulates, time on two threads.

    python benchmarks/unetplusplus_pruning.py [--size 512] [--repeats 5] [--threads 2]

The network is the paper's (one gray channel in, one out, 32-64-128-256-512 channels); the alternative is its level
4, which computes all nodes as every other implementation does at inference. The four levels take turns, so that
whatever else the machine does slows all of them alike.
"""

import argparse
import os
import statistics
import time

import torch
from torch import nn

from medseg.networks import UNetPlusPlus

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def multiply_accumulates(network: nn.Module, shape: tuple[int, ...]) -> int:
    """Of the (transposed) convolutions of one pass; on the meta device, so nothing is computed."""
    total = 0

    def add(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        nonlocal total
        # each weight of a kernel is used once per output pixel, of a transposed one once per input pixel
        pixels = inputs[0] if "Transpose" in type(layer).__name__ else output
        total += layer.weight.numel() * pixels.shape[0] * pixels.shape[2:].numel()

    network = network.to("meta").eval()
    hooks = [m.register_forward_hook(add) for m in network.modules() if isinstance(m, CONVOLUTIONS)]
    with torch.no_grad():
        network(torch.empty(shape, device="meta"))
    for hook in hooks:
        hook.remove()
    return total


def median_seconds(networks: dict[int, nn.Module], image: torch.Tensor, repeats: int) -> dict[int, float]:
    """Median wall time of each network, after one warm-up."""
    times: dict[int, list[float]] = {level: [] for level in networks}
    with torch.inference_mode():
        for turn in range(repeats + 1):
            for level, network in networks.items():
                start = time.perf_counter()
                network(image)
                if turn > 0:
                    times[level].append(time.perf_counter() - start)
    return {level: statistics.median(seconds) for level, seconds in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="side of the image in pixels, a multiple of 16")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network = UNetPlusPlus(2, 1, 1).eval()
    shape = (1, 1, options.size, options.size)
    pruned = {level: network.pruned(level) for level in network.levels}
    seconds = median_seconds(pruned, torch.rand(shape), options.repeats)
    print(f"torch {torch.__version__}, {options.threads} threads of {os.cpu_count()} cores, ", end="")
    print(f"{options.size} x {options.size} pixels, float32, median of {options.repeats}\n")
    print("| level | parameters | GMAC | seconds | of level 4 |\n| --- | --- | --- | --- | --- |")
    for level, small in pruned.items():
        parameters = sum(p.numel() for p in small.parameters())
        gmac = multiply_accumulates(small, shape) / 1e9
        ratio = seconds[level] / seconds[network.depth]
        print(f"| {level} | {parameters:,} | {gmac:.2f} | {seconds[level]:.3f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
