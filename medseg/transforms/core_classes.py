"""From a label image to background, rim and core: what a network learns that must tell touching cells apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type
from scipy.ndimage import distance_transform_edt

from medseg.errors import InputError
from medseg.kernels.object_boxes import object_boxes
from medseg.transforms.label_array import label_array
from medseg.transforms.touching import separate_touching

BACKGROUND, RIM, CORE = range(3)


def core_classes(labels: np.ndarray, depth: float = 4.0, share: float = 0.5) -> np.ndarray:
    """Class of each pixel: 0 background, 1 rim of an object, 2 its core.

    A pixel is core where it lies deeper in its object than ``depth`` pixels, or, in an object too thin for that,
    deeper than ``share`` of the object's largest depth; so every object has a core, and cores of objects that
    touch lie apart. Of an object so thin that the ridge takes all of it, the deepest pixel is core.

    Args:
        labels: ``(*spatial)`` integer label image, 0 = background. Touching objects are parted by a ridge of
            background first (:func:`medseg.transforms.separate_touching`). Not modified.
        depth: width of the rim in pixels.
        share: of the largest depth of a thin object, between 0 and 1.

    Returns:
        uint8 array of the shape of ``labels``.

    Raises:
        InputError: not a label image, ``depth`` not positive, ``share`` not between 0 and 1.
    """
    if not (np.isfinite(depth) and depth > 0 and 0 < share < 1):
        raise InputError(f"core_classes: depth={depth}, share={share}; give depth > 0 and 0 < share < 1.")
    whole, labels = labels, separate_touching(labels)
    # the ridge parts all objects, so one transform for the whole image gives each its own depths
    inside = distance_transform_edt(labels) if (labels == 0).any() else np.full(labels.shape, np.inf)
    ids, index = np.unique(labels, return_inverse=True)
    index = index.reshape(labels.shape)
    deepest = np.zeros(len(ids))
    np.maximum.at(deepest, index, inside)  # the image's border is no border of an object
    limit = np.minimum(depth, share * deepest)[index]
    classes = np.where(labels == 0, BACKGROUND, np.where(inside > limit, CORE, RIM)).astype(np.uint8)
    for place in _deepest_of_vanished(whole, ids):
        classes[place] = CORE
    return classes


def _deepest_of_vanished(whole: np.ndarray, left: np.ndarray) -> Iterator[tuple[int, ...]]:
    """A pixel of each object whose id is not ``left``: the deepest, of several that nearest to their middle."""
    objects = object_boxes(whole)
    vanished = ~np.isin(objects.ids, left)
    for number, box in zip(objects.ids[vanished], objects.boxes[vanished], strict=True):
        low, high = box[: whole.ndim] - 1, box[whole.ndim :] + 1
        low = low.clip(min=0)  # the image's border is no border of an object
        mine = whole[tuple(map(slice, low, high))] == number
        inside = distance_transform_edt(mine) if not mine.all() else np.ones(mine.shape)
        deepest = np.argwhere(inside == inside.max())
        nearest = ((deepest - deepest.mean(0)) ** 2).sum(1).argmin()
        yield tuple((low + deepest[nearest]).tolist())


class CoreClassesd(MapTransform):
    """Turn ``(1, *spatial)`` label images into float32 classes, see :func:`core_classes`.

    Args:
        keys: label images.
        depth, share: see :func:`core_classes`.
    """

    def __init__(
        self, keys: KeysCollection, depth: float = 4.0, share: float = 0.5, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.depth, self.share = depth, share

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with the keys turned into classes."""
        result = dict(data)
        for key in self.key_iterator(result):
            classes = core_classes(label_array(result[key], "CoreClassesd"), self.depth, self.share)
            classes = torch.from_numpy(classes)[None]
            result[key] = convert_to_dst_type(classes, result[key], dtype=torch.float32)[0]
        return result
