import json

import numpy as np
import pytest
import tifffile

from medseg.errors import InputError
from medseg.io import training_items, volume_items, write_image, write_labels
from medseg.io.datalist import count_sections


def add(folder, stem: str, shape=(4, 5), suffix=".tif", sub=("images", "labels")):
    for name in sub:
        (write_image if name == "images" else write_labels)(
            folder / name / f"{stem}{suffix}", np.zeros(shape, np.uint8)
        )


def brief(items):
    return [(item["image"].rsplit("/", 1)[1].split(".")[0], item["section"]) for item in items]


def test_every_fifth_file_is_for_validation_in_natural_order(tmp_path):
    for k in range(1, 12):
        add(tmp_path, f"s{k}")
    assert brief(training_items(tmp_path, "validation")) == [("s5", -1), ("s10", -1)]
    training = brief(training_items(tmp_path, "training"))
    assert training == [(f"s{k}", -1) for k in (1, 2, 3, 4, 6, 7, 8, 9, 11)]


def test_of_few_files_the_last_is_for_validation(tmp_path):
    add(tmp_path, "a")
    add(tmp_path, "b", (3, 4, 5))
    assert brief(training_items(tmp_path, "training")) == [("a", -1)]
    assert brief(training_items(tmp_path, "validation")) == [("b", 0), ("b", 1), ("b", 2)]


def test_of_one_stack_the_last_fifth_is_for_validation(tmp_path):
    add(tmp_path, "stack", (10, 4, 5))
    assert brief(training_items(tmp_path, "training")) == [("stack", k) for k in range(8)]
    assert brief(training_items(tmp_path, "validation")) == [("stack", 8), ("stack", 9)]


def test_images_and_labels_of_other_suffixes_match(tmp_path):
    for stem in "ab":
        add(tmp_path, stem, suffix=".png", sub=["images"])
        add(tmp_path, stem, suffix=".ome.tif", sub=["labels"])
    (item,) = training_items(tmp_path, "training")
    assert item == {
        "image": str(tmp_path / "images/a.png"),
        "label": str(tmp_path / "labels/a.ome.tif"),
        "section": -1,
        "group": "",
        "stratum": "",
    }


def test_groups_and_strata_of_the_split(tmp_path):
    for stem in "ab":
        add(tmp_path, stem)
    entries = [{"image": f"images/{s}.tif", "label": f"labels/{s}.tif"} for s in "ab"]
    entries[0] |= {"group": "well A01", "stratum": "drug"}
    entries[1] |= {"group": None}
    (tmp_path / "dataset.json").write_text(json.dumps({"training": entries, "validation": entries[:1]}))
    items = training_items(tmp_path, "training")
    assert [(i["group"], i["stratum"]) for i in items] == [("well A01", "drug"), ("", "")]


def test_a_split_with_sections(tmp_path):
    add(tmp_path, "stack", (6, 4, 5))
    add(tmp_path, "flat")
    entry = {"image": "images/stack.tif", "label": "labels/stack.tif"}
    flat = {"image": "images/flat.tif", "label": "labels/flat.tif"}
    split = {"training": [entry | {"sections": [1, 3]}, flat], "validation": [entry | {"sections": [4, 6]}]}
    (tmp_path / "dataset.json").write_text(json.dumps(split))
    assert brief(training_items(tmp_path, "training")) == [("stack", 1), ("stack", 2), ("flat", -1)]
    assert brief(training_items(tmp_path, "validation")) == [("stack", 4), ("stack", 5)]
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"training": [entry], "validation": [flat]}))
    assert len(training_items(tmp_path, "training", split_file=other)) == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "is not valid JSON"),
        ("[]", "must be a JSON object"),
        ('{"validation": []}', "has no list 'training'"),
        ('{"training": null}', "has no list"),
        ('{"training": ["images/a.tif"]}', "needs 'image' and 'label'"),
        ('{"training": [{"image": "images/a.tif"}]}', "needs 'image' and 'label'"),
        ('{"training": []}', "no training images"),
        ('{"training": [{"image": "images/a.tif", "label": "labels/gone.tif"}]}', "gone.tif: named in the split"),
        ('{"training": [{"image": "images/a.tif", "label": "labels/a.tif", "sections": [2, 9]}]}', "not among its 3"),
        ('{"training": [{"image": "images/a.tif", "label": "labels/a.tif", "sections": "all"}]}', "is \\[start, stop"),
    ],
)
def test_refuses_a_split_that_cannot_be_used(tmp_path, content, message):
    add(tmp_path, "a", (3, 4, 5))
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(InputError, match=message):
        training_items(tmp_path, "training")


def test_refuses_a_folder_that_cannot_be_used(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        training_items(tmp_path / "gone", "training")
    with pytest.raises(InputError, match=r"images: no such file or folder"):
        training_items(tmp_path, "training")
    add(tmp_path, "a")
    with pytest.raises(InputError, match="no validation images"):
        training_items(tmp_path, "validation")
    with pytest.raises(InputError, match="'training' or 'validation'"):
        training_items(tmp_path, "test")


@pytest.mark.parametrize(("lonely", "where"), [("images", "labels"), ("labels", "images")])
def test_refuses_stems_without_a_partner(tmp_path, lonely, where):
    add(tmp_path, "a")
    add(tmp_path, "b", sub=[lonely])
    with pytest.raises(InputError, match=rf"no file of the stem 'b' in {where}/ \(1 stems"):
        training_items(tmp_path, "training")


def test_refuses_two_images_of_one_stem(tmp_path):
    add(tmp_path, "a")
    add(tmp_path, "a", suffix=".png", sub=["images"])
    with pytest.raises(InputError, match="same stem"):
        training_items(tmp_path, "training")


def test_count_sections(tmp_path):
    for name, shape, options, count in (
        ("flat", (4, 5), {}, 1),
        ("pages", (7, 4, 5), {"metadata": None}, 7),
        ("time", (2, 3, 4, 5), {"imagej": True, "metadata": {"axes": "TZYX"}}, 6),
        ("channels", (2, 3, 4, 5), {"imagej": True, "metadata": {"axes": "ZCYX"}}, 2),
    ):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.zeros(shape, np.uint8), photometric="minisblack", **options)
        assert count_sections(tmp_path / f"{name}.tif") == count
    content = (tmp_path / "pages.tif").read_bytes()
    for end in range(0, 40):
        (tmp_path / "cut.tif").write_bytes(content[:end])
        with pytest.raises(InputError, match=r"cut\.tif"):
            count_sections(tmp_path / "cut.tif")


def test_a_series_of_volumes_is_no_volume(tmp_path):
    for sub in ("images", "labels"):
        for stem in "ab":
            (tmp_path / sub).mkdir(exist_ok=True)
            path = tmp_path / sub / f"{stem}.tif"
            tifffile.imwrite(path, np.zeros((2, 3, 4, 5), np.uint8), imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(InputError, match=r"a\.tif: holds several volumes \(axes TZYX\); save each"):
        volume_items(tmp_path, "training")
    assert len(training_items(tmp_path, "training")) == 6


def test_channels_of_unstated_meaning_are_no_sections(tmp_path):
    for stem in "ab":
        add(tmp_path, stem)
        tifffile.imwrite(tmp_path / f"images/{stem}.tif", np.zeros((3, 40, 50), np.uint8), photometric="minisblack")
    assert brief(training_items(tmp_path, "training")) == [("a", -1)]


def test_volumes_are_whole(tmp_path):
    for k in range(3):
        add(tmp_path, f"v{k}", (3, 4, 5))
    assert brief(volume_items(tmp_path, "training")) == [("v0", -1), ("v1", -1)]
    assert brief(volume_items(tmp_path, "validation")) == [("v2", -1)]


def test_parts_of_a_volume_are_refused(tmp_path):
    add(tmp_path, "v", (10, 4, 5))
    with pytest.raises(InputError, match="8 of its sections are for training"):
        volume_items(tmp_path, "training")
