"""From the probability of cell interior to one label per cell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from monai.utils import convert_to_dst_type, convert_to_numpy
from skimage.measure import label
from skimage.segmentation import relabel_sequential, watershed


class InstancesFromProbability(Transform):
    """Seeded watershed on a probability: seeds where it is high, cells as far as it is not low.

    With one channel, of the foreground, seeds are its peaks. With two the second is that of the cells' cores
    (:class:`medseg.transforms.ForegroundAndCores`) and gives the seeds, the first gives the outline.

    Args:
        seed_threshold: components of ``probability > seed_threshold`` are the seeds.
        threshold: cells end where the probability of foreground falls to this or below.
        min_size: seeds of fewer pixels are noise, as are cells.
        spatial_dims: axes of one section; leading axes are sections, each with its own cells numbered from 1
            on through the stack, so that no id occurs twice.
        min_seed_size: for seeds in place of ``min_size``; cores are smaller than cells.
        keep_unseeded: a piece of foreground of at least ``min_size`` pixels without any seed is a cell, too.

    Shapes: ``(1 or 2, *sections, *spatial)`` float 0–1 to int32 ``(1, *sections, *spatial)``, 0 = background.

    Raises:
        ValueError: thresholds outside 0–1, or out of order with one channel; another number of channels.
    """

    def __init__(
        self,
        seed_threshold: float = 0.5,
        threshold: float = 0.5,
        min_size: int = 0,
        spatial_dims: int = 2,
        min_seed_size: int | None = None,
        keep_unseeded: bool = False,
    ) -> None:
        if not (0 <= threshold <= 1 and 0 <= seed_threshold <= 1):
            raise ValueError(f"thresholds are probabilities from 0 to 1, not {threshold} and {seed_threshold}")
        self.seed_threshold, self.threshold = seed_threshold, threshold
        self.min_size, self.spatial_dims = min_size, spatial_dims
        self.min_seed_size = min_size if min_seed_size is None else min_seed_size
        self.keep_unseeded = keep_unseeded

    def __call__(self, img: Any) -> torch.Tensor:
        """Label image of one probability map."""
        probability = convert_to_numpy(img)
        channels, *shape = probability.shape
        if channels not in (1, 2):
            raise ValueError(f"a channel of foreground, and perhaps one of cores, is needed, not {channels}")
        if channels == 1 and self.threshold > self.seed_threshold:
            raise ValueError(f"need threshold <= seed_threshold, not {self.threshold} and {self.seed_threshold}")
        sections = probability.reshape(channels, -1, *shape[len(shape) - self.spatial_dims :])
        labels, last = np.zeros(sections.shape[1:], np.int32), 0
        for foreground, cores, out in zip(sections[0], sections[-1], labels, strict=True):
            found = self._cells(foreground, cores)
            out[...] = np.where(found > 0, found + last, 0)
            last += int(found.max(initial=0))
        return convert_to_dst_type(labels.reshape(1, *shape), img, dtype=torch.int32)[0]

    def _cells(self, foreground: np.ndarray, cores: np.ndarray) -> np.ndarray:
        mask = foreground > self.threshold
        seeds = _without_small(label((cores > self.seed_threshold) & mask, connectivity=1), self.min_seed_size)
        one_level = np.shares_memory(cores, foreground) and self.seed_threshold == self.threshold
        cells = seeds if one_level else watershed(-cores, seeds, mask=mask)
        if self.keep_unseeded:
            left_over = label(mask & (cells == 0), connectivity=1)
            cells = np.where(left_over > 0, left_over + cells.max(initial=0), cells)
        return relabel_sequential(_without_small(cells, self.min_size))[0]


class InstancesFromProbabilityd(MapTransform):
    """Dictionary form of :class:`InstancesFromProbability`."""

    def __init__(
        self,
        keys: KeysCollection,
        seed_threshold: float = 0.5,
        threshold: float = 0.5,
        min_size: int = 0,
        spatial_dims: int = 2,
        min_seed_size: int | None = None,
        keep_unseeded: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = InstancesFromProbability(
            seed_threshold, threshold, min_size, spatial_dims, min_seed_size, keep_unseeded
        )

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with the keys turned into label images."""
        result = dict(data)
        for key in self.key_iterator(result):
            result[key] = self.transform(result[key])
        return result


def _without_small(labels: np.ndarray, min_size: int) -> np.ndarray:
    """Labels of fewer pixels become background."""
    sizes = np.bincount(labels.ravel())
    return np.where(sizes[labels] >= min_size, labels, 0)
