"""From the probability of cell interior to one label per cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import Transform
from monai.utils import convert_to_dst_type
from skimage.measure import label

from medseg.transforms.dictionary_form import DictionaryForm
from medseg.transforms.flood import flood
from medseg.transforms.probability_array import probability_array


class InstancesFromProbability(Transform):
    """Seeded watershed on a foreground probability: seeds where it is high, cells as far as it is not low.

    Args:
        seed_threshold: components of ``probability > seed_threshold`` are the seeds.
        threshold: cells end where the probability falls to this or below.
        min_size: seeds of fewer pixels are noise, as are cells.
        spatial_dims: axes of one section; leading axes are sections, each with its own cells numbered from 1
            on through the stack, so that no id occurs twice.

    Shapes: ``(1, *sections, *spatial)`` float 0–1 to int32 of the same shape, 0 = background.

    Raises:
        ValueError: thresholds out of order or outside 0–1, more than one channel.
        InputError: logits or NaN in place of probabilities.
    """

    def __init__(
        self, seed_threshold: float = 0.5, threshold: float = 0.5, min_size: int = 0, spatial_dims: int = 2
    ) -> None:
        if not 0 <= threshold <= seed_threshold <= 1:
            raise ValueError(f"need 0 <= threshold <= seed_threshold <= 1, not {threshold} and {seed_threshold}")
        self.seed_threshold, self.threshold = seed_threshold, threshold
        self.min_size, self.spatial_dims = min_size, spatial_dims

    def __call__(self, img: Any) -> torch.Tensor:
        """Label image of one probability map."""
        probability = probability_array(img, "InstancesFromProbability")
        if probability.shape[0] != 1:
            raise ValueError(f"one channel of foreground probability is needed, not shape {probability.shape}")
        labels = label_sections(probability, self.spatial_dims, self._cells)
        return convert_to_dst_type(labels, img, dtype=torch.int32)[0]

    def _cells(self, section: np.ndarray) -> np.ndarray:
        (probability,) = section
        seeds = of_size(label(probability > self.seed_threshold, connectivity=1), self.min_size)
        if self.seed_threshold == self.threshold:
            return seeds
        return flood(-probability, seeds, probability > self.threshold)


class InstancesFromProbabilityd(DictionaryForm):
    """Dictionary form of :class:`InstancesFromProbability`."""

    def __init__(
        self,
        keys: KeysCollection,
        seed_threshold: float = 0.5,
        threshold: float = 0.5,
        min_size: int = 0,
        spatial_dims: int = 2,
        allow_missing_keys: bool = False,
    ) -> None:
        transform = InstancesFromProbability(seed_threshold, threshold, min_size, spatial_dims)
        super().__init__(keys, transform, allow_missing_keys)


def of_size(labels: np.ndarray, min_size: int, max_size: int | None = None) -> np.ndarray:
    """The labels without those of fewer or more pixels."""
    sizes = np.bincount(labels.ravel())
    unfit = sizes < min_size
    if max_size is not None:
        unfit |= sizes > max_size
    return np.where(unfit[labels], 0, labels)


def label_sections(maps: np.ndarray, spatial_dims: int, cells: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Label each section of ``(C, *sections, *spatial)`` maps by itself, ids running on through the stack.

    Args:
        maps: what the cells are found in.
        spatial_dims: axes of one section.
        cells: from the ``(C, *spatial)`` maps of a section to its label image; ids no larger than it has pixels.

    Returns:
        ``(1, *sections, *spatial)`` int32, ids dense from 1.
    """
    spatial = maps.shape[maps.ndim - spatial_dims :]
    sections = maps.reshape(len(maps), -1, *spatial)
    labels, last = np.zeros(sections.shape[1:], np.int32), 0
    for k, out in enumerate(labels):
        found = cells(sections[:, k])
        present = np.bincount(found.ravel(), minlength=1) > 0
        present[0] = False
        out[...] = np.where(present, last + np.cumsum(present), 0).astype(np.int32)[found]
        last += int(present.sum())
    return labels.reshape(1, *maps.shape[1:])
