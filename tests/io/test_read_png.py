"""PNG: kinds of pixels that medseg does not write, as image and as label image."""

import struct
import zlib

import imagecodecs
import numpy as np
import pytest

from medseg.errors import InputError
from medseg.io import read_image, read_labels


def png(path, bits: int, colour_type: int, rows: list[bytes], width: int, palette: bytes = b""):
    """A PNG written out by hand, for the kinds that no encoder at hand writes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, len(rows), bits, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [chunk(b"IHDR", header), chunk(b"PLTE", palette) if palette else b"", chunk(b"IDAT", pixels)]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""))
    return path


def test_png_of_each_other_kind(tmp_path):
    gray_alpha, _ = read_image(png(tmp_path / "a.png", 8, 4, [bytes([1, 255, 2, 0])], 2))
    assert gray_alpha.tolist() == [[1, 2]]
    colour_alpha, _ = read_image(png(tmp_path / "d.png", 8, 6, [bytes([1, 2, 3, 255])], 1))
    assert colour_alpha.tolist() == [[[1, 2, 3]]]
    one_bit, _ = read_image(png(tmp_path / "b.png", 1, 0, [b"\xa0"], 3))
    assert one_bit.tolist() == [[255, 0, 255]]
    palette, geometry = read_image(png(tmp_path / "c.png", 8, 3, [b"\1\0"], 2, bytes([9, 8, 7, 1, 2, 3])))
    assert (palette.tolist(), geometry.axes) == ([[[1, 2, 3], [9, 8, 7]]], "YXC")


@pytest.mark.parametrize(("bits", "row", "ids"), [(1, 0xA0, [1, 0, 1]), (2, 0x1B, [0, 1, 2, 3]), (4, 0x4F, [4, 15])])
def test_ids_of_a_png_of_few_bits_are_those_stored(tmp_path, bits, row, ids):
    labels, _ = read_labels(png(tmp_path / "x.png", bits, 0, [bytes([row])], len(ids)))
    assert labels.tolist() == [ids]


@pytest.mark.parametrize(("bits", "row", "ids"), [(8, b"\1\0\2", [1, 0, 2]), (4, b"\x10\x20", [1, 0, 2])])
def test_ids_in_a_palette_are_those_stored(tmp_path, bits, row, ids):
    """As QuPath and labelme save them, with colours to look at."""
    palette = bytes([255, 255, 255, 1, 2, 3, 1, 2, 3])
    labels, geometry = read_labels(png(tmp_path / "x.png", bits, 3, [row], 3, palette))
    assert (labels.tolist(), geometry.axes) == ([ids], "YX")


def test_a_png_cut_off_anywhere_is_an_error_or_no_loss(tmp_path):
    array = np.random.default_rng(2).integers(0, 4, (24, 32)).astype(np.uint16)
    content, path = imagecodecs.png_encode(array), tmp_path / "x.png"
    for end in range(len(content)):
        path.write_bytes(content[:end])
        try:
            found = read_image(path)[0]
        except InputError:
            continue
        np.testing.assert_array_equal(found, array, err_msg=f"silent loss, cut at {end} of {len(content)}")
