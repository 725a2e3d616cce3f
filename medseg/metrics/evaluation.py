"""All scores of a prediction, for single images and for all of them as one stack."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from medseg.kernels.mismatches import CLASSES
from medseg.metrics.betti import betti_error_of, betti_sums
from medseg.metrics.centerline import CenterlineScore, centerline_counts
from medseg.metrics.confusion import ConfusionCounts
from medseg.metrics.evaluation_options import GROUPS, METRICS, ON_REQUEST, EvaluationOptions
from medseg.metrics.foreground import Kind
from medseg.metrics.image_pair import ImagePair
from medseg.metrics.information import information_of, v_info_of
from medseg.metrics.instances import average_precision_of, panoptic_quality_of
from medseg.metrics.kinds import as_kinds, kind_of, one_volume
from medseg.metrics.overlap import Overlaps, as_one_stack, overlaps
from medseg.metrics.pixel import PixelScore, foreground_score, pixel_error_of, pixel_scores
from medseg.metrics.rand import rand_of
from medseg.metrics.segments import as_sections, thresholds_for
from medseg.metrics.topology_units import mask_units
from medseg.metrics.warping import levels_for
from medseg.metrics.warping_score import WarpingError, summarise

_RADIUS = 20  # of the challenge's test for splits, in pixels


@dataclass(frozen=True, eq=False)
class ImageEvaluation:
    """What was counted in one image; parts that nobody wanted are None."""

    prediction_kind: Kind
    reference_kind: Kind
    pixels: int
    mixed: bool
    """Objects reach through sections, for want of another word, while the warping error is that of sections."""
    warping: np.ndarray | None
    """`int64 (thresholds, 2, 7)`: pixels and clusters of each mismatch class."""
    pixel: tuple[PixelScore, ...] | None
    segments: Overlaps | None
    thinned: Overlaps | None
    foreground: PixelScore | None
    betti: tuple[np.ndarray, int] | None
    """Sums of differences, and how many sections or volumes they are of."""
    centerline: np.ndarray | None
    """The four counts of a `CenterlineScore`."""


@dataclass(frozen=True)
class Scores:
    """The scores of one image or of a stack of them."""

    values: dict[str, float | int]
    """By name, in the order of `METRICS`; NaN where undefined."""
    undefined: dict[str, int]
    """Sections (or volumes) that a score leaves out because nothing can be compared in them."""
    single_segment: int = 0
    """Sections whose V_Info is 0 by definition because a side is one segment."""
    warping: WarpingError | None = field(default=None, compare=False)

    def as_json(self) -> dict[str, float | int | None]:
        """The values with None in place of NaN."""
        return {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in self.values.items()}


def evaluate_arrays(prediction: Any, reference: Any, options: EvaluationOptions) -> ImageEvaluation:
    """Count everything in one image.

    Args:
        prediction, reference: `(Y, X)`, a stack `(..., Y, X)`, or a volume `(Z, Y, X)` of one shape; their kinds
            as in `medseg.metrics.kinds.as_kinds`.
        options: what to measure.

    Raises:
        InputError: shapes differ, or an image that is not of its kind.
    """
    predicted, truth = as_kinds(prediction, reference, options.prediction_kind, options.reference_kind)
    how = {"prediction_kind": kind_of(predicted), "reference_kind": kind_of(truth)}
    sweep = thresholds_for(kind_of(predicted), options.threshold)
    masks = partial(mask_units, predicted, truth, options.level, options.volumetric, **how)
    return ImageEvaluation(
        **how,
        pixels=truth.size,
        mixed=options.volumetric is None and one_volume(predicted, truth, None) and len(as_sections(truth)) > 1,
        warping=_warping_counts(predicted, truth, options) if options.needs("warping") else None,
        pixel=pixel_scores(predicted, truth, sweep) if options.needs("pixel") else None,
        segments=overlaps(
            predicted,
            truth,
            threshold=sweep,
            thin_borders=options.thin_borders,
            volumetric=options.volumetric,
            **how,
        )
        if options.needs("segments")
        else None,
        thinned=overlaps(predicted, truth, threshold=sweep, thin_borders=True, **how)
        if options.needs("thinned")
        else None,
        foreground=foreground_score(predicted, truth, threshold=options.level) if options.needs("foreground") else None,
        betti=betti_sums(masks(parted=True)) if options.needs("betti") else None,
        centerline=centerline_counts(masks(parted=False)) if options.needs("centerline") else None,
    )


def scores_of(images: Sequence[ImageEvaluation], options: EvaluationOptions) -> Scores:
    """Scores of images that are looked at as one stack; of one image, its own."""
    values: dict[str, float | int] = {}
    undefined: dict[str, int] = {}
    single_segment = 0
    warping = _join_warping(images, options) if options.needs("warping") else None
    if warping is not None:
        at_level = min(warping.sweep, key=lambda score: abs(score.threshold - options.level))
        values |= {
            "warping_error": warping.value,
            "warping_error_classic": at_level.classic_error,
            "splits": warping.pixels.split,
            "mergers": warping.pixels.merge,
        }
    if options.needs("pixel"):
        values["pixel_error"] = pixel_error_of(_join_pixel([i.pixel for i in images])).value
    if options.needs("segments"):
        segments = as_one_stack([image.segments for image in images])
        _add_segment_scores(segments, options.level, values, undefined)
    if options.needs("thinned"):
        thinned = as_one_stack([image.thinned for image in images])
        rand, information = rand_of(thinned, pairs="ordered", average="macro"), v_info_of(thinned)
        values |= {"v_rand": rand.value, "v_info": information.value}
        undefined |= {"v_rand": rand.undefined, "v_info": information.undefined}
        single_segment = information.single_segment if "v_info" in options.metrics else 0
    if options.needs("foreground"):
        total = PixelScore(options.level, sum((i.foreground.counts for i in images), ConfusionCounts()))
        values |= {"dice": total.dice, "iou": total.iou}
        empty = sum(i.foreground.counts.total == i.foreground.counts.tn for i in images)
        undefined |= {"dice": empty, "iou": empty}
    if options.needs("betti"):
        error = betti_error_of(*(sum(part) for part in zip(*(i.betti for i in images), strict=True)))
        values |= zip(GROUPS["betti"], (error.components, error.holes, error.cavities), strict=True)
    if options.needs("centerline"):
        values["cl_dice"] = CenterlineScore(*sum(i.centerline for i in images).tolist()).value
        undefined["cl_dice"] = sum(not i.centerline.any() for i in images)
    names = [name for name in (*METRICS, *ON_REQUEST) if name in options.metrics]
    return Scores(
        {name: values[name] for name in names},
        {name: undefined[name] for name in names if undefined.get(name)},
        single_segment,
        warping,
    )


def _add_segment_scores(
    segments: Overlaps, level: float, values: dict[str, float | int], undefined: dict[str, int]
) -> None:
    tables = segments.at(level)
    information = information_of(Overlaps((level,), (tables,)))
    precision, quality = average_precision_of(tables), panoptic_quality_of(tables)
    nan = float("nan")
    values |= {
        "rand_error_2012": rand_of(segments, error=True).value,
        "rand_standard_f": rand_of(segments, region="everything").value,
        "vi_split": information.best.split if information.best else nan,
        "vi_merge": information.best.merge if information.best else nan,
        "ap50": precision.scores[0].average_precision,
        "ap50_95": precision.value,
        "pq": quality.value,
    }
    undefined |= {
        "vi_split": information.undefined,
        "vi_merge": information.undefined,
        "ap50": precision.undefined,
        "ap50_95": precision.undefined,
        "pq": quality.undefined,
    }


def _warping_counts(predicted: np.ndarray, truth: np.ndarray, options: EvaluationOptions) -> np.ndarray:
    if truth.dtype.kind == "f":
        truth = truth > 0  # as the challenge does with a grey label
    if not options.volumetric:
        predicted, truth = as_sections(predicted), as_sections(truth)
    kinds = kind_of(predicted), kind_of(truth)
    pair = ImagePair.of(predicted, truth, None, radius=_RADIUS, volumetric=bool(options.volumetric), kinds=kinds)
    return pair.count(levels_for(kind_of(predicted), options.levels))


def _join_warping(images: Sequence[ImageEvaluation], options: EvaluationOptions) -> WarpingError:
    kind = "probability" if any(i.prediction_kind == "probability" for i in images) else "binary"
    thresholds = levels_for(kind, options.levels)
    counts = np.zeros((len(thresholds), 2, len(CLASSES) + 1), np.int64)
    for image in images:
        counts += image.warping  # a mask has one row, which counts at every level
    return summarise(counts, sum(image.pixels for image in images), thresholds)


def _join_pixel(sweeps: Iterable[tuple[PixelScore, ...]]) -> list[PixelScore]:
    sweeps = list(sweeps)
    longest = max(sweeps, key=len)
    return [
        PixelScore(
            score.threshold,
            sum((s[min(t, len(s) - 1)].counts for s in sweeps), ConfusionCounts()),
        )
        for t, score in enumerate(longest)
    ]
