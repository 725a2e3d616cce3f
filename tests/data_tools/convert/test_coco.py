"""COCO annotations become the label image that drawing them by hand gives, and a label image becomes them."""

import json

import numpy as np
import pytest
from drawn_squares import IMAGE, square

from data_tools.convert.build import build_dataset
from data_tools.convert.coco import coco_annotations, dataset_to_coco, write_coco
from data_tools.convert.pairs import image_label_pairs
from data_tools.layout import Dataset, Description, Entry
from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels
from medseg.kernels.run_lengths import encode_runs, encode_string


def read_one(sources):
    assert len(sources) == 1
    return sources[0].read()


def coco(segmentation, **more):
    return {
        "images": [{"id": 7, "file_name": "a.tif", "height": 6, "width": 8}],
        "annotations": [{"id": 1, "image_id": 7, "segmentation": segmentation, **more}],
    }


def coco_sample(tmp_path, content):
    write_image(tmp_path / "a.tif", IMAGE)
    (tmp_path / "c.json").write_text(json.dumps(content))
    return read_one(coco_annotations(tmp_path / "c.json", tmp_path))


def test_polygon_covers_the_pixels_between_its_grid_lines(tmp_path):
    sample = coco_sample(tmp_path, coco([[1, 2, 4, 2, 4, 5, 1, 5]]))  # x 1..4, y 2..5
    expected = np.zeros((6, 8), int)
    expected[2:5, 1:4] = 1
    np.testing.assert_array_equal(sample.labels, expected)


def test_runs_plain_and_compressed(tmp_path):
    mask = square(1, 3, 3) > 0
    for counts in (encode_runs(mask), encode_string(encode_runs(mask))):
        folder = tmp_path / str(type(counts).__name__)
        folder.mkdir()
        np.testing.assert_array_equal(coco_sample(folder, coco({"size": [6, 8], "counts": counts})).labels, mask)


def test_a_file_as_windows_programs_save_it(tmp_path):
    write_image(tmp_path / "a.tif", IMAGE)
    (tmp_path / "c.json").write_text(json.dumps(coco([[1, 2, 4, 2, 4, 5]])), "utf-8-sig")
    assert read_one(coco_annotations(tmp_path / "c.json", tmp_path)).labels.any()


def test_crowds_are_background(tmp_path):
    assert coco_sample(tmp_path, coco([[1, 2, 4, 2, 4, 5]], iscrowd=1)).labels.max() == 0


@pytest.mark.parametrize(
    "segmentation",
    [
        None,
        {"size": [6, 8], "counts": [3]},
        {"size": [8, 6], "counts": [0, 48]},
        {"size": [6, 8], "counts": "o" * 20 + "0"},  # beyond int64
        [[1, 2, 3]],
        {},
    ],
)
def test_unreadable_segmentations(tmp_path, segmentation):
    with pytest.raises(InputError, match="annotation 1 has a segmentation that cannot be read"):
        coco_sample(tmp_path, coco(segmentation))


def test_coco_names_with_the_slashes_of_windows(tmp_path):
    for folder in ("a", "b"):
        write_image(tmp_path / folder / "x.tif", IMAGE)
    images = [{"id": k, "file_name": f"{folder}\\x.tif"} for k, folder in enumerate("ab")]
    (tmp_path / "c.json").write_text(json.dumps({"images": images, "annotations": []}))
    sources = coco_annotations(tmp_path / "c.json", tmp_path)
    assert [source.name for source in sources] == ["a_x", "b_x"]
    assert all((source.read().image == IMAGE).all() for source in sources)


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\x.tif", "C:x.tif", "/x.tif", ""])
def test_coco_names_that_lead_out(tmp_path, name):
    content = coco([])
    content["images"][0]["file_name"] = name
    with pytest.raises(InputError, match="expected one inside"):
        coco_sample(tmp_path, content)


def test_what_is_written_of_each_image_and_object(tmp_path):
    labels = np.zeros(IMAGE.shape, np.uint8)
    labels[1:3, 2:7], labels[4, 0] = 9, 5
    for stem, written in (("a", labels), ("b", square(0, 0))):
        write_image(tmp_path / f"d/images/{stem}.tif", IMAGE)
        write_labels(tmp_path / f"d/labels/{stem}.tif", written)
    description = Description(classes={"0": "background", "1": "cell"})
    content = dataset_to_coco(build_dataset(tmp_path / "o", image_label_pairs(tmp_path / "d"), description).dataset)
    shape = {"height": 6, "width": 8, "subset": "training"}
    assert content["images"] == [{"id": k, "file_name": f"images/{n}.tif"} | shape for k, n in ((1, "a"), (2, "b"))]
    assert content["categories"] == [{"id": 1, "name": "cell"}]
    written = [(a["id"], a["image_id"], a["category_id"], a["area"], a["bbox"]) for a in content["annotations"]]
    assert written == [(1, 1, 1, 1, [0, 4, 1, 1]), (2, 1, 1, 10, [2, 1, 5, 2]), (3, 2, 1, 4, [0, 0, 2, 2])]


def test_layout_to_coco_and_back(tmp_path):
    labels = square(0, 0, value=5) + square(3, 4, 3, value=9)
    write_image(tmp_path / "d/images/a.tif", IMAGE)
    write_labels(tmp_path / "d/labels/a.tif", labels)
    dataset = build_dataset(tmp_path / "o", image_label_pairs(tmp_path / "d"), Description()).dataset
    (tmp_path / "c.json").write_text(json.dumps(dataset_to_coco(dataset)))
    back = read_one(coco_annotations(tmp_path / "c.json", tmp_path / "o"))
    np.testing.assert_array_equal(back.labels, (labels == 5) + 2 * (labels == 9))


def test_stacks_are_refused_and_a_file_that_exists_stays(tmp_path):
    write_labels(tmp_path / "labels/a.tif", np.ones((3, 4, 5), np.uint8), Geometry("ZYX"))
    dataset = Dataset(tmp_path, Description(), (Entry("images/a.tif", "labels/a.tif"),))
    with pytest.raises(InputError, match=r"labels/a\.tif: COCO holds 2D images, this one has shape \(3, 4, 5\)"):
        write_coco(dataset, tmp_path / "c.json")
    (tmp_path / "c.json").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_coco(dataset, tmp_path / "c.json")
    assert (tmp_path / "c.json").read_text() == "mine"
