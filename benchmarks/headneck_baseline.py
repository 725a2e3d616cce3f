"""Train MONAI's stock 3D UNet on the data and in the minutes of headneck_ct_unet3d, and score it.

    python benchmarks/headneck_baseline.py FOLDER RUN [--minutes 30] [--resume]

Everything but the network is the bundle's (patches, augmentation, loss, schedule, sliding window). The time of a step
is measured first; the number of crops per epoch is chosen so that training fills the minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path

import torch
from headneck_scores import print_table, score

from medseg.catalog import find_bundle
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
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    bundle = stock_bundle(options.run / "bundle")
    settings = options.run / "settings.json"
    if not (options.resume and settings.is_file()):
        epochs = json.loads(bundle.config("train").read_text())["epochs"]
        steps = options.minutes * 60 * VALIDATION_SHARE / (seconds_per_step(bundle) + AUGMENTATION_SECONDS)
        settings.write_text(json.dumps({"crops_per_epoch": int(steps / epochs)}))
    overrides = json.loads(settings.read_text()) | {"resume": options.resume, "device": torch.device("cpu")}
    print(overrides, flush=True)
    failure = run_training(
        bundle, options.folder, options.run, overrides, lambda _: None, lambda *_: None, lambda t: print(t, flush=True)
    )
    if failure:
        raise SystemExit(failure)
    scoring = argparse.Namespace(weights=options.run / "model.pt", set=[])
    items = training_items(options.folder, "validation")
    print_table({"stock UNet": score(str(bundle.root), items, scoring)})


def stock_bundle(root: Path):
    """A copy of the bundle whose configs name the stock network."""
    if not root.is_dir():
        shutil.copytree(find_bundle("headneck_ct_unet3d").root, root, ignore=shutil.ignore_patterns("models", "docs"))
        for path in (root / "configs").glob("*.json"):
            content = json.loads(path.read_text(encoding="utf-8"))
            if "network_def" in content:
                path.write_text(json.dumps(content | {"network_def": STOCK}), encoding="utf-8")
    return find_bundle(str(root))


def seconds_per_step(bundle) -> float:
    """Median of a few training steps, forward to optimizer."""
    workflow = load_workflow(bundle, "train", {}, dataset_dir="none", initialize=[])
    network, loss, optimizer = (workflow.parser.get_parsed_content(k) for k in ("network", "loss", "optimizer"))
    inferer = workflow.parser.get_parsed_content("train::inferer")
    image = torch.rand(1, 1, *workflow.parser["patch_size"])
    label = torch.randint(0, 8, image.shape)
    times = []
    for _ in range(MEASURED_STEPS):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss(inferer(image, network), label).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return sorted(times)[MEASURED_STEPS // 2]


if __name__ == "__main__":
    main()
