"""`medseg evaluate` as a user runs it."""

import csv
import json

import numpy as np
import pytest
import tifffile
import typer
from typer.testing import CliRunner

from medseg.cli.evaluate import evaluate
from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels
from medseg.metrics.evaluation_options import METRICS
from medseg.report import pair_errors
from medseg.report.places import map_errors

app = typer.Typer()
app.command()(evaluate)


def run(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(result.exception, InputError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


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
    assert outputs[4].read_text().splitlines()[3] == "b,merged,1,3,0.4993,728,1458,0,14.5,15.5"
    scores = json.loads(outputs[0].read_text())
    assert set(scores["images"]) == {"a", "b", "c"}
    assert tuple(scores["total"]) == METRICS
    assert scores["images"]["b"]["mergers"] == scores["total"]["mergers"] == 1
    assert scores["total"]["warping_error"] == 1 / (3 * 30 * 62)
    assert scores["images"]["a"]["ap50_95"] == 1
    assert scores["kinds"]["c"] == {"prediction": "binary", "reference": "labels"}
    rows = list(csv.DictReader(outputs[1].open()))
    assert [row["image"] for row in rows] == ["a", "b", "c", "total"]
    assert float(rows[-1]["pixel_error"]) == scores["total"]["pixel_error"]
    assert "1 merge" in outputs[2].read_text(encoding="utf-8")
    assert outputs[3].read_text().splitlines()[1:] == ["b,merge,0,15,31,,,,1,728"]
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


def test_stack_without_named_axes_and_undefined_sections(tmp_path):
    mask = np.zeros((3, 40, 40), np.uint8)  # tifffile takes three pages for colours
    mask[0, 4:30, 4:20] = mask[0, 4:30, 24:38] = 255
    for name in "pr":
        tifffile.imwrite(tmp_path / f"{name}.tif", mask)
    with pytest.raises(InputError, match="--axes ZYX"):
        run(tmp_path / "p.tif", tmp_path / "r.tif")
    named = run(tmp_path / "p.tif", tmp_path / "r.tif", "--axes", "ZYX", "--metrics", "v_rand")
    for name in "pr":
        tifffile.imwrite(tmp_path / f"{name}.tif", mask, photometric="minisblack")
    result = run(tmp_path / "p.tif", tmp_path / "r.tif", "--json", tmp_path / "s.json")
    assert "undefined in 2 sections" in named.output
    assert "undefined in 2 sections" in result.output
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["undefined"]["total"]["v_rand"] == 2
    assert scores["total"]["v_rand"] == 1


@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
def test_objects_of_a_volume_reach_through_its_sections_those_of_times_do_not(tmp_path, axes):
    volume = np.zeros((4, 20, 20), np.uint16)
    volume[:, 2:10, 2:18], volume[:, 11:18, 2:18] = 7, 70000 % 65536
    restarted = volume.copy()
    restarted[2:] = np.where(volume[2:] > 0, volume[2:] + 1, 0)
    for name, image in (("r", volume), ("p", restarted)):
        write_labels(tmp_path / f"{name}.tif", image, Geometry(axes))
    files = (tmp_path / "p.tif", tmp_path / "r.tif", "--metrics", "ap50", "--json", tmp_path / "s.json", "--overwrite")
    ap = {}
    for objects in ("auto", "volume", "sections"):
        run(*files, "--objects", objects)
        ap[objects] = json.loads((tmp_path / "s.json").read_text())["total"]["ap50"]
    assert ap["volume"] < ap["sections"] == 1
    assert ap["auto"] == ap["volume" if axes == "ZYX" else "sections"]
    for objects in ("auto", "volume", "sections"):
        said = run(*files[:2], "--metrics", "splits", "--objects", objects).output
        assert ("the warping error is that of single sections" in said) == (objects == "auto" and axes == "ZYX")


def test_the_topology_of_a_volume(tmp_path):
    volume = np.zeros((7, 20, 20), np.uint16)
    volume[:3, 2:18, 2:18], volume[4:, 2:18, 2:18] = 1, 2
    joined = np.where(volume > 0, 1, 0).astype(np.uint8)
    joined[3, 8:10, 8:10] = 1
    for name, image in (("r", volume), ("p", joined)):
        write_labels(tmp_path / f"{name}.tif", image, Geometry("ZYX"))
    table, page = tmp_path / "e.csv", tmp_path / "e.html"
    files = (tmp_path / "p.tif", tmp_path / "r.tif", "--prediction-kind", "binary", "--overwrite")
    flags = ("--metrics", "mergers", "--json", tmp_path / "s.json", "--errors", table, "--report", page)
    found = {}
    for objects in ("volume", "sections"):
        assert run(*files, *flags, "--objects", objects).exit_code == 0
        found[objects] = json.loads((tmp_path / "s.json").read_text())["total"]["mergers"]
        found[objects, "errors"] = [row["error"] for row in csv.DictReader(table.open())]
    assert found == {
        "volume": 4,
        ("volume", "errors"): ["merge"],
        "sections": 0,
        ("sections", "errors"): ["object_addition"],
    }


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


@pytest.mark.parametrize("found", [0, 2])
def test_a_volume_in_which_little_was_found_is_compared_as_a_volume(tmp_path, found):
    truth = np.zeros((3, 16, 20), np.uint16)
    truth[:, 2:8, 2:8], truth[:, 2:8, 10:18] = 1, 2
    prediction = np.where(truth == found, truth, 0).astype(np.uint16)
    for name, volume in (("p", prediction), ("r", truth)):
        write_labels(tmp_path / f"{name}.tif", volume, Geometry("ZYX"))
    result = run(tmp_path / "p.tif", tmp_path / "r.tif", "--matches", tmp_path / "matches.csv")
    assert "prediction taken as labels" in result.output
    assert ("(1 matched, 1 missed)" if found else "(2 missed)") in result.output


def test_axes_in_another_order_are_refused(tmp_path):
    labels = np.zeros((3, 3, 16, 16), np.uint16)
    labels[0, 1, 2:8, 2:8] = 1
    labels[2, :, 2:8, 2:8] = 2
    for axes in ("TZYX", "ZTYX"):
        tifffile.imwrite(tmp_path / f"{axes}.ome.tif", labels, metadata={"axes": axes})
    with pytest.raises(InputError, match=r"has the axes ZTYX but .* TZYX; save them in one order"):
        run(tmp_path / "ZTYX.ome.tif", tmp_path / "TZYX.ome.tif")


def test_two_outputs_of_one_name_are_refused(folders):
    one = folders / "table.csv"
    with pytest.raises(InputError, match="named for two outputs"):
        run(folders / "p", folders / "r", "--csv", one, "--matches", folders / "p" / ".." / "table.csv", "--overwrite")
    assert not one.exists()


def test_borders_are_not_thinned_in_volumes_and_the_json_says_what_objects_were(tmp_path, recwarn):
    volume = np.zeros((3, 16, 20), np.uint16)
    volume[:, 2:8, 2:8], volume[:, 8, 2:8], volume[:, 9, 2:8] = 1, 2, 3  # 2 is no thicker than a border
    pair = [tmp_path / f"{name}.tif" for name in "pr"]
    for path in pair:
        write_labels(path, volume, Geometry("ZYX"))
    with pytest.raises(InputError, match="section by section"):
        run(*pair, "--thin-borders", "--objects", "volume")
    outputs = ["--json", tmp_path / "s.json", "--matches", tmp_path / "m.csv", "--errors", tmp_path / "e.csv"]
    run(*pair, "--objects", "sections", "--thin-borders", *outputs)
    assert json.loads((tmp_path / "s.json").read_text())["options"]["volumetric"] is False
    assert "vanished" in (tmp_path / "s.json").read_text()
    assert not [w for w in recwarn if "vanished" in str(w.message)]


def test_other_pixel_sizes_are_told_once(tmp_path):
    labels = np.zeros((20, 20), np.uint8)
    labels[2:9, 2:18], labels[11:18, 2:18] = 1, 2
    for name, size in (("p", 0.5), ("r", 0.25), ("near", 0.2501)):
        write_labels(tmp_path / f"{name}.tif", labels, Geometry("YX", (size, size), "um"))
    outputs = ("--matches", tmp_path / "m.csv", "--errors", tmp_path / "e.csv", "--overwrite")
    output = run(tmp_path / "p.tif", tmp_path / "r.tif", *outputs).output
    assert output.count("pixels of 0.5 x 0.5") == output.count("0.25 x 0.25") == 1
    assert "pixels of" not in run(tmp_path / "near.tif", tmp_path / "r.tif", *outputs).output
