"""Average weights of one network that were trained from a common start, and estimate the statistics of its norms anew.

    python benchmarks/average_weights.py BUNDLE DATA FIRST.pt SECOND.pt ... --out model.pt [--set KEY=VALUE]

Running means and variances belong to the weights they were gathered with; those of the average are the plain mean over
batches that are drawn as timed_training.py draws them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import torch
from device_patches.recipes import drawing
from timed_training import configuration, prepared
from torch import Tensor, nn

from medseg.inferers import AutocastInferer
from medseg.io.atomic import atomic_target
from medseg.training.weights_on_disk import weights_on_disk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=192, help="side of a patch in pixels")
    parser.add_argument("--at-objects", type=float, default=0.0, help="share of the patches around objects")
    parser.add_argument("--split", type=Path)
    parser.add_argument("--cache", type=Path, help="file of prepared images, made when missing")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="key of train.json")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    device = torch.device("cpu")
    config = configuration(options, device)
    network = config.get_parsed_content("network_def")
    network.load_state_dict(mean_of([torch.load(path, weights_only=True) for path in options.weights]))
    items = prepared(options, config)
    draw = drawing(options.bundle, config, items, device, options.batch, options.size, at_objects=options.at_objects)
    estimate_statistics(network, (draw()[0] for _ in range(options.batches)))
    with atomic_target(options.out, overwrite=True) as partial:
        torch.save(weights_on_disk(network.state_dict(), torch.float16), partial)


def mean_of(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each tensor of floats; of counts the first."""
    return {
        name: torch.stack([state[name].float() for state in states]).mean(0) if first.is_floating_point() else first
        for name, first in states[0].items()
    }


@torch.no_grad()
def estimate_statistics(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Make running means and variances the plain mean over batches."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            module.momentum = None
    autocast = AutocastInferer()
    network.train()
    for images in batches:
        autocast(images, network)


if __name__ == "__main__":
    main()
