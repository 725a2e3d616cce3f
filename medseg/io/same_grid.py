"""Notice a label volume that does not lie where its image lies: voxels of different places would be compared."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import product
from typing import Any

import numpy as np
from monai.data import MetaTensor
from monai.transforms import MapTransform

from medseg.errors import InputError
from medseg.io.source_file import describe_source
from medseg.io.volume import stored_axes

_MOST_APART = 0.1  # voxels; headers round


class CheckSameGridd(MapTransform):
    """Refuse volumes whose voxels are not at the same places in the patient.

    MONAI compares and crops arrays voxel by voxel, whatever their affines say.

    Args:
        keys: MetaTensors ``(C, *spatial)``, 3D; each is held against the first.
        allow_missing_keys: skip keys that an item lacks.

    Raises:
        InputError: another shape than the first, a corner more than a tenth of a voxel away, or no MetaTensor.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Look at the keys; the data pass through unchanged."""
        volumes = {key: data[key] for key in self.key_iterator(data)}
        if not volumes:
            return dict(data)
        for key, volume in volumes.items():
            if not isinstance(volume, MetaTensor):
                raise InputError(f"CheckSameGridd: {key!r} is no MetaTensor, it does not say where it lies")
        first, *others = volumes.values()
        for other in others:
            if reason := why_elsewhere(*_grid(other), *_grid(first)):
                raise InputError(
                    f"the volume{describe_source(other)} does not lie where that{describe_source(first)} lies: "
                    f"{reason}; mend the header that is wrong, or resample one onto the other"
                )
        return dict(data)


def why_elsewhere(
    affine: np.ndarray, shape: tuple[int, ...], reference_affine: np.ndarray, reference_shape: tuple[int, ...]
) -> str | None:
    """In what two grids differ; None where their voxels are at the same places.

    Args:
        affine, reference_affine: 4x4 from indices to RAS millimetres.
        shape, reference_shape: voxels along the three axes.
    """
    if shape != reference_shape:
        return f"it has {' x '.join(map(str, shape))} voxels, not {' x '.join(map(str, reference_shape))}"
    stored, expected = stored_axes(affine), stored_axes(reference_affine)
    if stored != expected:
        return f"it is stored as {stored}, not as {expected}"
    corners = np.array([(*corner, 1) for corner in product(*((0, n - 1) for n in shape))]).T
    apart_mm = np.linalg.norm(((affine - reference_affine) @ corners)[:3], axis=0).max()
    if apart_mm > _MOST_APART * np.linalg.norm(reference_affine[:3, :3], axis=0).min():
        return f"its corners are up to {apart_mm:.3g} mm beside"
    return None


def _grid(volume: MetaTensor) -> tuple[np.ndarray, tuple[int, ...]]:
    return np.asarray(volume.affine, dtype=float), tuple(volume.shape[1:])
