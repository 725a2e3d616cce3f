"""Rand error and V_Rand: is a pair of pixels in one segment on both sides?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from medseg.errors import InputError
from medseg.kernels.contingency import ContingencyTable
from medseg.metrics.confusion import ConfusionCounts
from medseg.metrics.overlap import Overlaps, overlaps

Region = Literal["foreground", "everything"]
Pairs = Literal["distinct", "ordered"]
Average = Literal["macro", "micro"]


@dataclass(frozen=True)
class RandScore:
    """Rand measures at one threshold, over all sections."""

    threshold: float
    f_score: float
    precision: float
    recall: float
    index: float
    """Rand index, the mean over the sections in which it is defined."""
    counts: ConfusionCounts
    """Pairs of pixels: tp together on both sides, fp only in the prediction, fn only in the reference."""


@dataclass(frozen=True)
class RandResult:
    """A Rand measure at its best threshold, and at all of them."""

    value: float
    """1 - F for an error, F for V_Rand; NaN if no section has reference foreground and it needs some."""
    best: RandScore | None
    """Where F is largest, the first of several; None if it is undefined everywhere."""
    sweep: tuple[RandScore, ...]
    units: int
    """Sections (or volumes) compared."""
    undefined: int
    """How many of them have no reference foreground: they add no pairs and are left out of means."""


def rand_error(
    prediction: Any,
    reference: Any,
    *,
    region: Region = "foreground",
    pairs: Pairs = "distinct",
    **how: Any,
) -> RandResult:
    """Adapted Rand error: 1 - F of "these two pixels belong to one segment".

    Args:
        prediction, reference: images of one shape; see `medseg.metrics.overlap.overlaps` for their kinds and
            for the further arguments `threshold`, `thin_borders`, `volumetric`, `prediction_kind`,
            `reference_kind`.
        region: `"foreground"` leaves out the pixels where the reference is background, and takes each
            unlabelled pixel of the prediction as a segment of its own. `"everything"` counts all pixels, with
            background as one ordinary segment on both sides.
        pairs: `"distinct"` pairs n(n - 1)/2, or `"ordered"` n², in which a pixel also pairs with itself.

    Returns:
        `RandResult` whose value is 1 - F. With the defaults it is the "Rand error" of the ISBI 2012 challenge
        as published 2012-14; `region="everything"` is what its script computes today, and equals scikit-image's
        `adapted_rand_error(reference, prediction, ignore_labels=())`. Two label volumes with
        `pairs="ordered"` give the SNEMI3D error.

    Raises:
        InputError: see `overlaps`; or an unknown region or pairs.

    Source: Arganda-Carreras et al., Frontiers in Neuroanatomy 9:142, 2015.
    """
    return rand_of(overlaps(prediction, reference, **how), region=region, pairs=pairs, error=True)


def v_rand(prediction: Any, reference: Any, *, average: Average = "macro", **how: Any) -> RandResult:
    """V_Rand of the ISBI 2012 challenge (2015 ranking): foreground-restricted Rand F after border thinning.

    Args:
        prediction, reference: as for `rand_error`; label images count by their foreground, touching objects
            parted by one pixel.
        average: `"macro"`: F of each section, their mean, its maximum over the thresholds (the challenge);
            `"micro"`: the pairs of all sections first.

    Returns:
        `RandResult` whose value is F, 1 is best.
    """
    tables = overlaps(prediction, reference, thin_borders=True, **how)
    return rand_of(tables, region="foreground", pairs="ordered", average=average)


def rand_of(
    tables: Overlaps,
    *,
    region: Region = "foreground",
    pairs: Pairs = "distinct",
    average: Average = "micro",
    error: bool = False,
) -> RandResult:
    """The measures of `rand_error` and `v_rand` from overlaps already counted."""
    if average not in get_args(Average):
        raise InputError(f"average {average!r} is not known; use 'macro' or 'micro'")
    counts = [[pair_counts(table, region, pairs) for table in row] for row in tables.tables]
    sweep = tuple(_score(t, row, average) for t, row in zip(tables.thresholds, counts, strict=True))
    defined = [s for s in sweep if not np.isnan(s.f_score)]
    # a grey reference has nothing left above its maximum: no pairs, so no agreement either
    best = max([s for s in defined if s.counts.total] or defined, key=lambda s: s.f_score, default=None)
    f_score = best.f_score if best else float("nan")
    undefined = sum(count is None or count.total == 0 for count in counts[0])
    return RandResult(1 - f_score if error else f_score, best, sweep, tables.units, undefined)


def pair_counts(table: ContingencyTable, region: Region, pairs: Pairs) -> ConfusionCounts | None:
    """Pairs of pixels of one unit, as exact integers.

    None where "ordered" pairs of the foreground are undefined because there is none; distinct pairs are then
    all zero.
    """
    if region not in ("foreground", "everything") or pairs not in ("distinct", "ordered"):
        raise InputError(
            f"region {region!r} with pairs {pairs!r} is not known; region is 'foreground' or 'everything', "
            "pairs is 'distinct' or 'ordered'"
        )
    singletons = 0
    foreground = table
    if region == "foreground":
        table = foreground = table.select(table.rows != 0)
        labelled = table.columns != 0
        singletons = int(table.counts[~labelled].sum())
        table = table.select(labelled)
    n = foreground.total
    if pairs == "ordered":
        if n == 0:
            return None
        own = singletons  # each unlabelled pixel with itself
        both, reference, predicted, everything = (
            _squares(table.counts) + own,
            _squares(foreground.row_marginal.counts),
            _squares(table.column_marginal.counts) + own,
            n * n,
        )
    else:
        both, reference, predicted = (
            (_squares(c) - int(c.sum())) // 2
            for c in (table.counts, foreground.row_marginal.counts, table.column_marginal.counts)
        )
        everything = n * (n - 1) // 2
    return ConfusionCounts(
        tp=both, fp=predicted - both, fn=reference - both, tn=everything - reference - predicted + both
    )


def _score(threshold: float, counts: Sequence[ConfusionCounts | None], average: Average) -> RandScore:
    defined = [c for c in counts if c is not None]
    total = sum(defined, ConfusionCounts())
    with_pairs = [c.accuracy for c in defined if c.total]
    index = float(np.mean(with_pairs)) if with_pairs else float("nan")
    if not defined:
        nan = float("nan")
        return RandScore(threshold, nan, nan, nan, nan, total)
    if average == "macro":
        means = (float(np.mean([getattr(c, name) for c in defined])) for name in ("f_score", "precision", "recall"))
        return RandScore(threshold, *means, index, total)
    return RandScore(threshold, total.f_score, total.precision, total.recall, index, total)


def _squares(counts: np.ndarray) -> int:
    """Sum of squares, exact for any number of voxels: the halves of each count never overflow an int64."""
    high, low = counts >> 24, counts & 0xFFFFFF
    return (int(high @ high) << 48) + (int(high @ low) << 25) + int(low @ low)
