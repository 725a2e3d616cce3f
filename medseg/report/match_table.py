"""Every object of an evaluation as a row: found, missed, merged, split or made up, and where."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.ndimage import center_of_mass

from medseg.io.csv_file import csv_file
from medseg.kernels.contingency import contingency_table
from medseg.metrics.object_outcomes import OUTCOMES, object_outcomes
from medseg.metrics.overlap import objects_of_units
from medseg.workflow.evaluate import Evaluation, options_for_pair, read_pair

COLUMNS = ("image", "outcome", "reference", "prediction", "iou", "reference_px", "prediction_px", "z", "y", "x")
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
    or voxels; centroid of the reference object, or of the prediction that has no partner, in pixels from 0; z of a
    stack is the section.

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
            prediction, reference, _, through = read_pair(pair, axes, objects)
            options = options_for_pair(reference, evaluation.options, through)
            units = objects_of_units(
                prediction,
                reference,
                threshold=options.level,
                thin_borders=options.thin_borders,
                volumetric=options.volumetric,
                prediction_kind=options.prediction_kind,
                reference_kind=options.reference_kind,
            )
            for section, (truth, predicted) in enumerate(units):
                rows = _rows(truth, predicted, section)
                counts.update(row[0] for row in rows)
                writer.writerows([pair.stem, *row] for row in rows)
    return dict(counts)


def _rows(truth: np.ndarray, predicted: np.ndarray, section: int) -> list[list]:
    outcomes = object_outcomes(contingency_table(truth, predicted), _IOU)
    alone = [o.outcome in OUTCOMES[4:] for o in outcomes]
    found, made_up = (
        iter(_centroids(labels, ids))
        for labels, ids in (
            (truth, [o.reference_id for o, extra in zip(outcomes, alone, strict=True) if not extra]),
            (predicted, [o.prediction_id for o, extra in zip(outcomes, alone, strict=True) if extra]),
        )
    )
    rows = []
    for o, extra in zip(outcomes, alone, strict=True):
        place = next(made_up if extra else found)
        place = [section, *place] if len(place) == 2 else place
        ids = [o.reference_id or "", o.prediction_id or ""]
        rows.append([o.outcome, *ids, f"{o.iou:.4g}", o.reference_size, o.prediction_size, *place])
    return rows


def _centroids(labels: np.ndarray, ids: list[int]) -> list[list[str]]:
    places = center_of_mass(labels != 0, labels, ids) if ids else []
    return [[f"{c:.7g}" for c in place] for place in places]
