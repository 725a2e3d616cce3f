"""Foregrounds of two label images for a comparison by topology, their borders in the same places."""

import numpy as np
from scipy.ndimage import find_objects, maximum_filter
from skimage.measure import label

from medseg.kernels.components import label_components
from medseg.kernels.warp import homotopic_warp
from medseg.metrics.foreground import Kind, face_neighbours, foreground_of

_SCRAP = 1 / 4  # of the largest piece of its object


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
    for first, second in face_neighbours(labels.ndim):
        touching = (labels[first] != 0) & (labels[second] != 0) & (labels[first] != labels[second])
        lost[first] |= touching & (other[second] == 0)
        kept[first] |= touching & (other[second] != 0)
    return lost & ~kept
