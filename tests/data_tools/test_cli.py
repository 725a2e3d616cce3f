"""`medseg data` from outside: what is printed, written, and left with which exit code."""

import json

import imagecodecs
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from data_tools.cli import app
from data_tools.layout import read_dataset
from data_tools.pixels import read_pixels
from data_tools.synth.nuclei import nuclei
from medseg.errors import InputError
from medseg.io import training_items, write_image, write_labels


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def cells(tmp_path):
    assert run("synth", "nuclei", tmp_path / "cells", "--count", 5, "--shape", "64,64").exit_code == 0
    return tmp_path / "cells"


@pytest.mark.parametrize(
    ("kind", "shape", "files"),
    [
        ("em", "32,40", "em_003.tif"),
        ("em", "3,32,40", "em_003.tif"),
        ("nuclei", "4,32,32", "nuclei_003.tif"),
        ("phase-contrast", "64,64", "phase-contrast_003.tif"),
        ("ct", "32,32,16", "ct_003.nii.gz"),
        ("ct", "32,32", "ct_003.nii.gz"),
    ],
)
def test_synth(tmp_path, kind, shape, files):
    result = run("synth", kind, tmp_path / "d", "--count", 2, "--shape", shape, "--seed", 3)
    assert result.exit_code == 0, result.output
    dataset = read_dataset(tmp_path / "d")
    assert dataset.training[0].image == f"images/{files}"
    assert len(dataset.validation) == 1
    assert dataset.description.licence == "CC0-1.0"


def test_synth_makes_what_training_reads(cells):
    assert len(training_items(cells, "training")) == 4
    assert len(training_items(cells, "validation")) == 1


def test_check(cells):
    result = run("check", cells)
    assert result.exit_code == 0
    assert "0 errors, 0 warnings; 4 for training, 1 for validation" in result.output
    report = json.loads(run("check", cells, "--json").output)
    assert report["ok"]
    (cells / "images" / "nuclei_001.tif").write_bytes(b"no")
    result = run("check", cells, "--json")
    assert result.exit_code == 1
    codes = {f["code"] for f in json.loads(result.output)["findings"]}
    assert codes == {"unreadable", "changed_file"}
    (cells / "images" / "ü 细胞 😀.tif").write_bytes(b"")
    (cells / "dataset.json").unlink()
    assert run("check", cells, "--json").output.isascii()  # pipes and files of Windows are not of UTF-8
    assert "error: images/nuclei_001.tif: " in run("check", cells).output


def test_warnings_alone_leave_with_0(tmp_path):
    write_image(tmp_path / "images/a.tif", np.arange(64, dtype=np.uint8).reshape(8, 8))
    write_labels(tmp_path / "labels/a.tif", np.eye(8, dtype=np.uint8))
    result = run("check", tmp_path)
    assert (result.exit_code, "1 warnings" in result.output) == (0, True)


def test_split(cells):
    with pytest.raises(InputError, match="--overwrite"):
        CliRunner().invoke(app, ["split", str(cells)], catch_exceptions=False)
    result = run("split", cells, "--fraction", 0.4, "--overwrite", "--seed", 1)
    assert "3 for training, 2 for validation" in result.output
    assert len(read_dataset(cells).validation) == 2


def test_split_a_plain_folder_and_sections(tmp_path):
    write_image(tmp_path / "images/a.tif", np.random.default_rng(0).integers(0, 99, (10, 32, 32)).astype(np.uint8))
    write_labels(tmp_path / "labels/a.tif", np.ones((10, 32, 32), np.uint8))
    assert run("split", tmp_path, "--by-sections").exit_code == 0
    assert read_dataset(tmp_path).validation[0].sections == (8, 10)
    assert len(training_items(tmp_path, "training")) == 7


def test_preview(cells, tmp_path):
    result = run("preview", cells, "-o", tmp_path / "p.png", "--count", 2)
    assert "2 images in" in result.output
    assert imagecodecs.png_decode((tmp_path / "p.png").read_bytes()).ndim == 3


@pytest.fixture
def short_stacks(tmp_path):
    """Two stacks of three pages that do not say whether they are sections or channels."""
    for name, sample in (("a", nuclei((3, 32, 32), seed=0)), ("b", nuclei((3, 32, 32), seed=1))):
        for part, array in (("images", sample.image), ("labels", sample.labels.astype(np.uint16))):
            (tmp_path / "short" / part).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(tmp_path / "short" / part / f"{name}.tif", array, photometric="minisblack")
    return tmp_path / "short"


@pytest.mark.parametrize(
    "command",
    [
        ("split", "short"),
        ("check", "short"),
        ("preview", "short", "-o", "p.png"),
        ("convert", "pairs", "short", "out"),
        ("convert", "stack", "short/images/a.tif", "out", "--labels", "short/labels/a.tif"),
    ],
)
def test_axes_of_short_stacks(short_stacks, command, monkeypatch):
    monkeypatch.chdir(short_stacks.parent)
    refused = run(*command)
    assert refused.exit_code == 1
    assert "name them with --axes" in refused.output + str(refused.exception)
    result = run(*command, "--axes", "ZYX")
    assert result.exit_code == 0, (result.output, result.exception)
    if command[0] == "convert":
        assert read_pixels(short_stacks.parent / "out/images/a.tif").geometry.axes == "ZYX"


def test_convert_there_and_back(cells, tmp_path):
    assert run("convert", "to-coco", cells, tmp_path / "c.json").exit_code == 0
    again = run("convert", "to-coco", cells, tmp_path / "c.json")
    assert "exists already; choose another name" in again.output + str(again.exception)
    result = run("convert", "coco", cells, tmp_path / "back", "--labels", tmp_path / "c.json", "--name", "back")
    assert result.exit_code == 0, result.output
    assert read_dataset(tmp_path / "back").description.name == "back"


def test_convert_says_what_it_left_out(cells, tmp_path):
    (cells / "images" / "nuclei_001.tif").write_bytes(b"no")
    result = run("convert", "pairs", cells, tmp_path / "out")
    assert result.exit_code == 1
    assert "left out: " in result.output
    assert "4 for training" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("convert", "xls", ".", "out"), "no data set or format known"),
        (("convert", "pairs", "nowhere", "out"), "no such file or folder"),
        (("convert", "coco", ".", "out"), "needs --labels"),
        (
            ("convert", "coco", ".", "out", "--axes", "ZYX"),
            "--axes is for pairs, cellpose, stack, sequences, not for coco",
        ),
        (("fetch", "imagenet", "out"), "no data set known here"),
        (("fetch", "chest_ct_kaggle", "out"), "Kaggle requires a login"),
        (("synth", "mri", "out"), "no kind of synthetic image"),
        (("synth", "em", "out", "--shape", "a,b"), "--shape is"),
        (("synth", "em", "out", "--count", "0"), "count is 0"),
        (("check", "nowhere"), "no such folder"),
    ],
)
def test_wrong_arguments(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_list():
    assert "dsb2018" in run("list").output
    content = json.loads(run("list", "--json").output)
    assert content["sets"]["bbbc039"]["licence"] == "CC0-1.0"
    assert "coco" in content["formats"]
