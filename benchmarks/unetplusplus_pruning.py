"""What each level of a pruned U-Net++ costs, and what it is worth: parameters, operations, time, IoU, AP50.

    python benchmarks/unetplusplus_pruning.py [--size 512] [--repeats 5] [--threads 2]
    python benchmarks/unetplusplus_pruning.py --data FOLDER [--weights FILE] [--plot FILE.png]

The network is the paper's (one gray channel in, one out, 32-64-128-256-512 channels); with `--data`, the training
folder of nuclei_unetplusplus, it is that bundle's, scored on its validation images. The alternative is level 4, which
computes all nodes as every other implementation does at inference. The levels take turns, so that whatever else the
machine does slows all of them alike.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

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


def accuracies(networks: dict[int, nn.Module], folder: Path) -> dict[int, dict[str, float]]:
    """IoU and AP50 of each level of the bundle's network on all its validation images."""
    from nuclei_scores import bundle_cells, prepared_samples, probabilities, scores

    samples, cells, found = prepared_samples(folder), bundle_cells(), {}
    for level, network in networks.items():
        result = scores(probabilities(network, samples), samples, cells, topology=False)["all"]
        found[level] = {name: result[name] for name in ("IoU", "AP50")}
    return found


def plot(rows: dict[int, dict[str, float]], path: Path) -> None:
    """Accuracy over time, one point for each level."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="time relative to level 4", ylabel="on validation images", xlim=(0, 1.08))
    ratios = [row["of level 4"] for row in rows.values()]
    for name, marker in (("IoU", "o"), ("AP50", "s")):
        axes.plot(ratios, [row[name] for row in rows.values()], marker=marker, label=name)
        for level, row in rows.items():
            axes.annotate(f"L{level}", (row["of level 4"], row[name]), textcoords="offset points", xytext=(4, -12))
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    FigureCanvasAgg(figure).print_png(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="side of the image in pixels, a multiple of 16")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path, help="score the nuclei bundle on the validation images of this folder")
    parser.add_argument("--weights", type=Path, help="of the nuclei bundle, in place of its own")
    parser.add_argument("--plot", type=Path, help="PNG to draw, with --data")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.data:
        from nuclei_scores import bundle_parts

        network, _ = bundle_parts(options.weights)
    else:
        network = UNetPlusPlus(2, 1, 1).eval()
    shape = (1, network.in_channels, options.size, options.size)
    pruned = {level: network.pruned(level) for level in network.levels}
    seconds = median_seconds(pruned, torch.rand(shape), options.repeats)
    rows = {
        level: {
            "parameters": sum(p.numel() for p in small.parameters()),
            "GMAC": multiply_accumulates(small, shape) / 1e9,
            "seconds": seconds[level],
            "of level 4": seconds[level] / seconds[network.depth],
        }
        for level, small in ((level, network.pruned(level)) for level in network.levels)
    }
    if options.data:
        accuracy = accuracies(pruned, options.data)
        rows = {level: row | accuracy[level] for level, row in rows.items()}
    print(f"torch {torch.__version__}, {options.threads} threads of {os.cpu_count()} cores, ", end="")
    print(f"{options.size} x {options.size} pixels, float32, median of {options.repeats}\n")
    names = list(rows[1])
    print(f"| level | {' | '.join(names)} |\n" + "| --- " * (len(names) + 1) + "|")
    for level, row in rows.items():
        print(f"| {level} | " + " | ".join(f"{v:,}" if isinstance(v, int) else f"{v:.3f}" for v in row.values()) + " |")
    if options.data and options.plot:
        plot(rows, options.plot)


if __name__ == "__main__":
    main()
