"""Variation of information and V_Info: how many nats of one segmentation does the other leave unknown?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from medseg.errors import InputError
from medseg.kernels.contingency import ContingencyTable
from medseg.metrics.overlap import Overlaps, overlaps
from medseg.metrics.rand import Region


@dataclass(frozen=True)
class Entropies:
    """Entropies of the segments of one unit, in nats."""

    reference: float
    prediction: float
    split: float
    """H(prediction | reference): what the prediction divides."""
    merge: float
    """H(reference | prediction): what the prediction joins."""

    @property
    def single_segment(self) -> bool:
        """Whether a side is one segment, so that V_Info is 0 by the challenge's definition."""
        return self.reference == 0 or self.prediction == 0

    @property
    def v_info(self) -> float:
        """Harmonic mean of (H(A) - H(A|B)) / H(A) and (H(B) - H(B|A)) / H(B)."""
        if self.single_segment:
            return 0.0
        precision = (self.reference - self.merge) / self.reference
        recall = (self.prediction - self.split) / self.prediction
        return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


@dataclass(frozen=True)
class InformationScore:
    """Information measures at one threshold: means over the sections in which they are defined."""

    threshold: float
    variation: float
    """split + merge."""
    split: float
    merge: float
    v_info: float
    per_unit: tuple[Entropies | None, ...]
    """None: no reference foreground."""


@dataclass(frozen=True)
class InformationResult:
    """An information measure at its best threshold, and at all of them."""

    value: float
    """Variation of information (0 is best) or V_Info (1 is best); NaN if no section has reference foreground."""
    best: InformationScore | None
    sweep: tuple[InformationScore, ...]
    units: int
    undefined: int
    """Sections without reference foreground, left out of the means."""
    single_segment: int
    """Sections with one segment on a side, whose V_Info is 0 by definition, at the best threshold."""


def variation_of_information(
    prediction: Any, reference: Any, *, region: Region = "foreground", **how: Any
) -> InformationResult:
    """Variation of information H(P|R) + H(R|P) in nats, with its split and merge parts.

    Args:
        prediction, reference: images of one shape; see `medseg.metrics.overlap.overlaps` for their kinds and
            for the further arguments `threshold`, `thin_borders`, `volumetric`, `prediction_kind`,
            `reference_kind`.
        region: `"foreground"` leaves out the reference's background and takes each unlabelled pixel of the
            prediction as a segment of its own; `"everything"` counts all pixels, background as one segment.

    Returns:
        `InformationResult`; its value is the smallest mean over the sections. With `region="everything"`, split
        and merge are ln 2 times the two numbers of scikit-image's
        `variation_of_information(reference, prediction)`, which are in bits.

    Source: Meila, Journal of Multivariate Analysis 98, 2007; Nunez-Iglesias et al., PLoS ONE 8(8), 2013.
    """
    return information_of(overlaps(prediction, reference, **how), region=region)


def v_info(prediction: Any, reference: Any, **how: Any) -> InformationResult:
    """V_Info of the ISBI 2012 challenge: information F-score after border thinning, mean over sections.

    It is 0 wherever a side is a single segment, even for a perfect match; such sections are counted.

    Source: Arganda-Carreras et al., Frontiers in Neuroanatomy 9:142, 2015.
    """
    return v_info_of(overlaps(prediction, reference, thin_borders=True, **how))


def information_of(tables: Overlaps, *, region: Region = "foreground") -> InformationResult:
    """Variation of information from overlaps already counted."""
    sweep = _sweep(tables, region)
    best = min((s for s in sweep if not np.isnan(s.variation)), key=lambda s: s.variation, default=None)
    return _result(best.variation if best else float("nan"), best, sweep)


def v_info_of(tables: Overlaps) -> InformationResult:
    """V_Info from overlaps of thinned segments."""
    sweep = _sweep(tables, "foreground")
    best = max((s for s in sweep if not np.isnan(s.v_info)), key=lambda s: s.v_info, default=None)
    return _result(best.v_info if best else float("nan"), best, sweep)


def entropies(table: ContingencyTable, region: Region) -> Entropies | None:
    """Entropies of one unit, from whole counts: sums of c ln(n / c), exactly 0 for a single segment.

    None where there is nothing to compare. Raises `InputError` for an unknown region.
    """
    if region not in get_args(Region):
        raise InputError(f"region {region!r} is not known; use 'foreground' or 'everything'")
    unlabelled = np.zeros(table.rows.size, bool)
    if region == "foreground":
        table = table.select(table.rows != 0)
        unlabelled = table.columns == 0
    n = table.total
    if n == 0:
        return None
    row, column = table.row_marginal, table.column_marginal
    row_size, column_size = row.counts[row.index], column.counts[column.index]
    # An unlabelled pixel is a segment of one pixel: it tells everything of the reference.
    pair_size, column_size = (np.where(unlabelled, 1, size) for size in (table.counts, column_size))
    counts = table.counts
    return Entropies(
        reference=float(row.counts @ np.log(n / row.counts)) / n,
        prediction=float(counts @ np.log(n / column_size)) / n,
        split=float(counts @ np.log(row_size / pair_size)) / n,
        merge=float(counts @ np.log(column_size / pair_size)) / n,
    )


def _sweep(tables: Overlaps, region: Region) -> tuple[InformationScore, ...]:
    scores = []
    for threshold, row in zip(tables.thresholds, tables.tables, strict=True):
        units = tuple(entropies(table, region) for table in row)
        split, merge, v_info = (
            _mean([getattr(unit, name) for unit in units if unit]) for name in ("split", "merge", "v_info")
        )
        scores.append(InformationScore(threshold, split + merge, split, merge, v_info, units))
    return tuple(scores)


def _result(value: float, best: InformationScore | None, sweep: tuple[InformationScore, ...]) -> InformationResult:
    units = best.per_unit if best else sweep[0].per_unit
    single = sum(unit is not None and unit.single_segment for unit in units)
    return InformationResult(value, best, sweep, len(units), sum(unit is None for unit in units), single)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
