"""Each thing that can be wrong with a folder is planted once and found; a good folder has no findings."""

import json
import os

import imagecodecs
import numpy as np
import pytest
import tifffile
from checked_folder import SAMPLES, codes, entry, labels_of, split
from nifti_file import save_nifti

from data_tools.check.run import check_dataset
from data_tools.layout import Dataset, Description, Entry, read_dataset, with_checksums, write_dataset_json
from data_tools.split import split_sections
from data_tools.synth.em import em_sections
from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels


def test_a_good_folder_has_no_findings(folder):
    split(folder, [entry(0), entry(1), entry(2)], [entry(3)])
    report = check_dataset(folder)
    assert report.findings == ()
    assert report.ok
    assert report.summary["training"] == 3
    assert report.summary["objects"]["validation"] == SAMPLES[3].labels.max()
    json.dumps(report.to_json())


def test_unsplit_folder(folder):
    assert codes(folder) == [("no_validation", "")]
    split(folder, [], [entry(0)])
    assert codes(folder) == [("no_training", "")]


def test_lists_of_another_file(folder, tmp_path):
    split(folder, [entry(0)], [entry(0)], Description(label_kind="classes", classes={"1": "nucleus"}))
    one, two, three = ({"image": f"images/{k}.tif", "label": f"labels/{k}.tif"} for k in (0, 1, 3))
    other = tmp_path / "split.json"
    other.write_text(json.dumps({"training": [one, two], "validation": [three], "label_kind": "instances"}))
    report = check_dataset(folder, split_file=other)
    assert report.findings == ()
    assert (report.summary["training"], report.summary["validation"]) == (2, 1)
    other.write_text(json.dumps({"training": [one]}))  # the folder's own lists are not mixed in
    assert check_dataset(folder, split_file=other).summary["validation"] == 0
    with pytest.raises(InputError, match=r"gone\.json: no such file"):
        check_dataset(folder, split_file=tmp_path / "gone.json")


def test_images_may_be_jpeg_and_labels_may_not(folder):
    for kind, number in (("images", 0), ("labels", 1)):
        os.remove(folder / f"{kind}/{number}.tif")
        picture = imagecodecs.jpeg8_encode(SAMPLES[number].image.astype(np.uint8), level=95)
        (folder / f"{kind}/{number}.jpg").write_bytes(picture)
    assert codes(folder) == [("wrong_ids", "labels/1.jpg"), ("no_validation", "")]


def test_progress(folder):
    seen = []
    check_dataset(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 4) for i in (1, 2, 3, 4)]


def test_missing_partner(folder):
    os.remove(folder / "labels/2.tif")
    assert ("no_partner", "images/2.tif") in codes(folder)
    assert not check_dataset(folder).ok


def test_unreadable_and_nan(folder):
    (folder / "images/0.tif").write_bytes((folder / "images/0.tif").read_bytes()[:3000])
    tifffile.imwrite(folder / "images/1.tif", np.full((128, 128), np.nan, np.float32))
    tifffile.imwrite(folder / "labels/2.tif", np.full((128, 128), 0.5, np.float32))
    tifffile.imwrite(folder / "labels/3.tif", np.full((128, 128), -1, np.int16))
    found = codes(folder)
    assert found[:4] == [
        ("nan", "images/1.tif"),
        ("unreadable", "images/0.tif"),
        ("wrong_ids", "labels/2.tif"),
        ("wrong_ids", "labels/3.tif"),
    ]


def test_constant_and_saturated_images(folder):
    write_image(folder / "images/0.tif", np.full((128, 128), 7, np.uint8), overwrite=True)
    bright = np.where(SAMPLES[1].image > 150, 255, SAMPLES[1].image).astype(np.uint8)
    write_image(folder / "images/1.tif", bright, overwrite=True)
    assert {("constant_image", "images/0.tif"), ("saturated_image", "images/1.tif")} <= set(codes(folder))


def test_shapes(folder):
    labels_of(folder, 0, SAMPLES[0].labels[:100])
    assert ("shape_mismatch", "labels/0.tif") in codes(folder)


@pytest.mark.parametrize("change", [np.flipud, np.transpose])
def test_flipped_labels(folder, change):
    labels_of(folder, 0, np.ascontiguousarray(change(SAMPLES[0].labels)))
    assert ("flipped", "labels/0.tif") in codes(folder)


def test_how_far_misaligned_labels_are_to_be_moved(folder):
    labels_of(folder, 0, np.roll(SAMPLES[0].labels, (8, -6), (0, 1)))
    (message,) = [f.message for f in check_dataset(folder).findings if f.code == "misaligned"]
    assert "moved by -8 px down and 6 px right" in message


def test_spacing(folder):
    write_image(folder / "images/0.tif", SAMPLES[0].image, Geometry("YX", (0.5, 0.5), "um"), overwrite=True)
    write_labels(folder / "labels/0.tif", SAMPLES[0].labels, Geometry("YX", (0.4, 0.4), "um"), overwrite=True)
    split(folder, [entry(0), entry(1)], [entry(3)], Description(spacing=(400, 400), unit="nm"))
    assert codes(folder) == [("spacing_mismatch", "labels/0.tif"), ("spacing_not_as_declared", "images/0.tif")]
    split(folder, [entry(0), entry(1)], [entry(3)], Description(spacing=(400, 400)))  # of what?
    assert codes(folder) == [("spacing_mismatch", "labels/0.tif")]


def test_mixed_types_dimensions_and_channels(folder):
    write_image(folder / "images/0.tif", SAMPLES[0].image.astype(np.uint16), overwrite=True)
    os.remove(folder / "images/1.tif")
    write_image(folder / "images/1.png", np.stack([SAMPLES[1].image] * 3, axis=-1), Geometry("YXC"))
    stack = em_sections((6, 64, 64), 9)
    write_image(folder / "images/2.tif", stack.image, overwrite=True)
    labels_of(folder, 2, stack.labels)
    found = dict(codes(folder))
    assert found["mixed_dtypes"] == "images/0.tif"
    assert found["mixed_channels"] == "images/1.png"
    assert found["mixed_axes"] == "images/2.tif"


def nifti(path, array, diagonal=(-2, -2, 2), shift=0.0):
    affine = np.diag([*diagonal, 1.0]).astype(float)
    affine[0, 3] = shift
    save_nifti(path, array, affine)


def test_affines_orientations_and_classes(tmp_path):
    volume = np.random.default_rng(0).normal(0, 100, (6, 20, 20, 20)).astype(np.int16)
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[5:9, 5:9, 5:9] = 1
    for number in range(3):
        nifti(tmp_path / f"images/{number}.nii.gz", volume[number])
    nifti(tmp_path / "images/3.nii.gz", volume[3], (2, -2, 2))
    nifti(tmp_path / "labels/0.nii.gz", labels, shift=5)
    nifti(tmp_path / "labels/1.nii.gz", labels, (2, -2, 2))
    nifti(tmp_path / "labels/2.nii.gz", labels * 9)
    nifti(tmp_path / "labels/3.nii.gz", labels, (2, -2, 2))
    pairs = [Entry(f"images/{n}.nii.gz", f"labels/{n}.nii.gz") for n in range(4)]
    description = Description(label_kind="classes", classes={"0": "background", "1": "liver", "2": "spleen"})
    split(tmp_path, pairs[:3], pairs[3:], description)
    assert [c for c in codes(tmp_path) if c[0] != "class_missing"] == [
        ("affine_mismatch", "labels/0.nii.gz"),
        ("orientation_mismatch", "labels/1.nii.gz"),
        ("unknown_class", "labels/2.nii.gz"),
        ("mixed_orientations", "images/3.nii.gz"),
    ]
    missing = [f.message for f in check_dataset(tmp_path).findings if f.code == "class_missing"]
    assert any("class 2 (spleen) does not occur in validation" in m for m in missing)


def test_duplicates_and_groups_across_the_split(folder):
    write_image(folder / "images/4.tif", SAMPLES[0].image)
    write_labels(folder / "labels/4.tif", SAMPLES[0].labels)
    brighter = np.clip(SAMPLES[1].image.astype(int) + 20, 0, 255).astype(np.uint8)
    write_image(folder / "images/5.tif", brighter)
    write_labels(folder / "labels/5.tif", SAMPLES[1].labels)
    split(folder, [entry(0), entry(1), entry(2, group="g")], [entry(3, group="g"), entry(4), entry(5)])
    assert codes(folder) == [
        ("duplicate_across_split", "images/0.tif"),
        ("group_in_both_subsets", "images/2.tif"),
        ("duplicate_across_split", "images/1.tif"),
    ]
    split(folder, [entry(n) for n in (0, 1, 2, 4)], [entry(3)])
    assert codes(folder) == [("duplicate", "images/0.tif")]


def test_sections_of_one_stack(tmp_path):
    stack = em_sections((6, 64, 64), 1)
    write_image(tmp_path / "images/0.tif", stack.image)
    write_labels(tmp_path / "labels/0.tif", stack.labels)
    split(tmp_path, [entry(0, sections=(0, 4), group="s")], [entry(0, sections=(4, 6), group="s")])
    assert codes(tmp_path) == [("stack_in_both_subsets", "images/0.tif")]
    halves = [entry(0, sections=(0, 4), group="s"), entry(1, group="s")], [entry(0, sections=(4, 6), group="s")]
    split(tmp_path, *halves)
    assert ("group_in_both_subsets", "images/0.tif") in codes(tmp_path)  # another image of it is on one side only
    split(tmp_path, [entry(0, sections=(0, 5))], [entry(0, sections=(4, 7))])
    assert codes(tmp_path)[:2] == [
        ("sections_in_both_subsets", "images/0.tif"),
        ("sections_outside", "images/0.tif"),
    ]
    split(tmp_path, [entry(0)], [entry(0)])
    assert {c for c, _ in codes(tmp_path)} >= {"in_both_subsets", "sections_in_both_subsets"}


def test_listed_files(folder):
    dataset = with_checksums(Dataset(folder, Description(), (entry(0), entry(1)), (entry(3),)))
    write_dataset_json(dataset)
    os.remove(folder / "labels/1.tif")
    labels_of(folder, 3, SAMPLES[3].labels[::-1].copy())
    found = dict(codes(folder))
    assert (found["missing_file"], found.get("unreadable")) == ("labels/1.tif", None)
    assert found["changed_file"] == "labels/3.tif"


def test_names(folder):
    os.symlink("loop.tif", folder / "images/loop.tif")
    write_image(folder / "images/A.tif", SAMPLES[0].image)
    write_image(folder / "images/a.tif", SAMPLES[0].image)
    (folder / "labels/notes.txt").write_text("x")
    (folder / "labels/Thumbs.db").touch()
    (folder / "images/desktop.ini").touch()
    (folder / "images/more").mkdir()
    (folder / f"images/{'x' * 241}.tif").touch()
    found = dict(codes(folder))
    assert found["broken_link"] == "images/loop.tif"
    assert found["case_collision"] == "images/a.tif"
    assert [name for code, name in codes(folder) if code == "unknown_format"] == ["labels/notes.txt"]
    assert "long_name" in found
    assert found["subfolder"] == "images/more"


def test_folders_that_are_none(tmp_path):
    for path, message in ((tmp_path / "x", "no such folder"), (tmp_path, "no folder images/")):
        with pytest.raises(InputError, match=message):
            check_dataset(path)


def test_the_folder_is_not_changed(folder):
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    check_dataset(folder)
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before
    assert read_dataset(folder)


def test_times_of_sections_are_one_stack(tmp_path):
    image, labels = SAMPLES[0].image, SAMPLES[0].labels
    for name, plane in (("images", image), ("labels", labels)):
        stack = np.stack([plane, np.roll(plane, 1, 0), np.roll(plane, 2, 0)])
        write_image(tmp_path / name / "a.tif", np.stack([stack, stack]).astype(np.uint16), Geometry("TZYX"))
    dataset = split(tmp_path, [Entry("images/a.tif", "labels/a.tif", sections=(0, 5))], [])
    report = check_dataset(tmp_path)
    assert report.ok, report.findings
    (parted,) = {e.sections for e in split_sections(dataset, fraction=0.2).dataset.validation}
    assert parted == (4, 5)
