"""From probabilities of cells and their cores to one label per cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import Transform
from monai.utils import convert_to_dst_type
from skimage.measure import label

from medseg.transforms.dictionary_form import DictionaryForm
from medseg.transforms.flood import flood
from medseg.transforms.instances import label_sections, of_size
from medseg.transforms.probability_array import probability_array


class InstancesFromCore(Transform):
    """Seeded watershed: each core is a cell, which ends where background is likelier or another cell is nearer.

    A cell in which no core was found, because it is thin or flat, is a connected component of its own.

    Args:
        core_threshold: components of ``P(core) > core_threshold`` are the seeds.
        cell_threshold: cells are where ``P(cell) > cell_threshold``; of three classes ``P(rim) + P(core)``.
        min_core: seeds of fewer pixels are noise.
        min_size: so are cells of fewer pixels.
        max_size: cells of more pixels are none: walls of a channel, scratches. None: any size.
        spatial_dims: axes of one section; leading axes are sections, each with its own cells.

    Shapes: ``(3, *sections, *spatial)`` float probabilities that sum to 1 (classes of
    :func:`medseg.transforms.core_classes`), or ``(2, …)`` of cell and core
    (:class:`medseg.transforms.ForegroundAndCores`), to int32 ``(1, …)``, 0 = background.

    Raises:
        ValueError: thresholds outside 0–1, other than two or three channels.
        InputError: logits or NaN in place of probabilities.
    """

    def __init__(
        self,
        core_threshold: float = 0.5,
        cell_threshold: float = 0.5,
        min_core: int = 0,
        min_size: int = 0,
        spatial_dims: int = 2,
        max_size: int | None = None,
    ) -> None:
        if not (0 <= core_threshold <= 1 and 0 <= cell_threshold <= 1):
            raise ValueError(f"thresholds are between 0 and 1, not {core_threshold} and {cell_threshold}")
        self.core_threshold, self.cell_threshold = core_threshold, cell_threshold
        self.min_core, self.min_size, self.max_size = min_core, min_size, max_size
        self.spatial_dims = spatial_dims

    def __call__(self, img: Any) -> torch.Tensor:
        """Label image of the probabilities of one image."""
        probabilities = probability_array(img, "InstancesFromCore")
        if probabilities.shape[0] not in (2, 3):
            raise ValueError(
                "three channels (background, rim, core) or two (cell, core) are needed, not shape "
                f"{tuple(probabilities.shape)}"
            )
        labels = label_sections(probabilities, self.spatial_dims, self._cells)
        return convert_to_dst_type(labels, img, dtype=torch.int32)[0]

    def _cells(self, probabilities: np.ndarray) -> np.ndarray:
        core = probabilities[-1]
        cell = probabilities[0] if len(probabilities) == 2 else probabilities[1] + core
        mask = cell > self.cell_threshold
        seeds = of_size(label((core > self.core_threshold) & mask, connectivity=1), self.min_core)
        cells = flood(-(cell + core), seeds, mask)
        coreless = label(mask & (cells == 0), connectivity=1)
        cells = np.where(coreless > 0, coreless + cells.max(initial=0), cells)
        return of_size(cells, self.min_size, self.max_size)


class InstancesFromCored(DictionaryForm):
    """Dictionary form of :class:`InstancesFromCore`."""

    def __init__(
        self,
        keys: KeysCollection,
        core_threshold: float = 0.5,
        cell_threshold: float = 0.5,
        min_core: int = 0,
        min_size: int = 0,
        spatial_dims: int = 2,
        max_size: int | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        transform = InstancesFromCore(core_threshold, cell_threshold, min_core, min_size, spatial_dims, max_size)
        super().__init__(keys, transform, allow_missing_keys)
