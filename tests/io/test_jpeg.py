import imagecodecs
import numpy as np
import pytest

from medseg.errors import InputError
from medseg.io import read_image, read_labels


def jpeg(path, shape):
    smooth = np.add.outer(np.arange(shape[0]), np.arange(shape[1])).astype(np.uint8)
    array = smooth if len(shape) == 2 else np.stack([smooth + 40 * c for c in range(shape[2])], axis=-1)
    path.write_bytes(imagecodecs.jpeg8_encode(array, level=95))
    return array


@pytest.mark.parametrize(("name", "shape", "axes"), [("x.jpg", (40, 32), "YX"), ("x.JPEG", (40, 32, 3), "YXC")])
def test_pixels_and_axes(tmp_path, name, shape, axes):
    array = jpeg(tmp_path / name, shape)
    back, geometry = read_image(tmp_path / name)
    assert (geometry.axes, back.dtype, back.shape) == (axes, np.uint8, shape)
    assert np.abs(back.astype(int) - array).mean() < 3


def test_cut_off_anywhere_is_an_error(tmp_path):
    jpeg(tmp_path / "x.jpg", (40, 32))
    content = (tmp_path / "x.jpg").read_bytes()
    for end in range(len(content)):
        (tmp_path / "x.jpg").write_bytes(content[:end])
        with pytest.raises(InputError, match=r"x\.jpg: cannot be read as JPEG"):
            read_image(tmp_path / "x.jpg")


def test_bytes_behind_the_end_do_no_harm(tmp_path):
    jpeg(tmp_path / "x.jpg", (40, 32))
    whole = read_image(tmp_path / "x.jpg")[0]
    (tmp_path / "x.jpg").write_bytes((tmp_path / "x.jpg").read_bytes() + b"\0\0trailer")
    np.testing.assert_array_equal(read_image(tmp_path / "x.jpg")[0], whole)


def test_refuses_the_colours_of_print(tmp_path):
    content = imagecodecs.jpeg8_encode(np.zeros((16, 16, 4), np.uint8), colorspace="CMYK", outcolorspace="CMYK")
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(InputError, match="CMYK"):
        read_image(tmp_path / "x.jpg")


def test_refuses_labels(tmp_path):
    jpeg(tmp_path / "x.jpg", (16, 16))
    with pytest.raises(InputError, match="JPEG changes the ids"):
        read_labels(tmp_path / "x.jpg")
