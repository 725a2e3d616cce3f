"""Betti numbers: pieces, holes or tunnels, and cavities of both sides, and how far they are apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from itertools import product
from typing import Any

import numpy as np

from medseg.errors import InputError
from medseg.kernels.components import label_components
from medseg.metrics.foreground import Kind
from medseg.metrics.segments import one_level
from medseg.metrics.topology_units import mask_units


@dataclass(frozen=True)
class BettiNumbers:
    """Of one section or volume; foreground 4- (6-) connected, background 8- (26-) connected."""

    components: int
    """b0: pieces."""
    holes: int
    """b1: holes of a section; tunnels and handles of a volume."""
    cavities: int = 0
    """b2: background enclosed in a volume; 0 in a section."""


@dataclass(frozen=True)
class BettiError:
    """Mean absolute differences of the Betti numbers over all windows."""

    components: float
    holes: float
    cavities: float
    windows: int
    """Sections, volumes or windows of them that were compared."""

    @property
    def value(self) -> float:
        """Sum of the three."""
        return self.components + self.holes + self.cavities


def betti_numbers(image: Any, *, threshold: float = 0.5, kind: Kind | None = None) -> BettiNumbers:
    """Betti numbers of one section `(Y, X)` or one volume `(Z, Y, X)`.

    Args:
        image: as the prediction of `betti_error`.
        threshold: where a probability is cut.
        kind: `"probability"`, `"binary"` or `"labels"`, instead of looking.

    Raises:
        InputError: as `betti_error`.
    """
    shape = np.shape(image)
    if len(shape) not in (2, 3):
        raise InputError(f"expected one section (Y, X) or volume (Z, Y, X); got the shape {shape}")
    ((mask, _),) = mask_units(image, image, one_level(threshold), len(shape) == 3, True, kind, kind)
    return betti_numbers_of(mask)


def betti_error(
    prediction: Any,
    reference: Any,
    *,
    threshold: float = 0.5,
    window: int | None = None,
    volumetric: bool | None = None,
    prediction_kind: Kind | None = None,
    reference_kind: Kind | None = None,
) -> BettiError:
    """Betti number error: do both sides have as many pieces, holes and cavities?

    It counts, and does not look where: a piece missed here and another invented there are no error in a large
    window. Small windows make it local; the topological warping error needs none.

    Args:
        prediction: `(Y, X)`, a stack or a volume `(Z, Y, X)`; numpy or torch. Floats are foreground
            probabilities 0..1, compared as float32; bool or integers with one value beside 0 are a mask; other
            integers are labels, whose touching objects are parted by one pixel.
        reference: same shape; mask or labels.
        threshold: where a probability is cut.
        window: compare windows of so many pixels along each axis, side by side (the last ones may be smaller),
            for example 64 as in the source; None: whole sections or volumes.
        volumetric: compare the whole array at once. Default: yes for two label images, otherwise section by section.
        prediction_kind, reference_kind: `"probability"`, `"binary"` or `"labels"`, instead of looking.

    Raises:
        InputError: shapes differ, no pixels, NaN, probabilities outside 0..1, negative ids, a window below 1, more
            than three axes as one volume.

    Source: Hu et al., Topology-preserving deep image segmentation, NeurIPS 2019 (windows drawn at random there).
    """
    if window is not None and window < 1:
        raise InputError(f"window: {window} pixels cannot be compared; give 1 or more, or None for whole images")
    units = mask_units(prediction, reference, one_level(threshold), volumetric, True, prediction_kind, reference_kind)
    sums, windows = betti_sums(units, window)
    return betti_error_of(sums, windows)


def betti_sums(units: Iterator[tuple[np.ndarray, np.ndarray]], window: int | None = None) -> tuple[np.ndarray, int]:
    """Absolute differences of the three numbers, `int64 (3,)`, added up over windows, and how many these are."""
    sums, windows = np.zeros(3, np.int64), 0
    for predicted, truth in units:
        for place in _windows(truth.shape, window):
            sums += np.abs(np.subtract(*(astuple(betti_numbers_of(side[place])) for side in (predicted, truth))))
            windows += 1
    return sums, windows


def betti_error_of(sums: np.ndarray, windows: int) -> BettiError:
    """The error from sums already counted."""
    return BettiError(*(float(s) / windows for s in sums), windows)


def betti_numbers_of(mask: np.ndarray) -> BettiNumbers:
    """Betti numbers of a bool mask `(Y, X)` or `(Z, Y, X)`; what lies outside is background."""
    framed = np.pad(mask, 1)
    flat = mask.ndim == 2
    components = label_components(framed, 4 if flat else 6)[1]
    enclosed = label_components(~framed, 8 if flat else 26)[1] - 1
    if flat:
        return BettiNumbers(components, enclosed)
    return BettiNumbers(components, components + enclosed - _euler_characteristic(framed), enclosed)


def _euler_characteristic(mask: np.ndarray, axis: int = 0) -> int:
    """Of 6-connected foreground: voxels - pairs + squares - cubes, all of whose voxels are foreground."""
    if axis == mask.ndim:
        return int(np.count_nonzero(mask))
    lines = np.moveaxis(mask, axis, 0)
    pairs = np.moveaxis(lines[1:] & lines[:-1], 0, axis)
    return _euler_characteristic(mask, axis + 1) - _euler_characteristic(pairs, axis + 1)


def _windows(shape: tuple[int, ...], window: int | None) -> Iterator[tuple[slice, ...]]:
    side = [window or length for length in shape]
    starts = (range(0, length, s) for length, s in zip(shape, side, strict=True))
    for corner in product(*starts):
        yield tuple(slice(start, start + s) for start, s in zip(corner, side, strict=True))
