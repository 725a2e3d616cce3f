"""A prediction and its reference, checked, cut into sections, and compared by warping."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import numpy as np

from medseg.errors import InputError
from medseg.kernels.in_threads import default_threads
from medseg.kernels.lattice import Lattice
from medseg.kernels.mismatches import CLASSES, find_mismatches
from medseg.kernels.warp import frame_components, frame_mask, frame_proposal
from medseg.metrics.foreground import Kind, as_array
from medseg.metrics.kinds import as_kinds, kind_of
from medseg.metrics.paired_foregrounds import foregrounds_of
from medseg.metrics.warping_score import Mismatch


@dataclass(frozen=True, eq=False)
class ImagePair:
    """Prediction and reference as ``(n, *section)``; a volume that is warped as one is n = 1 section."""

    prediction: np.ndarray
    reference: np.ndarray
    mask: np.ndarray | None
    prediction_kind: Kind
    reference_kind: Kind
    radius: int
    """Window of the split test; 0 = whole section."""
    stacked: bool
    """Whether coordinates start with the number of the section."""

    @classmethod
    def of(
        cls,
        prediction: np.ndarray,
        reference: np.ndarray,
        mask: Any,
        *,
        radius: int | None,
        volumetric: bool,
        kinds: tuple[Kind | None, Kind | None] = (None, None),
    ) -> "ImagePair":
        """Check a pair and cut it into sections; arguments as in ``topological_warping_error`` and ``as_kinds``."""
        dimensions = (3,) if volumetric else (2, 3)
        if reference.ndim not in dimensions:
            raise InputError(
                f"images of shape {reference.shape} have {reference.ndim} axes; expected "
                + ("(Z, Y, X) for a volume" if volumetric else "(Y, X), or (Z, Y, X) for a stack of sections")
            )
        section_ndim = 3 if volumetric else 2
        section = reference.shape[-section_ndim:]
        if mask is not None:
            mask = as_array(mask, "mask")
            if mask.shape not in (section, reference.shape):
                raise InputError(f"mask has shape {mask.shape}, expected {section} or {reference.shape}")
            if np.isnan(mask).any():
                raise InputError(f"mask: {np.isnan(mask).sum()} pixels are NaN; non-zero pixels may move")
            mask = mask.reshape(-1, *section)
        whole = radius is None or radius < 1 or radius > min(section)
        predicted, truth = as_kinds(prediction, reference, *kinds)
        return cls(
            predicted.reshape(-1, *section),
            truth.reshape(-1, *section),
            mask,
            kind_of(predicted),
            kind_of(truth),
            0 if whole else int(radius),
            reference.ndim > section_ndim,
        )

    def count(self, thresholds: Sequence[float], threads: int | None = None) -> np.ndarray:
        """``int64 (thresholds, 2, 7)``: pixels and clusters of each class code, summed over the sections."""
        threads = threads or default_threads()
        # Few sections: their thresholds are shared out as well, at the price of preparing a section twice.
        parts = min(len(thresholds), -(-threads // len(self.reference)))
        shares = [range(part, len(thresholds), parts) for part in range(parts)]

        def count_share(task: tuple[int, range]) -> tuple[range, np.ndarray]:
            section, share = task
            found = self._mismatches(section, [thresholds[t] for t in share])
            return share, np.array([_histograms(classes, clusters) for _, _, classes, clusters in found])

        counts = np.zeros((len(thresholds), 2, len(CLASSES) + 1), np.int64)
        with ThreadPoolExecutor(threads) as pool:
            for share, part in pool.map(count_share, product(range(len(self.reference)), shares)):
                counts[share] += part
        return counts

    def locate(self, threshold: float, threads: int | None = None) -> tuple[np.ndarray, tuple[Mismatch, ...]]:
        """Map of class codes ``(n, *section)`` and the clusters, largest first."""
        class_map = np.zeros(self.reference.shape, np.uint8)

        def locate_section(section: int) -> list[Mismatch]:
            ((lattice, pixels, classes, clusters),) = self._mismatches(section, [threshold])
            places = lattice.coordinates(pixels)
            class_map[(section, *places.T)] = classes
            prefix = (section,) if self.stacked else ()
            return _describe(places, classes, clusters, prefix)

        with ThreadPoolExecutor(threads or default_threads()) as pool:
            per_section = list(pool.map(locate_section, range(len(self.reference))))
        return class_map, tuple(sorted(chain(*per_section), key=lambda m: (-m.pixels, m.position)))

    def _mismatches(self, section: int, thresholds: Sequence[float]) -> Iterator[tuple]:
        """Lattice, flat pixels, classes and cluster numbers of the mismatches of a section per threshold."""
        lattice = Lattice.of(self.reference.shape[1:])
        sides = self.prediction[section], self.reference[section]
        predicted, truth = foregrounds_of(*sides, self.prediction_kind, self.reference_kind)
        ids, proposal = frame_components(truth, lattice), frame_proposal(predicted, lattice)
        mask = None if self.mask is None else self.mask[section if len(self.mask) > 1 else 0]
        movable = frame_mask(mask, lattice)
        for threshold in thresholds:
            _, *found = find_mismatches(ids, proposal, movable, threshold, self.radius, lattice)
            yield lattice, *found


def _histograms(classes: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, representatives = np.unique(clusters, return_index=True)
    codes = len(CLASSES) + 1
    return np.bincount(classes, minlength=codes), np.bincount(classes[representatives], minlength=codes)


def _describe(places: np.ndarray, classes: np.ndarray, clusters: np.ndarray, prefix: tuple) -> list[Mismatch]:
    order = np.lexsort((*places.T[::-1], clusters))  # by cluster, within it in raster order
    starts = np.flatnonzero(np.diff(clusters[order])) + 1
    described = []
    for members in np.split(order, starts) if order.size else []:
        inside = places[members]
        nearest = ((inside - inside.mean(axis=0)) ** 2).sum(axis=1).argmin()
        box = zip(inside.min(axis=0).tolist(), (inside.max(axis=0) + 1).tolist(), strict=True)
        described.append(
            Mismatch(
                kind=CLASSES[classes[members[0]] - 1],
                position=(*prefix, *inside[nearest].tolist()),
                pixels=len(members),
                box=(*((z, z + 1) for z in prefix), *box),
            )
        )
    return described
