"""Pixel weights by which a small object counts in the loss as much as a larger one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type, ensure_tuple_rep

from medseg.errors import InputError
from medseg.kernels.two_nearest import two_nearest
from medseg.transforms.label_array import label_array


def small_object_weights(labels: np.ndarray, area: float, most: float = 6.0, reach: float = 2.0) -> np.ndarray:
    """Weight of each pixel: ``area / size`` in and around objects of fewer than ``area`` pixels, else 1.

    In a loss that is summed over pixels an object of 20 pixels is a hundredth of one of 2,000, though a list of
    objects counts both as one. So weighted, objects smaller than ``area`` count in total as much as one of that size.

    Args:
        labels: ``(*spatial)`` integer label image, 0 = background, 2D or 3D. Not modified.
        area: pixels (voxels) of the smallest object that is not weighted.
        most: largest weight.
        reach: background up to so many pixels from an object has the object's weight, so that it stays as small as
            it is.

    Returns:
        float32 array of the shape of ``labels``, from 1 to ``most``.

    Raises:
        InputError: not a label image, ``area`` or ``reach`` not positive, ``most`` below 1.
    """
    for name, value, low in (("area", area, 0), ("reach", reach, 0), ("most", most, 1)):
        if not (np.isfinite(value) and value >= low and value > 0):
            raise InputError(
                f"small_object_weights: {name}={value}; give a number {'of 1 or more' if low else 'above 0'}."
            )
    near = two_nearest(labels, cutoff=reach, inside=False)
    ids, sizes = np.unique(labels, return_counts=True)
    weights = np.where(ids == 0, 1, np.clip(area / sizes, 1, most)).astype(np.float32)
    around = np.searchsorted(ids, near.id1).reshape(labels.shape)
    return np.where(near.id1 == 0, np.float32(1), weights[around])


class SmallObjectWeightd(MapTransform):
    """Raise the weights of small objects in ``data``; see :func:`small_object_weights`.

    Args:
        keys: label images, ``(1, *spatial)``, integer or whole numbers.
        area: None or 0: nothing is raised.
        most, reach: see :func:`small_object_weights`.
        weight_keys: weights of each label image that are there already, such as those of
            :class:`medseg.transforms.BorderWeightMapd`; where those are larger they stay. Where there are none: 1.

    Raises:
        InputError: as :func:`small_object_weights`; weights of another shape than the labels.
    """

    def __init__(
        self,
        keys: KeysCollection,
        area: float | None,
        most: float = 6.0,
        reach: float = 2.0,
        weight_keys: KeysCollection = "weight",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.area, self.most, self.reach = area, most, reach
        self.weight_keys = ensure_tuple_rep(weight_keys, len(self.keys))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with the weights raised."""
        result = dict(data)
        if not self.area:
            return result
        for key, weight_key in self.key_iterator(result, self.weight_keys):
            labels = label_array(result[key], "SmallObjectWeightd")
            small = torch.from_numpy(small_object_weights(labels, self.area, self.most, self.reach))[None]
            weight = result.get(weight_key, torch.ones_like(small))
            if tuple(weight.shape) != tuple(small.shape):
                shapes = f"the shape {tuple(weight.shape)}, the labels {tuple(small.shape)}"
                raise InputError(f"SmallObjectWeightd: {weight_key!r} has {shapes}; they are weights of its pixels.")
            small = convert_to_dst_type(small, weight)[0]
            result[weight_key] = torch.maximum(torch.as_tensor(weight), torch.as_tensor(small))
        return result
