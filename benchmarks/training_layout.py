"""Seconds of the 2D bundles' networks on this processor: contiguous tensors against channels last.

    python benchmarks/training_layout.py [--bundle NAME ...]

In float32, on one patch of random numbers of the size that the bundle trains on: forward and backward, and forward
alone. Medians, the two layouts in turn; a ratio above 1 says that contiguous is faster.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from monai.bundle import ConfigParser
from torch import Tensor, nn

from medseg.catalog import find_bundle

LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
BUNDLES = (
    "em_membrane_unet",
    "phase_contrast_cells_unet",
    "nuclei_unetplusplus",
    "headneck_ct_unet_transfer",
    "headneck_ct_deeplabv3plus",
)


def network_and_patch(name: str) -> tuple[nn.Module, Tensor]:
    """The network of a bundle's ``train.json`` with random weights, and a patch for it."""
    bundle, config = find_bundle(name), ConfigParser()
    config.read_config(str(bundle.config("train")))
    channels = bundle.metadata["network_data_format"]["inputs"]["image"]["num_channels"]
    side = config["patch_size"] if isinstance(config["patch_size"], int) else config["patch_size"][0]
    return config.get_parsed_content("network_def"), torch.rand(1, channels, side, side)


def seconds(network: nn.Module, image: Tensor, training: bool) -> float:
    """Of one pass forward, in training also backward."""
    network.train(training)
    start = time.perf_counter()
    with torch.set_grad_enabled(training):
        output = network(image)
        if training:
            sum(head.square().mean() for head in (output if isinstance(output, list | tuple) else [output])).backward()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", nargs="+", choices=BUNDLES, default=BUNDLES, metavar="NAME")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{torch.get_num_threads()} threads")
    for name in options.bundle:
        network, patch = network_and_patch(name)
        for what, training in (("training", True), ("prediction", False)):
            times: dict[str, list[float]] = {layout: [] for layout in LAYOUTS}
            for _ in range(options.repeats + 1):
                for layout, memory_format in LAYOUTS.items():
                    network.to(memory_format=memory_format)
                    times[layout].append(seconds(network, patch.to(memory_format=memory_format), training))
            first, second = (statistics.median(t[1:]) for t in times.values())
            print(f"{name}, {what}: contiguous {first:.2f} s, channels last {second:.2f} s, ratio {second / first:.2f}")


if __name__ == "__main__":
    main()
