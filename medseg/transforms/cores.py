"""What a network learns that has to tell touching objects apart: whole objects, and their cores."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends, convert_to_dst_type, convert_to_tensor
from scipy import ndimage
from skimage.segmentation import find_boundaries

from medseg.errors import InputError
from medseg.kernels.check_labels import check_labels
from medseg.transforms.label_array import label_array


def object_cores(labels: np.ndarray, fraction: float = 0.5) -> np.ndarray:
    """Mark the pixels of each object that lie deeper than a fraction of its greatest depth.

    The depth of a pixel is its Euclidean distance in pixels to the object's outermost pixels, plus one. Depths
    are relative, so that the core of an object of 8 pixels and of one of 100 has the same form; the cores of two
    objects never touch unless both are but two pixels wide. What the edge of the image cuts goes on beyond it: that
    edge is no boundary.

    Args:
        labels: ``(*spatial)`` integer label image, 0 = background. Not modified.
        fraction: 0 (the whole object) up to, but without, 1 (the deepest pixels alone).

    Returns:
        ``(*spatial)`` bool; each object has at least one pixel of it.

    Raises:
        InputError: not a label image, a fraction outside [0, 1).

    Example:
        >>> object_cores(np.array([[0, 5, 5, 5, 5, 5, 7, 7, 0]])).astype(int)
        array([[0, 0, 1, 1, 1, 0, 1, 1, 0]])
    """
    check_labels(labels)
    if not 0 <= fraction < 1:
        raise InputError(f"object_cores: fraction={fraction}; give 0 up to, but without, 1.")
    inside = labels > 0
    if not inside.any():
        return inside
    rim = find_boundaries(labels, connectivity=1, mode="inner")
    depth = ndimage.distance_transform_edt(inside & ~rim) + 1 if rim.any() else np.ones(labels.shape)
    _, dense = np.unique(labels, return_inverse=True)
    dense = dense.reshape(labels.shape)
    deepest = ndimage.maximum(depth, dense, np.arange(dense.max() + 1))
    return inside & (depth > fraction * deepest[dense])


class ForegroundAndCores(Transform):
    """Array form: ``(1, *sections, *spatial)`` labels to ``(2, …)`` float32, the objects and their cores.

    Args:
        fraction: see :func:`object_cores`.
        spatial_dims: axes of one section; the sections of a stack are taken by themselves.
    """

    backend = [TransformBackends.NUMPY]  # noqa: RUF012 (MONAI's own convention)

    def __init__(self, fraction: float = 0.5, spatial_dims: int = 2) -> None:
        self.fraction, self.spatial_dims = fraction, spatial_dims

    def __call__(self, img: NdarrayOrTensor) -> torch.Tensor:
        """Channel 0 is 1 in every object, channel 1 in every core."""
        labels = label_array(img, "ForegroundAndCores")
        sections = labels.reshape(-1, *labels.shape[labels.ndim - self.spatial_dims :])
        cores = np.stack([object_cores(section, self.fraction) for section in sections]).reshape(labels.shape)
        img = convert_to_tensor(img, track_meta=get_track_meta())
        return convert_to_dst_type(np.stack([labels > 0, cores]), dst=img, dtype=torch.float32)[0]


class ForegroundAndCoresd(MapTransform):
    """Dictionary form of :class:`ForegroundAndCores`."""

    backend = ForegroundAndCores.backend

    def __init__(
        self, keys: KeysCollection, fraction: float = 0.5, spatial_dims: int = 2, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.convert = ForegroundAndCores(fraction, spatial_dims)

    def __call__(self, data: Mapping[Hashable, NdarrayOrTensor]) -> dict[Hashable, NdarrayOrTensor]:
        """Return a copy of ``data`` with the keys turned into objects and cores."""
        result = dict(data)
        for key in self.key_iterator(result):
            result[key] = self.convert(result[key])
        return result
