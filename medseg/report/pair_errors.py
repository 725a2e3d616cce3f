"""The topological errors of an evaluated pair: the files are read again, so that one pair is in memory at a time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from medseg.io import Geometry
from medseg.metrics.kinds import as_kind
from medseg.report.places import ErrorMap, map_errors
from medseg.workflow.evaluate import Evaluation, options_for_pair, read_pair
from medseg.workflow.pairs import FilePair


def level_of(evaluation: Evaluation) -> float:
    """Where probabilities are cut to show errors: at the best level of the topological warping error."""
    return evaluation.total.warping.threshold if evaluation.total.warping else evaluation.options.level


def errors_of_pair(
    pair: FilePair, evaluation: Evaluation, axes: str | None, objects: str
) -> tuple[ErrorMap, Geometry, tuple[int, ...]]:
    """Errors, geometry and shape of the reference; `axes` and `objects` as given to `evaluate_files`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said when the scores were counted
        prediction, reference, geometry, through = read_pair(pair, axes, objects)
        options = options_for_pair(reference, evaluation.options, through)
        errors = map_errors(
            as_kind(prediction, "prediction", options.prediction_kind),
            as_kind(reference, "reference", options.reference_kind),
            level_of(evaluation),
        )
    return errors, geometry, reference.shape


def pixel_size_um(geometry: Geometry, given: Sequence[float] | None) -> tuple[float, float] | None:
    """(y, x) in µm: as given, else of the file; None if neither says."""
    spacing = tuple((given or geometry.spacing_um or ())[-2:])
    return spacing if len(spacing) == 2 else None
