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
from medseg.io.volume import warn
from medseg.io.wrong_unit import EXTENT_MM, why_no_patient, why_perhaps_in_cm


class CheckPatientSized(MapTransform):
    """Pass volumes on that a patient fits into, refuse the others before they are resampled.

    A voxel size in µm or of a resampled copy makes millions of voxels of nothing: minutes of work, or more memory
    than there is, for labels that mean nothing.

    Args:
        keys: volumes ``(1, X, Y, Z)``, MetaTensors whose affine is in mm; they pass through unchanged.
        extent_mm: see :func:`medseg.io.wrong_unit.why_no_patient`.
        allow_missing_keys: skip keys that an item lacks.

    Raises:
        InputError: a volume of another size, or no MetaTensor.

    Warns:
        InputWarning: a small volume of fine voxels, as if its voxel size were in cm.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self, keys: KeysCollection, extent_mm: Sequence[float] = EXTENT_MM, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.extent_mm = tuple(extent_mm)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Look at each key; the data pass through unchanged."""
        for key in self.key_iterator(data):
            image = data[key]
            if not isinstance(image, MetaTensor):
                raise InputError(f"CheckPatientSized: {key!r} carries no voxel size; load it with LoadImaged")
            name = describe_source(image).removeprefix(" of ") or key
            size = np.asarray(image.pixdim, dtype=float), image.shape[1:], self.extent_mm
            if why := why_no_patient(*size):
                raise InputError(f"{name}: {why} If it is, allow it with other numbers: {_how(self.extent_mm)}")
            if why := why_perhaps_in_cm(*size):
                warn(f"{name}: {why}")
        return dict(data)


def _how(extent_mm: Sequence[float]) -> str:
    least, greatest = extent_mm
    return f'--set "extent_mm=[{least:g},{greatest:g}]"'
