"""Every object of an evaluation as a row: found, missed, merged, split or made up, and where."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.ndimage import center_of_mass

from medseg.io.csv_file import csv_file
from medseg.kernels.contingency import contingency_table
from medseg.metrics.evaluation_options import EvaluationOptions
from medseg.metrics.object_outcomes import OUTCOMES, object_outcomes
from medseg.metrics.overlap import objects_of_units
from medseg.report.section_place import time_and_plane
from medseg.workflow.each_time import each_time
from medseg.workflow.evaluate import Evaluation, options_for_pair, read_pair

COLUMNS = ("image", "outcome", "reference", "prediction", "iou", "reference_px", "prediction_px", "time", "z", "y", "x")
_IOU = 0.5


def write_match_table(
    path: Path,
    evaluation: Evaluation,
    *,
    axes: str | None = None,
    objects: str = "auto",
    overwrite: bool = False,
) -> dict[str, int]:
    """Write a CSV file with each reference object and each predicted object without a partner, matched as for AP50.

    Columns: stem of the image; one of `medseg.metrics.object_outcomes.OUTCOMES`; ids of the two objects (of one
    without a partner, the other is that of largest IoU; empty where nothing overlaps it; those of masks,
    probabilities and thinned segments are the numbers of their components in each section); IoU; sizes in pixels,
    or voxels; time, empty but for series; centroid of the reference object, or of the prediction that has no partner,
    in pixels; z of a stack is the section, of a series that of its time. All count from 0.

    Args:
        path: the file.
        evaluation: its pairs are read again, one at a time.
        axes, objects: as given to `medseg.workflow.evaluate.evaluate_files`.
        overwrite: replace a file that exists.

    Returns:
        How many objects had each outcome.

    Raises:
        InputError: a file that exists.
    """
    counts = Counter(dict.fromkeys(OUTCOMES, 0))
    with csv_file(path, overwrite=overwrite) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said when the scores were counted
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for pair in evaluation.pairs:
            prediction, reference, geometry, through = read_pair(pair, axes, objects)
            options = options_for_pair(reference, evaluation.options, through)
            section = 0
            for truth, predicted in _units(prediction, reference, options):
                rows = _rows(truth, predicted, *time_and_plane(section, geometry.axes, reference.shape))
                section += len(truth) if truth.ndim == 3 else 1
                counts.update(row[0] for row in rows)
                writer.writerows([pair.stem, *row] for row in rows)
    return dict(counts)


def _units(
    prediction: np.ndarray, reference: np.ndarray, options: EvaluationOptions
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for predicted, truth, how in each_time(prediction, reference, options):
        yield from objects_of_units(
            predicted,
            truth,
            threshold=how.level,
            thin_borders=how.thin_borders,
            volumetric=how.volumetric,
            prediction_kind=how.prediction_kind,
            reference_kind=how.reference_kind,
        )


def _rows(truth: np.ndarray, predicted: np.ndarray, time: int | None, section: int) -> list[list]:
    """Of a section, or of a volume whose first section is number `section`."""
    outcomes = object_outcomes(contingency_table(truth, predicted), _IOU)
    found = [o for o in outcomes if o.outcome in OUTCOMES[:4]]
    made_up = outcomes[len(found) :]
    places = _centroids(truth, [o.reference_id for o in found], section)
    places += _centroids(predicted, [o.prediction_id for o in made_up], section)
    rows = []
    for o, place in zip(outcomes, places, strict=True):
        ids = [o.reference_id or "", o.prediction_id or ""]
        rows.append([o.outcome, *ids, f"{o.iou:.4g}", o.reference_size, o.prediction_size, time, *place])
    return rows


def _centroids(labels: np.ndarray, ids: list[int], section: int) -> list[list[str]]:
    places = center_of_mass(labels != 0, labels, ids) if ids else []
    return [[f"{c:.7g}" for c in (sum(z, section), y, x)] for *z, y, x in places]
