"""`medseg evaluate --organs` as a user runs it: volumes of 3 x 1 x 2 mm."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from csv_rows import csv_rows
from nifti_file import save_nifti

from medseg.io import Space, write_label_volume

AFFINE = np.diag([-3.0, -1.0, 2.0, 1.0])


def organs(shift: int = 0, *, spleen: bool = True) -> np.ndarray:
    labels = np.zeros((14, 8, 6), np.uint8)
    labels[2 + shift : 12 + shift, 2, 2] = 1
    if spleen:
        labels[3:6, 5:7, 3] = 2
    return labels


def save(path: Path, labels: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    write_label_volume(path, labels, Space.scanner(affine))
    return path


@pytest.fixture
def folders(tmp_path):
    """Two cases as `medseg predict` names them: one with the liver a voxel aside, one without the spleen."""
    for stem, prediction in (("a", organs(1)), ("b", organs(spleen=False))):
        save(tmp_path / "out" / f"{stem}_labels.nii.gz", prediction)
        save(tmp_path / "truth" / f"{stem}.nii.gz", organs())
    (tmp_path / "out" / "a_preview.png").touch()
    return tmp_path


def test_folders(medseg, folders):
    outputs = ("--csv", folders / "s.csv", "--json", folders / "s.json")
    done = medseg("evaluate", folders / "out", folders / "truth", "--organs", "Liver=1,Spleen=2,Heart=3", *outputs)
    assert done.code == 0, done.err
    of_cases, of_organs = (part.splitlines() for part in done.out.split("\n\n")[:2])
    assert [line.split("  ")[0] for line in of_cases] == ["case, all organs", "a", "b"]
    heads = [[name.strip() for name in line.split("  ") if name] for line in (of_cases[0], of_organs[0])]
    assert heads[0][1:] == ["Dice", "surface Dice", "HD95 mm", "organs", "not found", "extra", "absent"]
    assert heads[1][1:6] == ["Dice", "surface Dice", "HD95 mm", "pred. ml", "ref. ml"]
    assert heads[1][6:] == ["cases", "not found", "extra", "absent"]
    lines = {line.split("  ")[0]: line.split()[1:] for line in done.out.splitlines()}
    assert lines["Liver"] == ["0.950", "0.950", "0.8", "0.06", "0.06", "2", "0", "0", "0"]
    assert lines["Spleen"] == ["0.500", "0.500", "0.0", "0.02", "0.04", "2", "1", "0", "0"]
    assert lines["Heart"] == ["-"] * 5 + ["0"] * 3 + ["2"]
    assert lines["b"] == ["0.500", "0.500", "0.0", "2", "1", "0", "1"]
    scores = json.loads((folders / "s.json").read_text())
    assert scores["cases"]["a"]["Liver"]["hd95_mm"] == pytest.approx(0.55 * 3)
    assert scores["cases"]["b"]["Spleen"]["dice"] == 0
    assert scores["cases"]["b"]["Spleen"]["hd95_mm"] is None
    assert scores["mean"]["Heart"]["on_neither_side"] == 2
    assert scores["mean"]["all organs"]["dice"] == pytest.approx((0.95 + 0.5) / 2)
    assert scores["options"] == {"tolerance_mm": 2.0, "organs": {"Liver": 1, "Spleen": 2, "Heart": 3}}
    rows = csv_rows(folders / "s.csv")
    assert [(row["case"], row["organ"]) for row in rows[3:5]] == [("a", "all organs"), ("b", "Liver")]
    assert [row["case"] for row in rows[-4:]] == ["mean"] * 4
    assert rows[5]["hd95_mm"] == ""
    again = medseg("evaluate", folders / "out", folders / "truth", "--organs", "labels", "--csv", folders / "s.csv")
    assert again.code != 0
    assert "exists" in again.err


def test_report(medseg, folders):
    for stem in "ab":
        save_nifti(folders / "ct" / f"{stem}.nii.gz", np.full((14, 8, 6), 40, np.int16), AFFINE)
    arguments = ("evaluate", folders / "out", folders / "truth", "--organs", "Liver=1,<i>Spleen=2,Heart=3")
    report = folders / "report.html"
    done = medseg(*arguments, "--report", report, "--images", folders / "ct")
    assert done.code == 0, done.err
    assert f"report: {report}" in done.out
    page = report.read_text()
    assert "<i>" not in page
    assert page.count("data:image/png") == 3 * 4, "three planes of each organ that a side has; no heart"
    assert page.index("<summary><b>b</b>") < page.index("<summary><b>a</b>"), "the worst first"
    assert "not found</p>" in page
    assert "Pictures of the" not in page, "all cases are shown"
    assert "&lt;i&gt;Spleen, coronal 2 of 8<" in page, "the file counts to the back, the page to the front"
    assert medseg(*arguments, "--report", report).code != 0, "it exists"

    save_nifti(folders / "ct" / "a.nii.gz", np.full((14, 8, 5), 40, np.int16), AFFINE)
    (folders / "ct" / "b.nii.gz").write_bytes(b"nothing")
    done = medseg(*arguments, "--report", report, "--images", folders / "ct", "--overwrite")
    assert done.code == 1
    assert "14 x 8 x 5 voxels, not 14 x 8 x 6" in done.err
    page = report.read_text()
    assert page.count("<b>Not shown:</b>") == 2
    assert page.count("data:image/png") == 12, "without the CT, the outlines all the same"


def test_links_of_the_report_lead_to_what_is_seen(medseg, tmp_path):
    labels = np.zeros((14, 8, 6), np.uint8)
    labels[2:9, 2:5, 1:4] = 1
    for stem in "abcd":
        save(tmp_path / "p" / f"{stem}.nii.gz", labels), save(tmp_path / "r" / f"{stem}.nii.gz", labels)
    page = tmp_path / "report.html"
    done = medseg("evaluate", tmp_path / "p", tmp_path / "r", "--organs", "labels", "--report", page)
    assert done.code == 0, done.err
    links = re.findall('href="#(.*?)"', page.read_text())
    assert [f'<details id="{link}" open>' in page.read_text() for link in links] == 4 * [True]


def test_the_report_of_many_organs_stays_small(medseg, tmp_path):
    labels = np.zeros((14, 8, 6), np.uint8)
    labels[::2, ::4, ::3] = np.arange(1, 29).reshape(7, 2, 2)
    paths = save(tmp_path / "p.nii.gz", np.where(labels == 20, 0, labels)), save(tmp_path / "r.nii.gz", labels)
    done = medseg("evaluate", *paths, "--organs", "labels", "--report", tmp_path / "report.html")
    assert done.code == 0, done.err
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png") == 3 * 12
    assert "label 20, axial" in page, "the worst ones"
    assert page.count("<p><b>label ") == 28, "the scores of all"


def test_values_without_a_name_are_told_of_once(medseg, folders):
    for stem in "cdefg":
        save(folders / "out" / f"{stem}.nii.gz", organs()), save(folders / "truth" / f"{stem}.nii.gz", organs())
    done = medseg("evaluate", folders / "out", folders / "truth", "--organs", "Liver=1")
    assert "note: the values 2 have no name and are not scored (a, b, c, d, e and 2 more)\n" in done.out
    assert "Spleen" not in done.out
    pair = folders / "out" / "a_labels.nii.gz", folders / "truth" / "a.nii.gz"
    done = medseg("evaluate", *pair, "--organs", "Liver=1")
    assert "not scored (a)\n" in done.out, "though there is an a in the message"
    done = medseg("evaluate", folders / "out", folders / "truth", "--organs", "labels", "--tolerance-mm", 3)
    assert "surface Dice at 3 mm" in done.out
    assert "label 2" in done.out


def test_other_formats_and_whole_floats(medseg, tmp_path):
    image = sitk.GetImageFromArray(organs().T)
    image.SetSpacing((3, 1, 2))
    sitk.WriteImage(image, tmp_path / "p.mha")
    sitk.WriteImage(sitk.Cast(image, sitk.sitkFloat32), tmp_path / "r.mha")
    done = medseg("evaluate", tmp_path / "p.mha", tmp_path / "r.mha", "--organs", "Liver=1")
    assert done.code == 0, done.err
    assert "Liver       1.000         1.000      0.0" in done.out


def test_one_bad_case_is_named_and_the_other_scored(medseg, folders):
    save(folders / "out" / "c_labels.nii.gz", organs(), np.diag([-3.0, -1.0, 2.5, 1.0]))
    save(folders / "truth" / "c.nii.gz", organs())
    done = medseg("evaluate", folders / "out", folders / "truth", "--organs", "labels")
    assert done.code == 1
    assert "c_labels.nii.gz does not lie where" in done.err
    assert "c.nii.gz lies: its corners are up to 2.5 mm beside; nothing is resampled" in done.err
    assert "label 1" in done.out


SHEARED = AFFINE + np.array([[0, 0.3, 0, 0], *[[0] * 4] * 3])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: save(p, organs()[:-1]), "it has 13 x 8 x 6 voxels, not 14 x 8 x 6"),
        (lambda p: save(p, organs(), np.diag([3.0, 1.0, 2.0, 1.0])), "it is stored as RAS, not as LPS"),
        (lambda p: save_nifti(p, organs() / np.float32(2), AFFINE), "its values are not whole"),
        (lambda p: save_nifti(p, -organs().astype(np.int16), AFFINE), "values from -2 to 0"),
        (lambda p: save_nifti(p, organs()[..., None].repeat(2, axis=3), AFFINE), "holds 2 volumes"),
        (lambda p: p.write_bytes(b"no volume") and p, "cannot be read as NIfTI"),
    ],
)
def test_bad_volumes(medseg, tmp_path, make, message):
    prediction, reference = make(tmp_path / "p.nii.gz"), save(tmp_path / "r.nii.gz", organs())
    done = medseg("evaluate", prediction, reference, "--organs", "Liver=1")
    assert done.code != 0
    assert message in done.err
    assert "p.nii.gz" in done.err


def test_bad_arguments(medseg, folders, tmp_path):
    two = folders / "out", folders / "truth"

    def error(*arguments):
        done = medseg("evaluate", *arguments)
        assert done.code != 0
        return done.err

    assert "--organs" in error(*two)
    assert "--organs" in error(two[0], two[1] / "a.nii.gz")
    assert "--organs" in error(two[0] / "a_labels.nii.gz", two[1] / "a.nii.gz")
    assert "no bundle" in error(*two, "--organs", "liver")
    assert "no volume holds the values 7" in error(*two, "--organs", "Liver=7")
    assert "--tolerance-mm is for organs" in error(*two, "--tolerance-mm", 1)
    assert "a tolerance of inf mm" in error(*two, "--organs", "labels", "--tolerance-mm", "inf")
    assert "--errors is for images" in error(*two, "--organs", "labels", "--errors", tmp_path / "e.csv")
    assert "no prediction for 1 reference" in error(
        two[0], save(two[1] / "z.nii.gz", organs()).parent, "--organs", "labels"
    )
    sheared = [save(tmp_path / f"{name}.nii.gz", organs(), SHEARED) for name in "pr"]
    assert "not at right angles" in error(*sheared, "--organs", "labels")


def test_a_voxel_size_in_metres_is_told(medseg, tmp_path):
    """All surfaces lie within 2 mm of each other then."""
    pair = [save(tmp_path / f"{name}.nii.gz", organs(k), AFFINE / 1000) for k, name in enumerate("pr")]
    done = medseg("evaluate", *pair, "--organs", "labels")
    assert done.code == 0, done.err
    assert f"note: {pair[1]}: 0.042 x 0.008 x 0.012 mm large" in done.out.replace("\n", " ")


def test_a_voxel_size_that_may_be_in_cm_is_told(medseg, tmp_path):
    labels = np.zeros((140, 8, 6), np.uint8)
    labels[20:90, 2:5, 1:4] = 1
    path = save(tmp_path / "r.nii.gz", labels, AFFINE / 10)
    done = medseg("evaluate", save(tmp_path / "p.nii.gz", labels, AFFINE / 10), path, "--organs", "labels")
    assert f"note: {path}: 42 x 0.8 x 1.2 mm large" in done.out
    assert "in mm, not in cm?" in done.out
