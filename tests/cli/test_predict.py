import json
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from csv_rows import csv_rows

from medseg.cli import progress as progress_module
from medseg.io import Geometry, read_image, read_labels, write_image

ROOT = Path(__file__).parents[2]


def written(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_one_image(predict, image, tmp_path):
    before = image.read_bytes()
    done = predict(image)
    assert (done.code, done.err) == (0, "")
    assert written(tmp_path / "out") == ["s0_labels.tif", "s0_objects.csv"]
    assert f"{image}: " in done.out
    assert str(tmp_path / "out" / "s0_labels.tif") in done.out
    labels, geometry = read_labels(tmp_path / "out" / "s0_labels.tif")
    assert (labels.shape, labels.dtype, geometry) == ((100, 110), np.uint16, Geometry("YX", (0.004, 0.004), "um"))
    assert image.read_bytes() == before


def test_everything_at_once_and_the_report(predict, image, tiny_bundle, tmp_path):
    report = tmp_path / "report.json"
    done = predict(image, "--probabilities", "--overlay", "--json", report, "--tile", "252,252", "--batch-size", "2")
    assert done.code == 0
    assert written(tmp_path / "out") == ["s0_labels.tif", "s0_objects.csv", "s0_overlay.png", "s0_probability.tif"]
    content = json.loads(report.read_text())
    assert (
        content["weights"]["sha256"]
        == json.loads((tiny_bundle / "configs/metadata.json").read_text())["weights_sha256"]
    )
    assert content["settings"]["tile_shape"] == [252, 252]
    assert content["settings"]["tile_batch_size"] == 2
    (entry,) = content["images"]
    assert (entry["status"], entry["input"]) == ("ok", str(image))
    assert sorted(entry["outputs"]) == ["labels", "objects", "overlay", "probability"]
    assert len(csv_rows(entry["outputs"]["objects"])) == entry["objects"]
    again = predict(image, "--probabilities", "--json", report, "--overwrite")
    assert (again.code, again.err.count("warning: ")) == (0, 1)
    assert "(s0_overlay.png)" in again.err
    assert json.loads(report.read_text())["images"][0]["outputs"].keys() == {"labels", "objects", "probability"}


@pytest.mark.parametrize(
    ("axes", "shape", "dtype"),
    [
        ("ZYX", (2, 30, 40), "uint8"),
        ("TYX", (3, 30, 40), "uint16"),
        ("TZYX", (2, 2, 30, 40), "float32"),
        ("IYX", (5, 9, 8), "uint8"),
    ],
)
def test_a_stack_in_gives_a_stack_out(predict, tmp_path, axes, shape, dtype):
    array = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    spacing = None if "I" in axes else (0.5, 0.25, 0.125)[-sum(a in "ZYX" for a in axes) :]
    write_image(tmp_path / "x.tif", array, Geometry(axes, spacing, "um" if spacing else None))
    done = predict(tmp_path / "x.tif", "--probabilities", "--overlay")
    assert done.code == 0
    for name in ("x_labels.tif", "x_probability.tif"):
        back, geometry = read_image(tmp_path / "out" / name)
        assert (back.shape, geometry) == (shape, Geometry(axes, spacing, "um" if spacing else None))


def test_a_folder_in_natural_order_quietly(predict, em_folder, tmp_path):
    done = predict(em_folder / "images", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert len(written(tmp_path / "out")) == 8


def test_warnings_of_libraries_are_printed_on_request(predict, image, monkeypatch):
    monkeypatch.setattr(
        "medseg.workflow.predict.set_determinism", lambda seed: warnings.warn("of a library", stacklevel=1)
    )
    for flags in ([], ["-v", "--overwrite"]):
        done = predict(image, *flags)
        assert (done.code, done.err, "  warning: of a library\n" in done.out) == (0, "", bool(flags))


def test_plain_lines_where_there_is_no_terminal_and_a_bar_on_one(predict, image, tmp_path, monkeypatch):
    assert "\x1b" not in predict(image).out
    bars = []
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    real = progress_module.Progress.update
    monkeypatch.setattr(progress_module.Progress, "update", lambda self, *a: bars.append(a) or real(self, *a))
    assert predict(image, "--overwrite").code == 0
    assert bars[-1] == (1, 1)


def test_axes_settle_what_the_file_does_not_say(predict, tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((3, 30, 40), np.uint8), photometric="minisblack", metadata=None)
    refused = predict(tmp_path / "x.tif")
    assert refused.code == 1
    for part in (str(tmp_path / "x.tif"), "(3, 30, 40)", "--axes (ZYX or CYX)"):
        assert part in refused.err
    assert predict(tmp_path / "x.tif", "--axes", "ZYX").code == 0
    assert read_labels(tmp_path / "out" / "x_labels.tif")[1].axes == "ZYX"


def test_outlines_for_imagej_are_those_of_the_labels(predict, image, tmp_path):
    assert predict(image, "--rois").code == 0
    labels, _ = read_labels(tmp_path / "out" / "s0_labels.tif")
    names = zipfile.ZipFile(tmp_path / "out" / "s0_rois.zip").namelist()
    assert names == [f"{index:04d}.roi" for index in np.unique(labels[labels > 0])]


def test_one_of_several_stains_is_segmented_and_all_are_measured(predict, medseg, image, tmp_path):
    section, geometry = read_image(image)
    stains = np.stack([np.zeros_like(section), section, section // 2])
    write_image(tmp_path / "stains.tif", stains, Geometry("CYX", geometry.spacing, geometry.unit))
    assert "--channel 0 for example" in predict(tmp_path / "stains.tif").err
    assert predict(tmp_path / "stains.tif", image, "--channel", "1").code == 1  # the gray image has no such channel
    assert predict(image).code == 0
    alone, found = (read_labels(tmp_path / "out" / f"{name}_labels.tif")[0] for name in ("s0", "stains"))
    np.testing.assert_array_equal(found, alone)
    row, *_ = csv_rows(tmp_path / "out" / "stains_objects.csv")
    assert [name for name in row if name.startswith("mean_intensity")] == [f"mean_intensity_c{k}" for k in range(3)]
    refused = medseg("predict", "headneck_ct_unet3d", image, "-o", tmp_path / "ct", "--channel", "0")
    assert (refused.code, "cannot do --channel" in refused.err) == (2, True)


def test_existing_results_are_kept_unless_asked(predict, image, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "s0_objects.csv").write_text("mine")
    refused = predict(image)
    assert refused.code == 1
    assert "s0_objects.csv: exists already; use --overwrite" in refused.err
    assert (tmp_path / "out" / "s0_objects.csv").read_text() == "mine"
    assert written(tmp_path / "out") == ["s0_objects.csv"]
    assert predict(image, "--overwrite").code == 0
    assert (tmp_path / "out" / "s0_objects.csv").read_text() != "mine"


def test_resume_does_what_is_missing(predict, image, tmp_path):
    for name in ("s1.tif", "s2.tif"):
        shutil.copy(image, tmp_path / name)
    images = [image, tmp_path / "s1.tif", tmp_path / "s2.tif"]
    assert predict(*images[:2]).code == 0
    out = tmp_path / "out"
    (out / "s1_objects.csv").unlink()
    kept = {name: (out / name).stat().st_mtime_ns for name in ("s0_labels.tif", "s0_objects.csv")}
    resumed = predict(*images, "--resume")
    assert (resumed.code, resumed.err) == (0, "")
    assert "1 of 3 have their results already" in resumed.out
    assert written(out) == [f"s{i}_{kind}" for i in range(3) for kind in ("labels.tif", "objects.csv")]
    assert {name: (out / name).stat().st_mtime_ns for name in kept} == kept
    again = predict(*images, "--resume")
    assert (again.code, "3 of 3" in again.out) == (0, True)
    assert predict(*images, "--resume", "--overwrite").code == 2


def test_a_report_is_written_where_nothing_is_left_to_do(predict, image, tmp_path):
    assert predict(image).code == 0
    assert predict(image, "--resume", "--json", tmp_path / "r.json").code == 0
    assert json.loads((tmp_path / "r.json").read_text())["images"] == []
    assert predict(image, "--json", tmp_path / "again.json").code == 1
    assert "exists already" in json.loads((tmp_path / "again.json").read_text())["not_run"][0]


def test_a_summary_of_all_images_done_and_failed(predict, image, tmp_path):
    assert predict(image).code == 0
    shutil.copy(image, tmp_path / "new.tif")
    (tmp_path / "bad.tif").write_bytes(b"no TIFF")
    images = [image, tmp_path / "new.tif", tmp_path / "bad.tif"]
    done = predict(*images, "--resume", "--summary", tmp_path / "s.csv")
    assert (done.code, f"summary: {tmp_path / 's.csv'}" in done.out) == (1, True)
    first, second, bad = csv_rows(tmp_path / "s.csv")
    assert [row["image"] for row in (first, second, bad)] == [str(path) for path in images]
    assert int(first["objects"]) == len(csv_rows(tmp_path / "out" / "s0_objects.csv"))
    assert (second["objects"], second["mean_area_um2"]) == (first["objects"], first["mean_area_um2"])
    assert bad["objects"] == ""
    assert predict(image, "--summary", tmp_path / "s.csv", "--resume").code == 2


def test_an_input_is_never_overwritten(medseg, tiny_bundle, image, tmp_path):
    for name in ("x.tif", "x_labels.tif"):
        shutil.copy(image, tmp_path / name)
    done = medseg("predict", tiny_bundle, tmp_path, "-o", tmp_path, "--overwrite")
    assert done.code == 2
    assert "is an input" in done.err
    assert written(tmp_path) == ["x.tif", "x_labels.tif"]


def test_own_weights_in_place_of_missing_ones(medseg, tiny_bundle, image, tmp_path):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    own = shutil.move(bundle / "models" / "model.pt", tmp_path / "own.pt")
    assert medseg("predict", bundle, image, "-o", tmp_path / "out", "--weights", own).code == 0


def test_a_full_disk_is_named_and_leaves_nothing(predict, image, tmp_path, no_space_left):
    write_image(tmp_path / "tiny.tif", np.zeros((3, 3), np.uint8))
    with no_space_left():
        done = predict(image, tmp_path / "tiny.tif", "--probabilities")
    assert done.code == 1
    assert re.search(r"out/s0_\w+\.\w+: File too large", done.err)
    assert {name.partition("_")[0] for name in written(tmp_path / "out")} == {"tiny"}


def test_as_a_program_it_writes_nothing_but_its_own_lines(tiny_bundle, image, tmp_path):
    """Libraries log to handlers that only a fresh process has."""
    (tmp_path / "bad.tif").write_bytes(b"hello")
    code = "from medseg.cli import main; main()"
    arguments = ["predict", tiny_bundle, tmp_path / "bad.tif", image, "-o", tmp_path / "out"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert [line.split(":")[0].strip() for line in done.stdout.splitlines()] == [str(image), "labels", "objects"]


def test_tta_averages_views_and_is_named_where_a_bundle_has_none(predict, medseg, image, tiny_bundle, tmp_path):
    assert predict(image, "--tta", "--probabilities").code == 0
    averaged, _ = read_image(tmp_path / "out" / "s0_probability.tif")
    assert predict(image, "--probabilities", "--overwrite").code == 0
    plain, _ = read_image(tmp_path / "out" / "s0_probability.tif")
    assert 1e-4 < np.abs(averaged - plain).max() < 1
    refused = predict(image, "--set", "tta=false", "--overwrite")
    assert (refused.code, "use --tta or --no-tta" in refused.err) == (2, True)
    without = shutil.copytree(tiny_bundle, tmp_path / "without")
    config = without / "configs" / "inference.json"
    content = json.loads(config.read_text())
    config.write_text(json.dumps(content | {"tta": True}))  # a bundle that averages by itself
    for flags, expected in (((), averaged), (("--no-tta",), plain)):
        done = medseg("predict", without, image, "-o", tmp_path / "out", *flags, "--probabilities", "--overwrite")
        assert done.code == 0
        np.testing.assert_array_equal(read_image(tmp_path / "out" / "s0_probability.tif")[0], expected)
    content["inferer"] = content["inferer"]["inferer"]
    del content["tta"]
    config.write_text(json.dumps(content))
    done = medseg("predict", without, image, "-o", tmp_path / "out2", "--tta")
    assert done.code == 2
    assert "cannot do --tta" in done.err
    assert medseg("predict", without, image, "-o", tmp_path / "out2", "--no-tta").code == 0
