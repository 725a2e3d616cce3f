"""The foreground of a probability, a binary mask or a label image."""

import warnings
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from medseg.errors import InputError

Kind = Literal["probability", "binary", "labels"]


def as_array(image: Any, name: str) -> np.ndarray:
    """Numpy view of an array or of a torch tensor on any device; refuses what holds no real numbers."""
    if hasattr(image, "detach"):  # a tensor, without importing torch
        image = image.detach().cpu()
        if image.dtype.is_floating_point and image.dtype.itemsize < 4:  # numpy has no bfloat16
            image = image.float()
        image = image.numpy()
    array = np.asanyarray(image)
    if array.dtype.kind not in "buif":
        raise InputError(f"{name}: dtype {array.dtype} is not an image; give bool, integers or floats")
    if array.ndim == 0:
        raise InputError(f"{name}: a single number is not an image")
    if np.ma.is_masked(array):
        raise InputError(
            f"{name}: {np.ma.count_masked(array)} pixels are masked, and a mask of numpy.ma would be lost; fill them "
            "(.filled(0)), or give topological_warping_error a mask of its own"
        )
    if array.size == 0:
        raise InputError(f"{name}: the image has no pixels, its shape is {array.shape}")
    return np.asarray(array)


def foreground_of(image: np.ndarray, kind: Kind) -> np.ndarray:
    """Foreground of an image whose kind is known: ``float32`` probability, else ``bool``.

    Touching objects of a label image are parted: of two face neighbours with different ids, the one that
    comes first in raster order becomes background, so that objects are 4- (6-) connected components again.
    Objects of one pixel width beside another may vanish by it, which is said in a warning.
    """
    if kind == "probability":
        return np.asarray(image, np.float32)
    foreground = np.asarray(image != 0)
    if kind == "labels":
        for first, second in face_neighbours(image.ndim):
            touching = (image[first] != image[second]) & (image[second] != 0)
            foreground[first] &= ~touching
        vanished = _vanished(image, foreground)
        if vanished.size:
            warnings.warn(
                f"{vanished.size} objects (first id: {vanished[0]}) vanished when touching ones were parted: "
                "they are no thicker than the border",
                stacklevel=2,
            )
    return foreground


def face_neighbours(ndim: int) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Slices of the first and the second of each two face neighbours, axis by axis."""
    for axis in range(ndim):
        yield tuple(
            tuple(cut if a == axis else slice(None) for a in range(ndim)) for cut in (slice(None, -1), slice(1, None))
        )


def _vanished(image: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Ids, ascending, that have no pixel in the foreground; ids that are not huge are counted, not sorted."""
    before, after = image[image != 0], image[foreground]
    highest = before.max(initial=0)
    if image.dtype.kind not in "ui" or highest > 4 * image.size:
        return np.setdiff1d(before, after)
    lost = np.zeros(int(highest) + 1, bool)
    lost[before] = True
    lost[after] = False
    return np.flatnonzero(lost)
