"""The errors of an evaluation as rows of a CSV file."""

import numpy as np
import pytest
from csv_rows import csv_rows

from medseg.errors import InputError
from medseg.io import Geometry, write_labels
from medseg.metrics.evaluation_options import EvaluationOptions
from medseg.report.error_table import COLUMNS, listed_errors
from medseg.report.pair_errors import errors_of_pairs
from medseg.workflow.evaluate import evaluate_files
from medseg.workflow.pairs import FilePair


def test_each_error_of_each_section(tmp_path):
    truth = np.zeros((2, 30, 62), np.uint8)
    truth[:, 2:28, 2:30] = truth[:, 2:28, 32:60] = 1
    prediction = truth.copy()
    prediction[1, 15, 30:32] = 1  # a bridge
    prediction[1, 2:28, 40] = 0  # a cut, beside a part of 26 x 8 pixels
    pairs = []
    for name, image in (("truth", truth), ("prediction", prediction)):
        write_labels(tmp_path / f"{name}.tif", image)
        pairs.append(tmp_path / f"{name}.tif")
    evaluation = evaluate_files([FilePair("cells", pairs[1], pairs[0])], EvaluationOptions(metrics=("splits",)))
    found = errors_of_pairs(evaluation, spacing_um=(2, 0.5))
    (passed,) = listed_errors(tmp_path / "errors.csv", found)
    assert (passed.pair.stem, len(passed.errors.places)) == ("cells", 2)
    rows = csv_rows(tmp_path / "errors.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [(row["image"], row["error"], row["section"], row["area_px"]) for row in rows] == [
        ("cells", "merge", "1", str(26 * 8)),
        ("cells", "split", "1", str(26 * 8)),
    ]
    assert (rows[0]["y"], rows[0]["y_um"]) == ("15", "30")
    assert (rows[1]["x"], rows[1]["x_um"]) == ("40", "20")
    with pytest.raises(InputError, match="exists"):
        list(listed_errors(tmp_path / "errors.csv", []))


def test_places_in_volumes_have_a_depth(tmp_path):
    truth = np.zeros((5, 20, 20), np.uint8)
    truth[:2, 2:18, 2:18], truth[3:, 2:18, 2:18] = 1, 2
    prediction = (truth > 0).astype(np.uint8)
    prediction[2, 8, 9] = 1
    for name, image in (("truth", truth), ("prediction", prediction)):
        write_labels(tmp_path / f"{name}.tif", image, Geometry("ZYX", (2.0, 0.5, 0.25), "um"))
    pair = FilePair("cells", tmp_path / "prediction.tif", tmp_path / "truth.tif")
    places = {}
    for objects in ("volume", "sections"):
        evaluation = evaluate_files([pair], EvaluationOptions(metrics=("splits",)), objects=objects)
        list(listed_errors(tmp_path / f"{objects}.csv", errors_of_pairs(evaluation, objects=objects)))
        (row,) = csv_rows(tmp_path / f"{objects}.csv")
        places[objects] = [row[column] for column in ("section", "time", "z", "y", "x", "z_um", "y_um", "x_um")]
    at = ["2", "", "2", "8", "9"]
    assert places == {"volume": [*at, "4", "4", "2.25"], "sections": [*at, "", "4", "2.25"]}
