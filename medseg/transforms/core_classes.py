"""From a label image to background, rim and core: what a network learns that must tell touching cells apart."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.utils import convert_to_dst_type
from scipy.ndimage import distance_transform_edt

from medseg.errors import InputError
from medseg.transforms.dictionary_form import DictionaryForm
from medseg.transforms.label_array import label_array
from medseg.transforms.touching import separate_touching

BACKGROUND, RIM, CORE = range(3)
NO_LIMIT = 1e9  # a depth that no object has: its share counts alone


def core_classes(labels: np.ndarray, depth: float = 4.0, share: float = 0.5) -> np.ndarray:
    """Class of each pixel: 0 background, 1 rim of an object, 2 its core.

    A pixel is core where it lies deeper in its object than ``depth`` pixels, or, in an object too thin for that,
    deeper than ``share`` of the object's largest depth; so every object has a core, and cores of objects that
    touch lie apart. Of an object so thin that the ridge takes all of it, the pixel nearest to its centroid is core;
    such cores may touch each other.

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
    vanished = (whole != 0) & ~np.isin(whole, ids)
    if vanished.any():
        classes[_middles(whole, vanished)] = CORE
    return classes


def _middles(labels: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of each object ``where``, the pixel nearest to its centroid; all of them as one index."""
    place, number = np.argwhere(where), np.unique(labels[where], return_inverse=True)[1]
    centroid = np.stack([np.bincount(number, axis) for axis in place.T], axis=1) / np.bincount(number)[:, None]
    order = np.lexsort((((place - centroid[number]) ** 2).sum(axis=1), number))
    nearest = order[np.diff(number[order], prepend=-1) > 0]
    return tuple(place[nearest].T)


class CoreClassesd(DictionaryForm):
    """Turn ``(1, *spatial)`` label images into float32 classes, see :func:`core_classes`.

    Args:
        keys: label images.
        depth, share: see :func:`core_classes`.
    """

    def __init__(
        self, keys: KeysCollection, depth: float = 4.0, share: float = 0.5, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, partial(_classes_of, depth=depth, share=share), allow_missing_keys)


def _classes_of(img: NdarrayOrTensor, depth: float, share: float) -> torch.Tensor:
    classes = torch.from_numpy(core_classes(label_array(img, "CoreClassesd"), depth, share))[None]
    return convert_to_dst_type(classes, img, dtype=torch.float32)[0]
