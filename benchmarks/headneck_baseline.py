"""Train MONAI's stock 3D UNet, or the network of headneck_ct_unet3d, from scratch in some minutes, and score it.

    python benchmarks/headneck_baseline.py FOLDER RUN [--minutes 30] [--network stock|bundle] [--resume]

Everything but the network is the bundle's (patches, augmentation, loss, schedule, sliding window). The time of a step
is measured first; the number of crops per epoch is chosen so that training fills the minutes. `--set KEY=VALUE` gives
both networks another value of the bundle's train.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from headneck_scores import print_table, score

from medseg.catalog import Bundle, find_bundle
from medseg.cli.config_values import parse_settings
from medseg.io import training_items
from medseg.workflow.load import load_workflow
from medseg.workflow.train import run_training

STOCK = {
    "_target_": "monai.networks.nets.UNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 8,
    "channels": [16, 32, 64, 128],
    "strides": [2, 2, 2],
    "num_res_units": 0,
}
MEASURED_STEPS, AUGMENTATION_SECONDS, VALIDATION_SHARE = 8, 0.05, 0.93


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--network", choices=("stock", "bundle"), default="stock")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    common = parse_settings(options.set, {})
    bundle = copied_bundle(options.run / "bundle", stock=options.network == "stock")
    settings = options.run / "settings.json"
    if not (options.resume and settings.is_file()):
        crops = crops_per_epoch(bundle, common, options.minutes)
        settings.write_text(json.dumps(common | {"crops_per_epoch": crops}), encoding="utf-8")
    overrides = json.loads(settings.read_text(encoding="utf-8"))
    overrides |= {"resume": options.resume, "device": torch.device("cpu")}
    print(overrides, flush=True)
    failure = run_training(
        bundle, options.folder, options.run, overrides, lambda _: None, lambda *_: None, lambda t: print(t, flush=True)
    )
    if failure:
        raise SystemExit(failure)
    items = training_items(options.folder, "validation")
    print_table({options.network: score(str(bundle.root), items, options.run / "model.pt")})


def copied_bundle(root: Path, stock: bool) -> Bundle:
    """A copy of the bundle without its weights; its configs name the stock network where that is asked for."""
    if not root.is_dir():
        shutil.copytree(find_bundle("headneck_ct_unet3d").root, root, ignore=shutil.ignore_patterns("models", "docs"))
        for path in (root / "configs").glob("*.json"):
            content = json.loads(path.read_text(encoding="utf-8"))
            if stock and "network_def" in content:
                path.write_text(json.dumps(content | {"network_def": STOCK}), encoding="utf-8")
    return find_bundle(str(root))


def crops_per_epoch(bundle: Bundle, settings: dict[str, Any], minutes: float) -> int:
    """How many crops each epoch may see; by the median of a few training steps, forward to optimizer."""
    parser = load_workflow(bundle, "train", settings, dataset_dir="none", initialize=[]).parser
    network, loss, optimizer = (parser.get_parsed_content(k) for k in ("network", "loss", "optimizer"))
    inferer = parser.get_parsed_content("train::inferer")
    batch = parser["train"]["batch_size"]
    image = torch.rand(batch, 1, *parser["patch_size"])
    label = torch.randint(0, 8, image.shape)
    times = []
    for _ in range(MEASURED_STEPS):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss(inferer(image, network), label).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    seconds_per_crop = sorted(times)[MEASURED_STEPS // 2] / batch + AUGMENTATION_SECONDS
    return max(batch, int(minutes * 60 * VALIDATION_SHARE / seconds_per_crop / parser["epochs"]))


if __name__ == "__main__":
    main()
