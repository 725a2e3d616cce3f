"""The foreground of a probability, a binary mask or a label image."""

import warnings
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from scipy.ndimage import find_objects, maximum_filter
from skimage.measure import label

from medseg.errors import InputError
from medseg.kernels.components import label_components
from medseg.kernels.warp import homotopic_warp

Kind = Literal["probability", "binary", "labels"]
_SCRAP = 1 / 4  # of the largest piece of its object


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
        for first, second in _neighbours(image.ndim):
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


def foregrounds_of(
    prediction: np.ndarray, reference: np.ndarray, prediction_kind: Kind, reference_kind: Kind
) -> tuple[np.ndarray, np.ndarray]:
    """Foregrounds of both sides, of two label images with borders in the same places as far as possible.

    Three things that parting does to one side only would count as merges and splits, and are undone:

    * It cuts pieces off thin objects. Those smaller than a quarter of the largest piece are left out.
    * Where one side lacks an object, its neighbours touch nothing there and keep the pixels that are border on the
      other side. The lost object could be warped into these. Such pixels become border, too.
    * Borders are one pixel thick, so pixels of the object that the other side lacks see those beyond the border
      through corners. They become border, too.

    The latter two are done only where they change no topology.
    """
    foregrounds = foreground_of(prediction, prediction_kind), foreground_of(reference, reference_kind)
    if prediction_kind == reference_kind == "labels":
        images = prediction, reference
        foregrounds = tuple(
            _bordered(_without_scraps(side, labels), labels, other)
            for side, labels, other in zip(foregrounds, images, images[::-1], strict=True)
        )
    return foregrounds


def _without_scraps(foreground: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Numbered components of the foreground of a label image, 0 where parting cut a small piece off its object."""
    pieces, count = label_components(foreground, 2 * foreground.ndim)
    objects = label(labels, background=0, connectivity=1)
    owners, sizes = np.zeros(count + 1, np.int64), np.bincount(pieces.ravel(), minlength=count + 1)
    owners[pieces[foreground]] = objects[foreground]
    sizes[0] = 0  # the background
    largest = np.zeros(int(objects.max()) + 1, np.int64)
    np.maximum.at(largest, owners, sizes)
    scraps = sizes < _SCRAP * largest[owners]
    if scraps.any():
        kept = np.arange(count + 1, dtype=pieces.dtype)
        kept[scraps] = 0
        pieces = kept[pieces]
    return pieces


def _bordered(pieces: np.ndarray, labels: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Foreground of a label image with the borders that only ``other`` needs, wherever they change no topology."""
    foreground = pieces > 0
    border = foreground & (_rim(other, labels) | _beside_others(pieces, other))
    return homotopic_warp(foreground, foreground & ~border) if border.any() else foreground


def _beside_others(pieces: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pixels of pieces that ``other`` mostly has background for, with another piece next to them or to a corner."""
    sizes = np.bincount(pieces.ravel())
    lacking = 2 * np.bincount(pieces[other == 0], minlength=sizes.size) > sizes
    beside = np.zeros(pieces.shape, bool)
    boxes = find_objects(pieces)
    for piece in np.flatnonzero(lacking[1:]) + 1:
        box = tuple(slice(max(0, cut.start - 1), cut.stop + 1) for cut in boxes[piece - 1])
        own = pieces[box] == piece
        beside[box] |= own & maximum_filter(~own & (pieces[box] != 0), 3)
    return beside


def _rim(labels: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pixels that become border only because they touch objects where ``other`` has background."""
    lost, kept = np.zeros((2, *labels.shape), bool)
    for first, second in _neighbours(labels.ndim):
        touching = (labels[first] != 0) & (labels[second] != 0) & (labels[first] != labels[second])
        lost[first] |= touching & (other[second] == 0)
        kept[first] |= touching & (other[second] != 0)
    return lost & ~kept


def _neighbours(ndim: int) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
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
