"""The U-Net bundles' yardstick: MONAI's BasicUNet with MONAI's transforms, and nothing of medseg but the metrics.

    python benchmarks/unet_recipe_baseline.py em --data FOLDER --steps 1500 [--elsewhere FOLDER]
    python benchmarks/unet_recipe_baseline.py cells --data FOLDER --split SPLIT --steps 450 --batch-size 8

16 to 256 channels, padded convolutions, flips, quarter turns, scaled and shifted intensities, noise, Dice plus
cross-entropy, Adam at 0.001, random crops of 256². `em`: one channel of cell interior. `cells`: background, inside and
border (the outermost two pixels of each cell); a connected component of the inside is a cell, grown into the border.
Prints the scores on the validation part, and on that of the folder `--elsewhere`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from monai.data import CacheDataset, DataLoader, Dataset, decollate_batch
from monai.inferers import SlidingWindowInferer
from monai.losses import DiceCELoss
from monai.networks.nets import BasicUNet
from monai.transforms import (
    CastToTyped,
    Compose,
    EnsureTyped,
    Lambdad,
    RandCropByPosNegLabeld,
    RandFlipd,
    RandGaussianNoised,
    RandRotate90d,
    RandScaleIntensityd,
    RandShiftIntensityd,
    ScaleIntensityRangePercentilesd,
)
from monai.utils import set_determinism
from skimage.measure import label
from skimage.segmentation import find_boundaries, watershed
from torch.utils.data import RandomSampler

from medseg.inferers import AutocastInferer
from medseg.io import training_items
from medseg.metrics import average_precision, iou, pixel_error, topological_warping_error, v_rand
from medseg.training import training_layout
from medseg.transforms import LoadSectiond

CROP = (256, 256)


def inside_and_border(labels: np.ndarray) -> np.ndarray:
    """0 background, 1 inside, 2 border of a ``(1, Y, X)`` label image."""
    border = find_boundaries(labels[0], mode="thick") & (labels[0] > 0)
    return np.where(labels[0] == 0, 0, np.where(border, 2, 1))[None].astype(np.float32)


def transforms(task: str, training: bool) -> Compose:
    target = inside_and_border if task == "cells" else lambda labels: (np.asarray(labels) > 0).astype(np.float32)
    steps = [
        LoadSectiond(),  # reads one section of a stack; no more than that
        CastToTyped("image", np.float32),
        ScaleIntensityRangePercentilesd("image", 1, 99, 0, 1),
    ]
    if training:
        steps += [
            Lambdad("label", lambda labels: target(np.asarray(labels))),
            RandCropByPosNegLabeld(["image", "label"], "label", CROP, pos=1, neg=1, num_samples=1),
            RandFlipd(["image", "label"], prob=0.5, spatial_axis=0),
            RandFlipd(["image", "label"], prob=0.5, spatial_axis=1),
            RandRotate90d(["image", "label"], prob=0.5),
            RandScaleIntensityd("image", 0.1, prob=0.5),
            RandShiftIntensityd("image", 0.1, prob=0.5),
            RandGaussianNoised("image", prob=0.2, std=0.05),
        ]
    return Compose([*steps, EnsureTyped(["image", "label"])])


def train(task: str, items: list[dict], steps: int, batch_size: int) -> BasicUNet:
    network = BasicUNet(2, 1, 3 if task == "cells" else 1, (16, 32, 64, 128, 256, 16))
    network = network.to(memory_format=training_layout("cpu"))  # the same numbers, sooner
    loss = DiceCELoss(to_onehot_y=True, softmax=True) if task == "cells" else DiceCELoss(sigmoid=True)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    dataset = CacheDataset(items, transforms(task, training=True), progress=False)
    sampler = RandomSampler(dataset, replacement=True, num_samples=steps * batch_size)
    start = time.perf_counter()
    for step, batch in enumerate(DataLoader(dataset, batch_size=batch_size, sampler=sampler)):
        logits = AutocastInferer()(batch["image"].as_tensor(), network)
        value = loss(logits, batch["label"].as_tensor())
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if step % 100 == 99:
            print(
                f"step {step + 1}/{steps}: loss {value.item():.4f}, {(time.perf_counter() - start) / 60:.1f} min",
                flush=True,
            )
    return network.eval()


def predict(network: BasicUNet, items: list[dict], task: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Probabilities ``(C, Y, X)`` and label images of the validation part."""
    slide = AutocastInferer(inferer=SlidingWindowInferer(CROP, sw_batch_size=4, overlap=0.25, mode="gaussian"))
    found, truth = [], []
    for batch in DataLoader(Dataset(items, transforms(task, training=False)), batch_size=1):
        with torch.inference_mode():
            logits = slide(batch["image"].as_tensor(), network)[0]
        found.append((logits.softmax(0) if task == "cells" else logits.sigmoid()).numpy())
        truth.append(decollate_batch(batch["label"])[0][0].numpy().astype(np.int32))
    return found, truth


def cells_of(probabilities: np.ndarray) -> np.ndarray:
    classes = probabilities.argmax(0)
    return watershed(np.zeros(classes.shape), label(classes == 1, connectivity=1), mask=classes > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("em", "cells"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", type=Path)
    parser.add_argument("--elsewhere", type=Path, help="a folder whose validation part is scored too")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, default=4)
    options = parser.parse_args()
    set_determinism(0)
    training, validation = (
        training_items(options.data, p, split_file=options.split) for p in ("training", "validation")
    )
    elsewhere = training_items(options.elsewhere, "validation") if options.elsewhere else []
    network = train(options.task, training, options.steps, options.batch_size)
    print_scores(network, validation, options.task)
    if elsewhere:
        print(f"{len(elsewhere)} images of {options.elsewhere}:")
        print_scores(network, elsewhere, options.task)


def print_scores(network: BasicUNet, items: list[dict], task: str) -> None:
    found, truth = predict(network, items, task)
    if task == "cells":
        cells, truth = np.stack([cells_of(p) for p in found]), np.stack(truth)
        print(f"IoU  {iou(cells > 0, truth > 0).value:.4f}")
        print(f"AP50 {average_precision(cells, truth, iou_thresholds=(0.5,), volumetric=False).value:.4f}")
        return
    interior, truth = np.concatenate(found), np.stack(truth)
    print(f"pixel error   {pixel_error(interior, truth).value:.4f}")
    print(f"V_Rand        {v_rand(interior, truth).value:.4f}")
    print(f"warping error {topological_warping_error(interior, truth).value:.5f}")


if __name__ == "__main__":
    main()
