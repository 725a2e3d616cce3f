"""Each thing that can be wrong with a label image of objects is planted once and found."""

import numpy as np
import pytest
from checked_folder import SAMPLES, codes, entry, labels_of, split

from data_tools.check.labels import check_instances
from data_tools.check.run import check_dataset
from medseg.io import Geometry, write_image, write_labels


def test_empty_labels(folder):
    labels_of(folder, 0, np.zeros((128, 128), np.uint8))
    assert ("empty_labels", "labels/0.tif") in codes(folder)
    assert check_dataset(folder).ok
    for number in range(4):
        labels_of(folder, number, np.zeros((128, 128), np.uint8))
    assert ("no_objects", "") in codes(folder)


def test_a_mask_is_no_instance_image(folder):
    labels_of(folder, 0, (SAMPLES[0].labels > 0) * np.uint8(255))
    assert ("mask_not_instances", "labels/0.tif") in codes(folder)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_image_in_place_of_its_labels(folder, dtype):
    gray = SAMPLES[0].image.astype(dtype)
    if dtype == np.uint16:
        gray = gray * dtype(100) + np.random.default_rng(0).integers(0, 100, gray.shape, dtype)
    labels_of(folder, 0, gray)
    (finding,) = (f for f in check_dataset(folder).findings if f.level == "error")
    assert (finding.code, finding.file) == ("wrong_ids", "labels/0.tif")
    assert "are the image and its labels exchanged?" in finding.message


def test_many_small_objects_are_no_gray_image():
    labels = np.zeros((200, 200), np.uint16)
    labels[::3, ::3] = np.arange(67 * 67).reshape(67, 67)
    assert not list(check_instances("f", labels))


@pytest.mark.parametrize("limit", [255, 65535])
def test_clipped_ids(folder, limit):
    labels = np.zeros((128, 128), np.int64)
    labels[::3, ::3] = np.minimum(np.arange(43 * 43).reshape(43, 43) + limit - 200, limit)
    labels_of(folder, 0, labels)
    assert ("clipped_labels", "labels/0.tif") in codes(folder)


def test_an_id_of_255_alone_is_no_clipping(folder):
    labels = SAMPLES[0].labels.copy()
    labels[labels == 1] = 255
    labels_of(folder, 0, labels)
    assert codes(folder) == [("no_validation", "")]


def test_objects_in_pieces(folder):
    labels = SAMPLES[0].labels.copy()
    labels[labels == 2] = 1
    labels_of(folder, 0, labels)
    finding = next(f for f in check_dataset(folder).findings if f.code == "several_pieces")
    assert "1 of" in finding.message
    assert "(ids 1)" in finding.message


def test_only_the_listed_sections_are_looked_at(tmp_path):
    labels = np.zeros((5, 40, 40), np.uint8)
    labels[:4, 2:30, 2:12], labels[:4, 2:30, 20:34] = 1, 2
    labels[4, 36:, 36:] = 1
    image = np.random.default_rng(0).normal(60, 5, labels.shape) + 90 * (labels > 0)
    write_image(tmp_path / "images/0.tif", image.astype(np.uint8), Geometry("ZYX"))
    write_labels(tmp_path / "labels/0.tif", labels, Geometry("ZYX"))
    split(tmp_path, [entry(0, sections=(0, 4))], [])
    assert codes(tmp_path) == [("no_validation", "")]
    split(tmp_path, [entry(0)], [])
    assert ("several_pieces", "labels/0.tif") in codes(tmp_path)


def test_pixels_that_touch_at_a_corner_are_one_piece():
    assert not list(check_instances("f", np.eye(5, dtype=int) * 3 + np.eye(5, k=4, dtype=int) * 7))


@pytest.mark.parametrize("cells", [1, 2])
def test_an_id_stands_for_an_object_through_all_times(tmp_path, cells):
    labels = np.zeros((3, 6, 64, 64), np.uint16)
    labels[:, 1:3, 4:20, 4:20] = 1
    labels[:, 1:3, 30:60, 30:60] = 2 if cells == 2 else 0
    image = np.random.default_rng(0).normal(40, 5, labels.shape).clip(0).astype(np.uint8) + (labels > 0) * np.uint8(90)
    write_image(tmp_path / "images" / "a.tif", image, Geometry("TZYX"))
    write_labels(tmp_path / "labels" / "a.tif", labels, Geometry("TZYX"))
    assert codes(tmp_path) == [("no_validation", "")]
    labels[2, 4:, 40:44, 4:8] = 1
    write_labels(tmp_path / "labels" / "a.tif", labels, Geometry("TZYX"), overwrite=True)
    assert ("several_pieces" if cells == 2 else "mask_not_instances", "labels/a.tif") in codes(tmp_path)
