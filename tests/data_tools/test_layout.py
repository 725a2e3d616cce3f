"""The folder layout: read by json or by stems, written back the same, bad folders refused."""

import hashlib
import json
import os

import numpy as np
import pytest

from data_tools.layout import (
    Dataset,
    Description,
    Entry,
    pair_by_stem,
    read_dataset,
    with_checksums,
    write_dataset_json,
)
from medseg.errors import InputError
from medseg.io import training_items, write_image, write_labels

FILES = ("images/a.tif", "images/ü b.tif", "labels/a.tif", "labels/ü b.tif")


@pytest.fixture
def folder(tmp_path):
    for stem in ("a", "ü b"):
        write_image(tmp_path / "images" / f"{stem}.tif", np.ones((8, 9), np.uint8))
        write_labels(tmp_path / "labels" / f"{stem}.tif", np.ones((8, 9), np.uint8))
    return tmp_path


def test_pairs_by_stem_without_json(folder):
    dataset = read_dataset(folder)
    assert [e.image for e in dataset.training] == ["images/a.tif", "images/ü b.tif"]
    assert dataset.validation == ()


def test_round_trip(folder):
    description = Description("x", "EM", (50.0, 4.0, 4.0), "nm", "instances", {"0": "m", "1": "c"}, "CC0", "s")
    written = with_checksums(
        Dataset(
            folder,
            description,
            (Entry("images/a.tif", "labels/a.tif", "g", (0, 3), "kind"),),
            (Entry("images/ü b.tif", "labels/ü b.tif"),),
        )
    )
    write_dataset_json(written)
    assert read_dataset(folder) == written
    digests = {path: hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in FILES}
    assert written.checksums == {path: f"sha256:{digest}" for path, digest in digests.items()}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_as_notepad_and_powershell_save_it(folder, encoding):
    content = json.dumps({"training": [{"image": "images/ü b.tif", "label": "labels/ü b.tif"}]}, ensure_ascii=False)
    (folder / "dataset.json").write_text(content, encoding)
    assert [e.image for e in read_dataset(folder).training] == ["images/ü b.tif"]
    assert [i["image"] for i in training_items(folder, "training")] == [str(folder / "images/ü b.tif")]


def test_other_keys_are_kept(folder):
    content = {
        "label_kind": "instances",
        "citation": "x 2020",
        "training": [{"image": "images/a.tif", "label": "labels/a.tif", "fold": 2}],
        "validation": [],
        "test": [{"image": "images/ü b.tif", "label": "labels/ü b.tif"}],
        "checksums": {"images/ü b.tif": "sha256:0"},
    }
    path = folder / "dataset.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    write_dataset_json(with_checksums(read_dataset(folder)), overwrite=True)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert set(written["checksums"]) == {"images/a.tif", "labels/a.tif", "images/ü b.tif"}
    assert written == content | {"checksums": written["checksums"]}


@pytest.mark.parametrize(("group", "read"), [(None, ""), (0, "0"), ("A01", "A01")])
def test_no_group_is_no_name(folder, group, read):
    item = {"image": "images/a.tif", "label": "labels/a.tif", "group": group}
    (folder / "dataset.json").write_text(json.dumps({"training": [item], "validation": []}), encoding="utf-8")
    assert read_dataset(folder).training[0].group == read


def test_monai_reads_the_datalist(folder):
    load = pytest.importorskip("monai.data").load_decathlon_datalist
    path = write_dataset_json(read_dataset(folder))
    items = load(path, data_list_key="training", base_dir=folder)
    assert items[0]["image"] == str(folder / "images/a.tif")


def test_json_is_not_overwritten(folder):
    dataset = read_dataset(folder)
    write_dataset_json(dataset)
    with pytest.raises(InputError, match="exists already"):
        write_dataset_json(dataset)


def test_lonely_and_ambiguous_files(folder):
    write_image(folder / "images" / "c.png", np.ones((4, 4), np.uint8))
    assert pair_by_stem(folder)[1] == ["images/c.png"]
    with pytest.raises(InputError, match=r"without a partner .*images/c\.png"):
        read_dataset(folder)
    write_image(folder / "images" / "a.png", np.ones((4, 4), np.uint8))
    with pytest.raises(InputError, match="same stem 'a'"):
        read_dataset(folder)


def test_names_that_are_not_utf8(folder):
    for sub in ("images", "labels"):
        os.rename(folder / sub / "a.tif", folder / sub / "caf\udce9.tif")
    dataset = with_checksums(read_dataset(folder))
    write_dataset_json(dataset)
    assert read_dataset(folder) == dataset


def test_symlink_loops_are_no_images(folder):
    os.symlink("loop.tif", folder / "images" / "loop.tif")
    assert len(read_dataset(folder).training) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "lists no images"),
        ({"training": {}}, "training must be a list"),
        ({"training": [{"image": "images/a.tif"}]}, r"training\[0\] must be like"),
        ({"training": [{"image": "/etc/x.tif", "label": "labels/a.tif"}]}, "inside the folder"),
        ({"training": [{"image": "images/../../x.tif", "label": "l"}]}, "inside the folder"),
        ({"training": [{"image": "a", "label": "b", "sections": [3, 2]}]}, r"sections is \[3, 2\]"),
        ({"training": [{"image": "a", "label": "b", "sections": [0, True]}]}, "sections is"),
        ({"training": [{"image": "a", "label": "b"}], "spacing": [1, 0]}, "spacing is"),
        ({"training": [{"image": "a", "label": "b"}], "label_kind": "boxes"}, "label_kind is 'boxes'"),
        ({"training": [{"image": "a", "label": "b"}], "checksums": []}, "checksums must"),
    ],
)
def test_unusable_json(folder, content, message):
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_dataset(folder)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_dataset(tmp_path / "x")
    with pytest.raises(InputError, match="no folder images/"):
        read_dataset(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    with pytest.raises(InputError, match="holds no images"):
        read_dataset(tmp_path)
