"""Every object of an evaluation as a row of a CSV file."""

import numpy as np
import pytest
from csv_rows import csv_rows

from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels
from medseg.metrics.evaluation_options import EvaluationOptions
from medseg.report.match_table import COLUMNS, write_match_table
from medseg.workflow.evaluate import evaluate_files
from medseg.workflow.pairs import FilePair


def table_of(folder, prediction, reference, **options):
    path = folder / "matches.csv"
    evaluation = evaluate_files(
        [FilePair("cells", prediction, reference)], EvaluationOptions(metrics=("ap50",), **options)
    )
    counts = write_match_table(path, evaluation, overwrite=True)
    rows = csv_rows(path)
    assert tuple(rows[0]) == COLUMNS
    assert sum(counts.values()) == len(rows)
    with pytest.raises(InputError, match="exists"):
        write_match_table(path, evaluation)
    return rows


@pytest.fixture
def truth():
    truth = np.zeros((2, 20, 30), np.uint16)
    truth[:, 2:10, 2:10] = 1
    truth[1, 2:10, 12:20] = 300
    return truth


def test_sections_of_a_stack_and_a_volume(tmp_path, truth):
    prediction = truth.copy()
    prediction[1, 2:10, 2:20] = 7  # both in one
    for name, image in (("truth", truth), ("prediction", prediction)):
        write_image(tmp_path / f"{name}.tif", image, Geometry("TYX", None, None))
        write_labels(tmp_path / f"{name}_z.tif", image, Geometry("ZYX", None, None))
    rows = table_of(tmp_path, tmp_path / "prediction.tif", tmp_path / "truth.tif")
    assert [(r["outcome"], r["reference"], r["prediction"], r["time"], r["x"]) for r in rows] == [
        ("matched", "1", "1", "0", "5.5"),
        ("merged", "1", "7", "1", "5.5"),
        ("merged", "300", "7", "1", "15.5"),
        ("merger", "1", "7", "1", "10.5"),
    ]
    assert (rows[0]["iou"], rows[0]["reference_px"], rows[0]["y"]) == ("1", "64", "5.5")
    assert {row["z"] for row in rows} == {"0"}
    rows = table_of(tmp_path, tmp_path / "prediction_z.tif", tmp_path / "truth_z.tif")
    assert [(r["outcome"], r["prediction"], r["iou"], r["time"], r["z"]) for r in rows] == [
        ("matched", "1", "0.5", "", "0.5"),
        ("missed", "7", "0.4444", "", "1"),
        ("extra", "7", "0.4444", "", "1"),
    ]


def test_components_of_a_probability_at_the_level_of_the_scores(tmp_path, truth):
    write_image(tmp_path / "p.tif", np.where(truth[1] == 1, 0.8, 0.3).astype(np.float32))
    write_labels(tmp_path / "t.tif", truth[1])
    rows = table_of(tmp_path, tmp_path / "p.tif", tmp_path / "t.tif")
    assert [(r["outcome"], r["prediction"]) for r in rows] == [("matched", "1"), ("missed", "")]
    rows = table_of(tmp_path, tmp_path / "p.tif", tmp_path / "t.tif", threshold=0.2)
    assert [r["outcome"] for r in rows] == ["merged", "merged", "merger"]
