"""What the topological warping error reports: its value, its parts, and the places."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medseg.kernels.mismatches import CLASSES


@dataclass(frozen=True)
class MismatchCounts:
    """Number of mismatches of each class, as pixels or as clusters of connected pixels."""

    split: int
    merge: int
    hole_addition: int
    hole_deletion: int
    object_addition: int
    object_deletion: int

    @property
    def total(self) -> int:
        """Sum over the classes."""
        return sum(getattr(self, name) for name in CLASSES)


@dataclass(frozen=True)
class WarpingScore:
    """The topological warping error at one threshold."""

    threshold: float
    error: float
    """Pixels of splits and merges / all pixels."""
    classic_error: float
    """All mismatched pixels / all pixels."""
    pixels: MismatchCounts
    clusters: MismatchCounts


@dataclass(frozen=True)
class Mismatch:
    """One cluster of mismatched pixels: a place to look at."""

    kind: str
    """One of the six classes, as the fields of :class:`MismatchCounts` are called."""
    position: tuple[int, ...]
    """(y, x) or (z, y, x) of the cluster's pixel nearest to its centre."""
    pixels: int
    box: tuple[tuple[int, int], ...]
    """First and last + 1 coordinate per axis."""


@dataclass(frozen=True, eq=False)
class WarpingError:
    """Topological warping error of a prediction; every field but ``sweep`` is at ``threshold``."""

    value: float
    """The challenge's number: the smallest over the sweep of (splits + merges) / pixels."""
    threshold: float
    """Where that minimum lies; the first of several."""
    classic_error: float
    pixels: MismatchCounts
    clusters: MismatchCounts
    sweep: tuple[WarpingScore, ...]
    """One score per threshold."""
    mismatches: tuple[Mismatch, ...] | None = None
    """The places, largest first; None unless asked for."""
    class_map: np.ndarray | None = None
    """``uint8`` like the image, 0 or 1 + index into ``medseg.kernels.mismatches.CLASSES``; None likewise."""


def summarise(counts: np.ndarray, pixels: int, thresholds: Sequence[float]) -> WarpingError:
    """Turn counts into scores.

    Args:
        counts: ``int64 (thresholds, 2, 7)``: pixels, clusters of class code 0..6 (0 stays empty); sums over
            sections and images may be given.
        pixels: number of all pixels in them.
        thresholds: the levels.
    """
    sweep = []
    for threshold, (in_pixels, in_clusters) in zip(thresholds, counts.tolist(), strict=True):
        by_pixel, by_cluster = MismatchCounts(*in_pixels[1:]), MismatchCounts(*in_clusters[1:])
        error = (by_pixel.split + by_pixel.merge) / pixels
        sweep.append(WarpingScore(threshold, error, by_pixel.total / pixels, by_pixel, by_cluster))
    best = min(sweep, key=lambda score: score.error)  # the first of equals
    return WarpingError(best.error, best.threshold, best.classic_error, best.pixels, best.clusters, tuple(sweep))
