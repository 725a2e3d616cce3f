"""The classical way that cells3d_mask_rcnn has to beat: smooth, threshold against the surroundings, watershed.

    python benchmarks/cells3d_watershed.py FOLDER [--split FILE]

FOLDER is the bundle's training folder. Three settings are chosen by AP50 on the first training volume and used as they
are on the validation volumes, then chosen anew on each of these, which flatters. AP50 and AP50:95 are printed.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

from medseg.io import read_image, read_labels, volume_items
from medseg.metrics import average_precision

SMOOTH, CONTRAST, SEED_SIGMA = (1.5, 2.5, 3.5), (1.05, 1.15, 1.25, 1.4), (3.0, 4.5, 6.0)
SURROUNDINGS = (8, 16, 16)
LEAST = 200
"""Voxels of a nucleus."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", type=Path)
    options = parser.parse_args()
    training, validation = (
        [volume(item) for item in volume_items(options.folder, part, split_file=options.split)]
        for part in ("training", "validation")
    )
    chosen = best(*training[0])
    print(f"chosen on the first training volume: smoothing {chosen[0]}, contrast {chosen[1]}, seeds {chosen[2]}")
    for number, (image, truth) in enumerate(validation):
        for what, settings in (("these", chosen), ("its own", best(image, truth))):
            ap = average_precision(nuclei(image, *settings), truth, volumetric=True)
            ap50 = ap.scores[0].average_precision
            print(f"validation volume {number}, {what} settings: AP50 {ap50:.3f}, AP50:95 {ap.value:.3f}")


def volume(item: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Image and labels, ``(Z, Y, X)``."""
    return read_image(item["image"])[0].astype(np.float32), read_labels(item["label"])[0]


def best(image: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """The settings with the greatest AP50."""

    def score(settings: tuple[float, float, float]) -> float:
        return average_precision(nuclei(image, *settings), truth, iou_thresholds=[0.5], volumetric=True).value

    return max(itertools.product(SMOOTH, CONTRAST, SEED_SIGMA), key=score)


def nuclei(image: np.ndarray, smooth: float, contrast: float, seed_sigma: float) -> np.ndarray:
    """Label image of what is ``contrast`` times as bright as its surroundings, parted at the maxima; sigmas in XY."""
    mask = gaussian_filter(image, (smooth / 2, smooth, smooth)) > contrast * gaussian_filter(image, SURROUNDINGS)
    height = gaussian_filter(image, (seed_sigma / 2.2, seed_sigma, seed_sigma))
    seeds = np.zeros(image.shape, np.int32)
    peaks = peak_local_max(height, min_distance=5, labels=mask.astype(int))
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-height, seeds, mask=mask)
    labels[np.bincount(labels.ravel())[labels] < LEAST] = 0
    return labels.astype(np.int32)


if __name__ == "__main__":
    main()
