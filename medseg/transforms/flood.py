"""Seeded watershed that looks only where seeds compete."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, find_objects
from skimage.measure import label
from skimage.segmentation import watershed


def flood(image: np.ndarray, seeds: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Grow seeds over a mask, low pixels first, as scikit-image's ``watershed`` does, but only where it matters.

    A component of the mask that holds one seed is that seed's. Those that hold several are flooded one by one. Pixels
    deep in a seed have no part in where it meets another, so a flood starts from those that touch what is still free.

    Args:
        image: ``(*spatial)``, what is flooded.
        seeds: ``(*spatial)`` int, 0 = none; each id is one component (over faces) and lies within the mask.
        mask: ``(*spatial)`` bool, what is to be covered.

    Returns:
        Labels of the shape and type of ``seeds``; 0 outside the mask and in components of it without a seed. Where
        two seeds at exactly equal values compete for a pixel, either may get it.
    """
    basins = label(mask, connectivity=1)
    basin_of = np.zeros(seeds.max(initial=0) + 1, np.intp)
    basin_of[seeds] = basins
    basin_of[0] = 0
    ids = np.flatnonzero(basin_of)
    count = np.bincount(basin_of[ids], minlength=basins.max(initial=0) + 1)
    owner = np.zeros(len(count), seeds.dtype)
    owner[basin_of[ids]] = ids
    owner[count > 1] = 0
    labels = np.maximum(seeds, owner[basins])
    boxes = {basin: box for basin, box in enumerate(find_objects(basins), start=1) if count[basin] > 1}
    if sum(basins[box].size for box in boxes.values()) > basins.size:  # they overlap: basins that are long and askew
        _flood_box(image, seeds, (count > 1)[basins], labels)
        return labels
    for basin, box in boxes.items():
        _flood_box(image[box], seeds[box], basins[box] == basin, labels[box])
    return labels


def _flood_box(image: np.ndarray, seeds: np.ndarray, mask: np.ndarray, out: np.ndarray) -> None:
    disputed = binary_dilation(mask & (seeds == 0)) & mask
    out[disputed] = watershed(image, seeds, mask=disputed)[disputed]
