"""The topological errors of evaluated pairs: the files are read again, so that one pair is in memory at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from medseg.io import Geometry
from medseg.metrics.kinds import as_kind
from medseg.report.places import ErrorMap, map_errors
from medseg.workflow.evaluate import Evaluation, options_for_pair, read_pair
from medseg.workflow.pairs import FilePair


@dataclass(frozen=True, eq=False)
class PairErrors:
    """The errors of one pair of files."""

    pair: FilePair
    errors: ErrorMap
    shape: tuple[int, ...]
    """Of the reference."""
    axes: str
    """Of the reference, such as TZYX."""
    spacing: tuple[float, ...] | None
    """Pixel size (y, x) in µm, where it is known; of a volume (z, y, x) where all three are."""


def errors_of_pairs(
    evaluation: Evaluation,
    *,
    axes: str | None = None,
    objects: str = "auto",
    spacing_um: Sequence[float] | None = None,
) -> Iterator[PairErrors]:
    """Find the errors of each pair of an evaluation, one pair after the other.

    Args:
        evaluation: whose pairs are read again.
        axes, objects: as given to `medseg.workflow.evaluate.evaluate_files`.
        spacing_um: pixel size (..., y, x) in µm, instead of what the files say.
    """
    for pair in evaluation.pairs:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # said when the scores were counted
            prediction, reference, geometry, through = read_pair(pair, axes, objects)
            options = options_for_pair(reference, evaluation.options, through)
            errors = map_errors(
                as_kind(prediction, "prediction", options.prediction_kind),
                as_kind(reference, "reference", options.reference_kind),
                level_of(evaluation),
                bool(options.volumetric),
            )
        spacing = _pixel_size_um(geometry, spacing_um, errors.depth is not None)
        yield PairErrors(pair, errors, reference.shape, geometry.axes, spacing)


def level_of(evaluation: Evaluation) -> float:
    """Where probabilities are cut to show errors: at the best level of the topological warping error."""
    return evaluation.total.warping.threshold if evaluation.total.warping else evaluation.options.level


def _pixel_size_um(geometry: Geometry, given: Sequence[float] | None, volume: bool) -> tuple[float, ...] | None:
    """As given, else of the file; None if neither says."""
    spacing = tuple(given or geometry.spacing_um or ())
    if not volume or len(spacing) != 3:
        spacing = spacing[-2:]
    return spacing if len(spacing) >= 2 else None
