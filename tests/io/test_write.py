import logging

import numpy as np
import pytest

from medseg.errors import InputError
from medseg.io import Geometry, read_image, read_labels, write_image, write_labels


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_labels_are_uint16_whatever_they_came_as(tmp_path, dtype):
    labels = np.array([[0, 1], [1, 0]]).astype(dtype)
    write_labels(tmp_path / "x.tif", labels)
    back, geometry = read_labels(tmp_path / "x.tif")
    assert back.dtype == np.uint16
    assert geometry.axes == "YX"
    np.testing.assert_array_equal(back, labels)


@pytest.mark.parametrize(
    ("highest", "dtype", "notices"), [(65535, np.uint16, 0), (65536, np.uint32, 1), (2**32 - 1, np.uint32, 1)]
)
def test_large_ids_become_uint32_with_a_notice_and_are_never_clipped(tmp_path, caplog, highest, dtype, notices):
    labels = np.array([[0, 7], [highest - 1, highest]], np.int64)
    with caplog.at_level(logging.WARNING):
        write_labels(tmp_path / "x.tif", labels)
    back, _ = read_labels(tmp_path / "x.tif")
    assert back.dtype == dtype
    assert len(caplog.records) == notices
    np.testing.assert_array_equal(back, labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((2, 2), np.float32), "integers, not float32"),
        (np.array([[0, -1]]), "do not fit uint32"),
        (np.array([[0, 2**32]]), "do not fit uint32"),
    ],
)
def test_refuses_what_is_no_label_image(tmp_path, labels, message):
    with pytest.raises(InputError, match=message):
        write_labels(tmp_path / "x.tif", labels)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("axes", ["YX", "ZYX"])
def test_without_a_geometry_the_last_axes_are_zyx(tmp_path, axes):
    write_labels(tmp_path / "x.tif", np.ones((2, 3, 4)[-len(axes) :], np.uint8))
    assert read_labels(tmp_path / "x.tif")[1] == Geometry(axes)


def test_does_not_overwrite_unasked(tmp_path):
    path = tmp_path / "x.tif"
    write_labels(path, np.zeros((2, 2), np.uint8))
    before = path.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        write_labels(path, np.ones((2, 2), np.uint8))
    assert path.read_bytes() == before
    write_labels(path, np.ones((2, 2), np.uint8), overwrite=True)
    assert read_labels(path)[0].all()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_keeps_pixels(tmp_path, shape, dtype):
    array = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    write_image(tmp_path / "x.png", array, Geometry("YXC"[: len(shape)]))
    back, geometry = read_image(tmp_path / "x.png", axes="ZYX")  # for the other files of its folder
    assert (back.dtype, geometry) == (array.dtype, Geometry("YXC"[: len(shape)]))
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(
    ("name", "array", "axes", "message"),
    [
        ("x.png", np.zeros((2, 3, 4), np.uint8), "ZYX", "PNG holds one"),
        ("x.png", np.zeros((3, 4), np.float32), "YX", "PNG holds one"),
        ("x.png", np.zeros((3, 4, 2), np.uint8), "YXC", "gray or RGB"),
        ("x.png", np.zeros((3, 4, 4), np.uint8), "YXC", "gray or RGB"),
        ("x.jpg", np.zeros((3, 4), np.uint8), "YX", "unknown image suffix"),
        ("x.tif", np.zeros((3, 4), np.uint8), "ZYX", "do not fit the shape"),
        ("x.tif", np.zeros((3, 4), np.float16), "YX", "cannot hold pixels of type float16"),
        ("x.tif", np.zeros((3, 4), np.int64), "YX", "cannot hold pixels of type int64"),
    ],
)
def test_refuses_what_the_format_cannot_hold(tmp_path, name, array, axes, message):
    with pytest.raises(InputError, match=rf"{name}: .*{message}"):
        write_image(tmp_path / name, array, Geometry(axes))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.tif", "x.png"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, no_space_left, name):
    noise = np.random.default_rng(0).integers(0, 2**16, (200, 200)).astype(np.uint16)
    with no_space_left(), pytest.raises(OSError, match=r"File too large|No space"):
        write_image(tmp_path / name, noise)
    assert not list(tmp_path.iterdir())
