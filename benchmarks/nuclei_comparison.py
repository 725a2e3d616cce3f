"""Train five networks on the nuclei of nuclei_unetplusplus with one budget, and score them on its validation images.

    python benchmarks/nuclei_comparison.py --data FOLDER [--minutes 5] [--only NAME ...] [--json FILE]

Each network gets the same CPU time, crops, augmentation, targets, loss and optimiser (the bundle's own), a learning
rate that falls to zero when its time is over, and the same watershed. All have 16 to 256 channels; MONAI's are as
MONAI makes them. The measures are those of nuclei_scores.py.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from monai.bundle import ConfigParser
from monai.networks.nets import BasicUNet, BasicUNetPlusPlus
from monai.utils import set_determinism
from nuclei_scores import BUNDLE, bundle_cells, prepared_samples, probabilities, scores, table_of
from torch import Tensor, nn

from medseg.catalog import find_bundle
from medseg.inferers import AutocastInferer
from medseg.losses import BCEDiceLoss
from medseg.networks import UNet, UNetPlusPlus
from medseg.training import training_layout

CHANNELS = (16, 32, 64, 128, 256)
LEARNING_RATE = 0.002
PLAIN = {"cell_threshold": 0.6, "neck": 0.0, "min_confidence": 0.0}  # the watershed of version 0.4.0
WARM_UP = 0.1
SHARED = {"in_channels": 3, "out_channels": 2}
OURS = SHARED | {"channels": CHANNELS, "norm": "batch"}


class FirstOutput(nn.Module):
    """MONAI's U-Net++ returns a list also where it has one head."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the deepest head."""
        return self.network(x)[0]


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "medseg UNet": lambda: UNet(2, padding="same", **OURS),
    "medseg UNetPlusPlus, one head": lambda: UNetPlusPlus(2, deep_supervision=False, **OURS),
    "medseg UNetPlusPlus, deep supervision": lambda: UNetPlusPlus(2, **OURS),
    "MONAI BasicUNet": lambda: BasicUNet(2, **SHARED, features=(*CHANNELS, 16)),
    "MONAI BasicUNetPlusPlus": lambda: FirstOutput(BasicUNetPlusPlus(2, **SHARED, features=(*CHANNELS, 16))),
}


def training_batches(folder: Path):
    """The bundle's loader of augmented crops."""
    bundle = find_bundle(BUNDLE)
    parser = ConfigParser()
    parser.read_config(bundle.config("train"))
    parser["bundle_root"], parser["dataset_dir"] = str(bundle.root), str(folder)
    return parser.get_parsed_content("train::dataloader")


def train(network: nn.Module, batches, seconds: float, seed: int = 0) -> int:
    """Train for some CPU time; returns the number of steps."""
    set_determinism(seed=seed)
    batches.dataset.transform.set_random_state(seed=seed)
    layout = training_layout("cpu")
    network = network.to(memory_format=layout).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-4)
    loss, steps, start = BCEDiceLoss(), 0, time.process_time()
    while True:
        for batch in batches:
            done = (time.process_time() - start) / seconds
            if done >= 1:
                return steps
            rate = done / WARM_UP if done < WARM_UP else (1 - done) / (1 - WARM_UP)
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * max(rate, 0.01)
            image, target = batch["image"].as_tensor(), batch["label"].as_tensor()
            logits = AutocastInferer()(image.to(memory_format=layout), network)
            optimizer.zero_grad()
            loss(logits, target).backward()
            optimizer.step()
            steps += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    samples, batches = prepared_samples(options.data), training_batches(options.data)
    cells = bundle_cells(**PLAIN)
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name in options.only:
        torch.manual_seed(0)
        network = NETWORKS[name]()
        steps = train(network, batches, 60 * options.minutes)
        parameters = sum(p.numel() for p in network.parameters())
        results[name] = scores(probabilities(network.eval(), samples), samples, cells)
        print(f"\n{name}: {parameters:,} parameters, {steps} steps in {options.minutes:g} min of CPU time", flush=True)
        print(table_of(results[name], "images"), flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    for kind in ("all fluorescence", "all"):
        if all(kind in result for result in results.values()):
            print(f"\n{table_of({name: result[kind] for name, result in results.items()}, kind)}")


if __name__ == "__main__":
    main()
