"""Resample to one voxel size without aliasing: a CT of 0.5 mm pixels holds noise that 4 mm pixels cannot."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.networks.layers import gaussian_1d
from monai.transforms import MapTransform
from monai.utils import TransformBackends, convert_to_dst_type
from scipy.ndimage import correlate1d

from medseg.errors import InputError

_LEAST_FACTOR = 1.5  # below it bilinear interpolation itself smooths enough
_REACH = 3.0  # of the kernel, in standard deviations


class SmoothBeforeResamplingd(MapTransform):
    """Gaussian smoothing along each axis that a following ``Spacingd`` will make coarser.

    The standard deviation is ``(factor - 1) / 2`` voxels, as scikit-image's ``resize`` takes it, along axes whose
    voxels become at least 1.5 times as large; other axes and images are left as they are. Beyond the border the
    outermost voxels are repeated, so that a constant stays what it is. What is smoothed becomes float32.

    Args:
        keys: images ``(C, *spatial)``, MetaTensors; not labels.
        pixdim: voxel size of the following resampling, one per spatial axis.
        allow_missing_keys: skip keys that an item lacks.

    Raises:
        InputError: an image without voxel size (no MetaTensor), or of another number of axes than ``pixdim``.
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
            if not isinstance(image, MetaTensor) or image.ndim - 1 != len(self.pixdim):
                what = f"{image.ndim - 1} axes" if isinstance(image, MetaTensor) else "no voxel size"
                raise InputError(
                    f"SmoothBeforeResamplingd: {key!r} has {what}; give a MetaTensor of {len(self.pixdim)} spatial axes"
                )
            sigmas = smoothing_sigmas([float(p) for p in image.pixdim], self.pixdim)
            if any(sigmas):
                smooth = _smoothed(image.as_tensor().float(), sigmas)
                result[key] = convert_to_dst_type(smooth, image, dtype=smooth.dtype)[0]
        return result


def _smoothed(image: torch.Tensor, sigmas: Sequence[float]) -> torch.Tensor:
    smooth = image.detach().cpu().numpy()
    for axis, sigma in enumerate(sigmas, start=1):
        if sigma:
            kernel = gaussian_1d(torch.tensor(sigma), _REACH, normalize=True).numpy()
            smooth = correlate1d(smooth, kernel, axis=axis, mode="nearest")
    return torch.from_numpy(smooth)


def smoothing_sigmas(spacing: Sequence[float], target: Sequence[float]) -> list[float]:
    """Standard deviation in voxels along each axis; 0 where the target is not much coarser."""
    factors = [after / before for before, after in zip(spacing, target, strict=True)]
    return [(f - 1) / 2 if f >= _LEAST_FACTOR else 0.0 for f in factors]
