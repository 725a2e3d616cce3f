"""From probabilities of cells and their cores to one label per cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import Transform
from monai.utils import convert_to_dst_type
from skimage.measure import label

from medseg.kernels.necks import lobe_markers
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
        neck: two lobes of a core are seeds of their own where the core between them is narrower than this share of
            the narrower lobe (:func:`medseg.kernels.necks.lobe_markers`). 0: a core is one seed.
        min_confidence: cells whose mean ``P(cell)`` is below this share of that of the median cell of the section are
            none: debris, what is out of focus, but faint cells too. At least half of the cells stay. 0: all stay.

    Shapes: ``(3, *sections, *spatial)`` float probabilities that sum to 1 (classes of
    :func:`medseg.transforms.core_classes`), or ``(2, …)`` of cell and core
    (:class:`medseg.transforms.ForegroundAndCores`), to int32 ``(1, …)``, 0 = background.

    Raises:
        ValueError: thresholds or ``min_confidence`` outside 0–1, ``neck`` negative or not below 1, other than two or
            three channels.
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
        neck: float = 0.0,
        min_confidence: float = 0.0,
    ) -> None:
        shares = {"core_threshold": core_threshold, "cell_threshold": cell_threshold, "min_confidence": min_confidence}
        for name, value in shares.items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is between 0 and 1, not {value}")
        if not 0 <= neck < 1:
            raise ValueError(f"neck is from 0 to below 1, not {neck}")
        self.core_threshold, self.cell_threshold = core_threshold, cell_threshold
        self.min_core, self.min_size, self.max_size = min_core, min_size, max_size
        self.neck, self.min_confidence = neck, min_confidence
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
        cores = (core > self.core_threshold) & mask
        seeds = lobe_markers(cores, self.neck) if self.neck else label(cores, connectivity=1)
        seeds = of_size(seeds, self.min_core)
        cells = flood(-(cell + core), seeds, mask)
        coreless = label(mask & (cells == 0), connectivity=1)
        cells = np.where(coreless > 0, coreless + cells.max(initial=0), cells)
        return _confident(of_size(cells, self.min_size, self.max_size), cell, self.min_confidence)


def _confident(cells: np.ndarray, probability: np.ndarray, share: float) -> np.ndarray:
    """The labels without those whose mean probability is less than a share of the median of these means."""
    sizes = np.bincount(cells.ravel())
    present = sizes > 0
    present[0] = False
    if not share or not present.any():
        return cells
    means = np.bincount(cells.ravel(), probability.ravel()) / np.maximum(sizes, 1)
    return np.where((means < share * np.median(means[present]))[cells], 0, cells)


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
        neck: float = 0.0,
        min_confidence: float = 0.0,
        allow_missing_keys: bool = False,
    ) -> None:
        transform = InstancesFromCore(
            core_threshold, cell_threshold, min_core, min_size, spatial_dims, max_size, neck, min_confidence
        )
        super().__init__(keys, transform, allow_missing_keys)
