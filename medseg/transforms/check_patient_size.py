"""Refuse a CT that is too small or too large for a patient: its voxel size is not in mm."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import TransformBackends

from medseg.errors import InputError
from medseg.io.source_file import describe_source

_ACROSS = 0.4  # of the greatest length: a scanner's ring is narrower than a patient is long


class CheckPatientSized(MapTransform):
    """Pass volumes on that a patient fits into, refuse the others before they are resampled.

    A voxel size in µm or of a resampled copy makes millions of voxels of nothing: minutes of work, or more memory
    than there is, for labels that mean nothing.

    Args:
        keys: volumes ``(1, X, Y, Z)``, MetaTensors whose affine is in mm; they pass through unchanged.
        extent_mm: least and greatest length of the longest side. The second longest is at most 0.4 times the greatest.
        allow_missing_keys: skip keys that an item lacks.

    Raises:
        InputError: a volume of another size.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self, keys: KeysCollection, extent_mm: Sequence[float] = (20, 2500), allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.least, self.greatest = extent_mm

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Look at each key; the data pass through unchanged."""
        for key in self.key_iterator(data):
            image: MetaTensor = data[key]
            spacing = np.asarray(image.pixdim, dtype=float)
            extent = spacing * image.shape[1:]
            *_, across, longest = sorted(extent)
            if self.least <= longest <= self.greatest and across <= _ACROSS * self.greatest:
                continue
            name = describe_source(image).removeprefix(" of ") or key
            size, voxel = (" x ".join(f"{length:.4g}" for length in lengths) for lengths in (extent, spacing))
            raise InputError(
                f"{name}: {size} mm large, voxels of {voxel} mm: no patient is of that size. Is the voxel size right, "
                "and in mm? If it is, allow it with other numbers: "
                f'--set "extent_mm=[{self.least:g},{self.greatest:g}]"'
            )
        return dict(data)
