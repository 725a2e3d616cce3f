"""Resample to one voxel size without aliasing: a CT of 0.5 mm pixels holds noise that 4 mm pixels cannot."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.config import KeysCollection
from monai.networks.layers import GaussianFilter
from monai.transforms import MapTransform
from monai.utils import TransformBackends, convert_to_dst_type

_LEAST_FACTOR = 1.5  # below it bilinear interpolation itself smooths enough


class SmoothBeforeResamplingd(MapTransform):
    """Gaussian smoothing along each axis that a following ``Spacingd`` will make coarser.

    The standard deviation is ``(factor - 1) / 2`` voxels, as scikit-image's ``resize`` takes it, along axes whose
    voxels become at least 1.5 times as large; other axes and images are left as they are.

    Args:
        keys: images ``(C, *spatial)``, MetaTensors; not labels.
        pixdim: voxel size of the following resampling, one per spatial axis.
        allow_missing_keys: skip keys that an item lacks.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(self, keys: KeysCollection, pixdim: Sequence[float], allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.pixdim = tuple(float(p) for p in pixdim)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with the keys smoothed where it is needed."""
        result = dict(data)
        for key in self.key_iterator(result):
            image = result[key]
            sigmas = smoothing_sigmas([float(p) for p in image.pixdim], self.pixdim)
            if any(sigmas):
                smooth = GaussianFilter(len(sigmas), sigmas, truncated=3.0)
                plain = image.as_tensor().float()
                result[key] = convert_to_dst_type(smooth(plain[None])[0], image)[0]
        return result


def smoothing_sigmas(spacing: Sequence[float], target: Sequence[float]) -> list[float]:
    """Standard deviation in voxels along each axis; 0 where the target is not much coarser."""
    factors = [after / before for before, after in zip(spacing, target, strict=True)]
    return [(f - 1) / 2 if f >= _LEAST_FACTOR else 0.0 for f in factors]
