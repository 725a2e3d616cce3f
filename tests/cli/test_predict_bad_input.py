"""`medseg predict` refuses what it cannot use, names it, and does the rest."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from medseg.io import Geometry, write_image


def written(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def colour(path):
    tifffile.imwrite(path, np.eye(30, 120, dtype=np.uint8).reshape(30, 40, 3), photometric="rgb")


# of those that cannot be read, one: tests/io has the others
BAD_FILES = {
    "is no image": (lambda p: p.write_bytes(b"hello"), "cannot be read as TIFF"),
    "is in colour": (colour, r"3 channels, this bundle needs gray \(1 channel\)"),
    "has two channels": (lambda p: write_image(p, np.zeros((2, 9, 9), np.uint8), Geometry("CYX")), "has 2 channels"),
    "holds NaN": (lambda p: write_image(p, np.full((9, 9), np.nan, np.float32)), "81 pixels are NaN or infinite"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_named_and_the_others_are_done(predict, image, tmp_path, kind):
    make, message = BAD_FILES[kind]
    make(tmp_path / "bad.tif")
    done = predict(tmp_path / "bad.tif", image, "-q", "--json", tmp_path / "r.json")
    assert done.code == 1
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    assert str(tmp_path / "bad.tif") in line
    assert re.search(message, line), line
    assert written(tmp_path / "out") == ["s0_labels.tif", "s0_objects.csv"]
    bad, good = json.loads((tmp_path / "r.json").read_text())["images"]
    assert (bad["status"], good["status"]) == ("failed", "ok")
    assert bad["error"] in line


def test_a_missing_file_among_others(predict, image, tmp_path):
    done = predict(tmp_path / "gone.tif", image, "--json", tmp_path / "r.json")
    assert done.code == 1
    assert done.err == f"error: {tmp_path / 'gone.tif'}: no such file or folder\n"
    assert "s0_labels.tif" in written(tmp_path / "out")
    assert json.loads((tmp_path / "r.json").read_text())["not_run"] == [
        f"{tmp_path / 'gone.tif'}: no such file or folder"
    ]


def test_a_link_that_leads_nowhere_is_named(predict, image, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(image, tmp_path / "in")
    (tmp_path / "in" / "bad.tif").symlink_to("gone.tif")
    done = predict(tmp_path / "in")
    assert (done.code, done.err) == (1, f"error: {tmp_path / 'in' / 'bad.tif'}: no such file\n")
    assert written(tmp_path / "out") == ["s0_labels.tif", "s0_objects.csv"]


def test_nothing_to_do_is_a_wrong_argument(predict, tmp_path):
    (tmp_path / "empty").mkdir()
    for given, message in (
        (tmp_path / "gone.tif", "no such file"),
        (tmp_path / "empty", "no images in this folder"),
        (str(tmp_path / "*.tif"), "no image matches"),
    ):
        done = predict(given)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "tpu"], "--device tpu: give auto, cpu, cuda or cuda:N"),
        (["--device", "cuda:99"], "--device cuda:99: torch sees"),
        (["--tile", "512"], "--tile 512: give 2 positive whole numbers"),
        (["--tile", "190,700"], "tiles of 190,700 pixels are too small for its network: give at least 204"),
        (["--set", "min_sise=3"], "no key 'min_sise' to set"),
        (["--set", "min_size"], "give KEY=VALUE"),
        (["--set", "save_overlay=true"], "use --overlay for save_overlay"),
        (["--set", "threshold=2"], "need 0 <= threshold <= seed_threshold <= 1"),
        (["--weights", "gone.pt"], "gone.pt: no such file of weights"),
        (["--batch-size", "0"], "--batch-size"),
    ],
)
def test_wrong_arguments_are_2(medseg, tiny_bundle, image, tmp_path, arguments, message):
    done = medseg("predict", tiny_bundle, image, "-o", tmp_path / "out", *arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["-o", "--json", "--summary"])
def test_where_nothing_can_be_written_is_told_once_and_first(medseg, tiny_bundle, image, tmp_path, option):
    (tmp_path / "file").write_text("in the way")
    arguments = ["-o", tmp_path / "out", option, tmp_path / "file" / "x"]
    done = medseg("predict", tiny_bundle, image, tmp_path / "gone.tif", *arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.endswith(f"cannot be made a folder, the file {tmp_path / 'file'} is in the way")
    assert not (tmp_path / "out").exists()


def test_an_existing_report_is_kept_unless_asked(predict, image, tmp_path):
    (tmp_path / "r.json").write_text("mine")
    done = predict(image, "--json", tmp_path / "r.json")
    assert (done.code, (tmp_path / "r.json").read_text()) == (2, "mine")
    twice = predict(image, "--json", tmp_path / "r.json", "--summary", tmp_path / "r.json", "--overwrite")
    assert (twice.code, "named for two outputs" in twice.err) == (2, True)
    table = predict(image, "--summary", tmp_path / "out" / "s0_objects.csv", "--overwrite")
    assert (table.code, "would be the objects of" in table.err) == (2, True)
    assert not (tmp_path / "out").exists()


def test_an_unknown_bundle(medseg, image, tmp_path):
    done = medseg("predict", "em_membrain", image, "-o", tmp_path / "out")
    assert done.code == 2
    assert done.err.startswith("error: 'em_membrain' is neither a bundle of medseg (")


@pytest.mark.parametrize("how", ["missing", "damaged", "replaced by text", "of another network"])
def test_weights_that_cannot_be_used(medseg, tiny_bundle, image, tmp_path, how):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    weights, own = bundle / "models" / "model.pt", tmp_path / "own.pt"
    shutil.copy(weights, own)
    extra = []
    if how == "missing":
        weights.unlink()
    elif how == "damaged":
        weights.write_bytes(weights.read_bytes()[:-9])
    elif how == "replaced by text":
        own.write_text("not weights")
        weights, extra = own, ["--weights", own]
    else:
        weights, extra = own, ["--weights", own, "--set", "network_def::channels=[2,2,2,2,2]"]
    done = medseg("predict", bundle, image, "-o", tmp_path / "out", *extra)
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert str(weights) in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--json", "--summary"])
def test_an_image_is_never_the_name_of_a_report(predict, image, tmp_path, option):
    """Whoever takes the option for a switch names an image behind it."""
    for name in ("a.tif", "ct.nii.gz"):
        path = shutil.copy(image, tmp_path / name)
        done = predict("--overwrite", option, path, image)
        assert (done.code, f"{name}: is named like an image; {option} needs a name of its own" in done.err) == (2, True)
        assert path.read_bytes() == image.read_bytes()
    assert written(tmp_path / "out") == []
