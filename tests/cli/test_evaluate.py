"""`medseg evaluate` as a user runs it."""

import json

import numpy as np
import pytest
from csv_rows import csv_rows
from evaluate_command import run

from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels
from medseg.metrics.evaluation_options import METRICS
from medseg.report import pair_errors
from medseg.report.places import map_errors


@pytest.fixture
def folders(tmp_path):
    """Three pairs: a probability, labels, and a mask, with one merge in the second."""
    truth = np.zeros((30, 62), np.uint16)
    truth[2:28, 2:30], truth[2:28, 32:60] = 1, 2
    merged = (truth > 0).astype(np.uint16) * 3
    merged[15, 30:32] = 3
    (tmp_path / "p").mkdir()
    write_image(tmp_path / "p" / "a_probability.tif", (truth > 0).astype(np.float32) * np.float32(0.8))
    write_labels(tmp_path / "p" / "b_labels.tif", merged)
    write_image(tmp_path / "p" / "c.tif", (truth > 0).astype(np.uint8) * 255)
    for stem in "abc":
        write_labels(tmp_path / "r" / f"{stem}.tif", truth)
    return tmp_path


def test_folders_to_json_csv_and_report(folders):
    outputs = [folders / name for name in ("scores.json", "scores.csv", "report.html", "errors.csv", "matches.csv")]
    flags = ("--json", outputs[0], "--csv", outputs[1], "--report", outputs[2], "--errors", outputs[3])
    flags += ("--matches", outputs[4])
    result = run(folders / "p", folders / "r", *flags)
    assert result.exit_code == 0
    assert "prediction taken as probability (1), labels (1), binary (1)" in result.output
    assert "warping_error" in result.output
    assert "b (" in result.output  # the worst image
    assert "4 matched, 2 merged, 1 merger" in result.output
    assert outputs[4].read_text().splitlines()[3] == "b,merged,1,3,0.4993,728,1458,,0,14.5,15.5"
    scores = json.loads(outputs[0].read_text())
    assert set(scores["images"]) == {"a", "b", "c"}
    assert tuple(scores["total"]) == METRICS
    assert scores["images"]["b"]["mergers"] == scores["total"]["mergers"] == 1
    assert scores["total"]["warping_error"] == 1 / (3 * 30 * 62)
    assert scores["images"]["a"]["ap50_95"] == 1
    assert scores["kinds"]["c"] == {"prediction": "binary", "reference": "labels"}
    rows = csv_rows(outputs[1])
    assert [row["image"] for row in rows] == ["a", "b", "c", "total"]
    assert float(rows[-1]["pixel_error"]) == scores["total"]["pixel_error"]
    assert "1 merge" in outputs[2].read_text(encoding="utf-8")
    assert outputs[3].read_text().splitlines()[1:] == ["b,merge,0,,0,15,31,,,,1,728"]
    with pytest.raises(InputError, match="exists"):
        run(folders / "p", folders / "r", "--csv", outputs[1])
    assert run(folders / "p", folders / "r", *flags, "--overwrite", "-q").output == ""


@pytest.mark.parametrize("option", ["--json", "--csv", "--errors", "--matches", "--report"])
def test_an_output_that_cannot_be_written_is_told_before_anything_is_compared(folders, option):
    with pytest.raises(InputError, match="is a folder; name a file"):
        run(folders / "p", folders / "r", option, folders, "--overwrite")


def test_errors_are_looked_for_once(folders, monkeypatch):
    looked_at = []
    monkeypatch.setattr(pair_errors, "map_errors", lambda *pair: looked_at.append(pair) or map_errors(*pair))
    flags = (folders / "p", folders / "r", "--metrics", "mergers", "--errors", folders / "errors.csv")
    assert run(*flags, "--report", folders / "report.html").exit_code == 0
    assert len(looked_at) == 3
    with_report = (folders / "errors.csv").read_text()
    assert run(*flags, "--overwrite").exit_code == 0  # the table alone
    assert (folders / "errors.csv").read_text() == with_report


def test_ids_in_a_palette(tmp_path):
    labels = np.zeros((20, 20), np.uint8)
    labels[2:9, 2:18], labels[11:18, 2:18] = 1, 2
    image = pytest.importorskip("PIL.Image").fromarray(labels, mode="P")
    image.putpalette([0, 0, 0, 200, 30, 30, 200, 30, 30])  # both in one colour
    image.save(tmp_path / "prediction.png")
    write_labels(tmp_path / "truth.tif", labels)
    run(tmp_path / "prediction.png", tmp_path / "truth.tif", "--json", tmp_path / "scores.json")
    assert json.loads((tmp_path / "scores.json").read_text())["total"]["ap50"] == 1


def test_integer_probabilities_by_their_kind(tmp_path):
    truth = np.zeros((20, 20), np.uint8)
    truth[2:18, 2:18] = 255
    grey = np.where(truth > 0, 200, 30).astype(np.uint8)
    write_image(tmp_path / "grey.tif", grey)
    write_image(tmp_path / "truth.tif", truth)
    flags = (
        tmp_path / "grey.tif",
        tmp_path / "truth.tif",
        "--metrics",
        "pixel_error, dice",
        "--json",
        tmp_path / "s.json",
    )
    result = run(*flags, "--prediction-kind", "probability", "--threshold", "0.5")
    assert result.exit_code == 0
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["total"] == {"pixel_error": 0, "dice": 1}
    assert "taken as labels" in run(*flags, "--overwrite").output
    with pytest.raises(InputError, match="binary image"):
        run(*flags, "--prediction-kind", "binary", "--overwrite")


def test_one_bad_file_is_named_and_the_others_are_done(folders):
    write_labels(folders / "r" / "b.tif", np.ones((30, 61), np.uint8), overwrite=True)
    (folders / "p" / "c.tif").write_bytes(b"not a TIFF")
    result = run(folders / "p", folders / "r", "--json", folders / "s.json")
    assert result.exit_code == 1
    assert "(30, 62)" in result.output
    assert "(30, 61)" in result.output
    assert "c.tif" in result.output
    scores = json.loads((folders / "s.json").read_text())
    assert set(scores["images"]) == {"a"}
    assert set(scores["failed"]) == {"b", "c"}


def test_what_is_not_scored_is_told_and_written(folders):
    write_labels(folders / "p" / "d_labels.tif", np.ones((30, 62), np.uint8))
    outputs = ("--metrics", "dice", "--json", folders / "s.json", "--report", folders / "r.html")
    result = run(folders / "p", folders / "r", *outputs)
    assert result.exit_code == 0
    assert "d_labels.tif" in result.output
    assert any("d_labels.tif" in notice for notice in json.loads((folders / "s.json").read_text())["notices"])
    assert "d_labels.tif" in (folders / "r.html").read_text(encoding="utf-8")


def test_a_raw_image_that_does_not_fit_costs_only_its_picture(folders):
    for stem, shape in (("a", (30, 62)), ("b", (30, 61)), ("c", (30, 62))):
        write_image(folders / "raw" / f"{stem}.tif", np.zeros(shape, np.uint8))
    outputs = ("--json", folders / "s.json", "--report", folders / "r.html")
    result = run(folders / "p", folders / "r", "--images", folders / "raw", *outputs)
    assert result.exit_code == 1
    assert f"error: {folders / 'raw' / 'b.tif'} has the shape (30, 61)" in result.output
    assert set(json.loads((folders / "s.json").read_text())["images"]) == {"a", "b", "c"}
    assert (folders / "r.html").exists()


def test_names_that_are_no_text(folders):
    for folder, name in (("p", "b_labels.tif"), ("r", "b.tif")):
        (folders / folder / name).rename(folders / folder / f"b\udce9{name[1:]}")
    outputs = ("--csv", folders / "s.csv", "--json", folders / "s.json", "--report", folders / "r.html")
    assert run(folders / "p", folders / "r", "-q", *outputs).exit_code == 0
    assert "b\\udce9," in (folders / "s.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--metrics", "ap"), "choose among"),
        (("--spacing", "1,x"), "--spacing"),
        (("--images", "nowhere", "--report", "r.html"), "no such file"),
        (("--images", "nowhere"), "--report"),
    ],
)
def test_wrong_arguments(folders, flags, message):
    with pytest.raises(InputError, match=message):
        run(folders / "p", folders / "r", *flags)
    assert run(folders / "p", folders / "r", "--threshold", "2").exit_code == 2


def test_float_labels_and_bad_probabilities_are_refused(tmp_path):
    write_image(tmp_path / "p.tif", np.array([[0, 3.0], [1, 2]], np.float32))
    write_labels(tmp_path / "r.tif", np.array([[0, 3], [1, 2]]))
    with pytest.raises(InputError, match=r"p\.tif.*0 to 1"):
        run(tmp_path / "p.tif", tmp_path / "r.tif")
    result = run(tmp_path / "p.tif", tmp_path / "r.tif", "--prediction-kind", "labels")
    assert result.exit_code == 0
    assert result.output.count("objects (first id: 1) vanished") == 1  # and not once per section and measure


def test_two_outputs_of_one_name_are_refused(folders):
    one = folders / "table.csv"
    with pytest.raises(InputError, match="named for two outputs"):
        run(folders / "p", folders / "r", "--csv", one, "--matches", folders / "p" / ".." / "table.csv", "--overwrite")
    assert not one.exists()


def test_other_pixel_sizes_are_told_once(tmp_path):
    labels = np.zeros((20, 20), np.uint8)
    labels[2:9, 2:18], labels[11:18, 2:18] = 1, 2
    for name, size in (("p", 0.5), ("r", 0.25), ("near", 0.2501)):
        write_labels(tmp_path / f"{name}.tif", labels, Geometry("YX", (size, size), "um"))
    outputs = ("--matches", tmp_path / "m.csv", "--errors", tmp_path / "e.csv", "--overwrite")
    output = run(tmp_path / "p.tif", tmp_path / "r.tif", *outputs).output
    assert output.count("pixels of 0.5 x 0.5") == output.count("0.25 x 0.25") == 1
    assert "pixels of" not in run(tmp_path / "near.tif", tmp_path / "r.tif", *outputs).output
