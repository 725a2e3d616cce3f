"""A time series of volumes is worth the volumes of its times."""

import json

import numpy as np
import pytest
import tifffile
from csv_rows import csv_rows

from medseg.errors import InputError
from medseg.io import Geometry, write_labels
from medseg.metrics.evaluation_options import METRICS, EvaluationOptions
from medseg.report.error_table import listed_errors
from medseg.report.match_table import write_match_table
from medseg.report.pair_errors import errors_of_pairs
from medseg.report.planes import planes_through
from medseg.workflow.each_time import each_time
from medseg.workflow.evaluate import evaluate_files
from medseg.workflow.pairs import FilePair

SPACING = (2.0, 0.5, 0.5)


@pytest.fixture
def series():
    """Prediction and reference: at the second time two cells are joined through z, at the third one is lost."""
    truth = np.zeros((3, 7, 24, 30), np.uint16)
    truth[:, :3, 2:22, 2:28], truth[:, 4:, 2:22, 2:28] = 3, 400
    prediction = truth.copy()
    prediction[1][prediction[1] == 400] = 3
    prediction[1, 3, 8:11, 8:11] = 3
    prediction[2, 4:] = 0
    return prediction, truth


def pairs_of(folder, prediction, truth, axes):
    paths = [folder / name / "cells.tif" for name in ("found", "truth")]
    for path, labels in zip(paths, (prediction, truth), strict=True):
        write_labels(path, labels, Geometry(axes, SPACING[-len(axes.replace("T", "")) :], "um"))
    return FilePair(folder.name, *paths)


@pytest.mark.parametrize("objects", ["auto", "volume"])
def test_scores_are_those_of_the_volumes(tmp_path, series, objects):
    options = EvaluationOptions(metrics=(*METRICS, "betti_0_error", "cl_dice"))
    whole = evaluate_files([pairs_of(tmp_path / "series", *series, "TZYX")], options, objects=objects)
    times = [pairs_of(tmp_path / f"time{k}", p, r, "ZYX") for k, (p, r) in enumerate(zip(*series, strict=True))]
    apart = evaluate_files(times, options, objects=objects)
    assert json.dumps(whole.total.as_json()) == json.dumps(apart.total.as_json())
    assert whole.kinds == {"series": ("labels", "labels")}
    assert any("label volumes" in notice for notice in whole.notices) == (objects == "auto")


def test_places_and_objects_have_their_time(tmp_path, series):
    evaluation = evaluate_files([pairs_of(tmp_path / "series", *series, "TZYX")], EvaluationOptions(), objects="volume")
    (found,) = listed_errors(tmp_path / "errors.csv", errors_of_pairs(evaluation, objects="volume"))
    columns = ("error", "section", "time", "z", "z_um", "y_um")
    places = [[row[column] for column in columns] for row in csv_rows(tmp_path / "errors.csv")]
    assert places[0] == ["merge", str(7 + 3), "1", "3", "6", "4.5"]
    error, section, time, z, z_um, _ = places[1]
    assert (error, time) == ("object_deletion", "2")
    assert 4 <= int(z) == int(section) - 2 * 7 == float(z_um) / 2.0
    for place in found.errors.places:
        _, xz, _ = planes_through(found.errors, place, 96, None)
        assert xz.errors.classes.shape == (1, 7, 30)  # nothing of the other times
        assert len(np.unique(xz.errors.reference)) == 3
    counts = write_match_table(tmp_path / "matches.csv", evaluation, objects="volume")
    assert (counts["matched"], counts["merged"], counts["missed"], counts["merger"]) == (3, 2, 1, 1)
    missed = next(row for row in csv_rows(tmp_path / "matches.csv") if row["outcome"] == "missed")
    assert (missed["reference"], missed["time"], missed["z"], missed["y"]) == ("400", "2", "5", "11.5")


def test_kinds_are_seen_in_the_whole_series(series):
    probability = (series[0] > 0) * np.float32(0.8)
    times = each_time(probability, series[1], EvaluationOptions(volumetric=True))
    assert [(how.prediction_kind, how.reference_kind) for *_, how in times] == [("probability", "labels")] * 3
    assert [truth.shape for _, truth, _ in times] == [(7, 24, 30)] * 3
    ((_, truth, _),) = each_time(probability, series[1], EvaluationOptions())  # only labels reach through sections
    assert truth.shape == (3, 7, 24, 30)


def test_a_series_of_sections_stays_one(tmp_path, series):
    pair = pairs_of(tmp_path / "series", *series, "TZYX")
    scores = evaluate_files([pair], EvaluationOptions(metrics=("ap50", "dice")), objects="sections")
    assert scores.total.values["ap50"] == 15 / (18 + 1)  # and the bridge
    masks = pairs_of(tmp_path / "masks", *(side > 0 for side in series), "TZYX")
    assert evaluate_files([masks], EvaluationOptions(metrics=("ap50",))).total.values["ap50"] < 1


def test_what_is_no_volume(tmp_path, series):
    prediction, truth = series
    options = EvaluationOptions(metrics=("warping_error", "ap50"))
    one = pairs_of(tmp_path / "one", prediction[0, 0], truth[0, 0], "YX")
    assert evaluate_files([one], options, objects="volume").total.values["ap50"] == 1
    swapped = FilePair("swapped", tmp_path / "swapped.ome.tif", tmp_path / "swapped.ome.tif")
    tifffile.imwrite(swapped.reference, truth.swapaxes(0, 1), metadata={"axes": "ZTYX"})
    with pytest.raises(InputError, match="need the axes ZYX, or TZYX of a time series; its axes are ZTYX"):
        evaluate_files([swapped], options, objects="volume")
