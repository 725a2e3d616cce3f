"""Read an image or a label image with its geometry; refuse what is ambiguous."""

from __future__ import annotations

import zlib
from pathlib import Path

import imagecodecs
import numpy as np

from medseg.errors import InputError
from medseg.io.geometry import Geometry
from medseg.io.jpeg import read_jpeg
from medseg.io.paths import FROM_OTHER_FORMATS, IMAGE_SUFFIXES, JPEG_SUFFIXES, is_image, is_volume
from medseg.io.tiff import read_tiff

_MOST_CHANNELS = 4  # a nameless axis up to this length may be channels, a longer one is a stack of pages


def read_image(path: str | Path, *, axes: str | None = None) -> tuple[np.ndarray, Geometry]:
    """Read a TIFF (OME, ImageJ, plain, multi-page), PNG or JPEG image.

    Args:
        path: the file.
        axes: letters of the array's axes (see :class:`Geometry`) where the file does not state them, and
            of ImageJ files of as many axes; what others state counts.

    Returns:
        The array as stored, without axes of length one (but Y and X), and its geometry. Pages without a
        stated meaning get the axis ``I``; PNGs of 1, 2 or 4 bits are brightened to the range of 8; a palette gives
        its colours (not that of an ImageJ or OME-TIFF, a lookup table for the screen); the transparency of RGBA is
        dropped.

    Raises:
        InputError: no such file, unreadable, truncated, no pixels, NaN or infinite pixels, ambiguous axes, a TIFF
            whose 0 is white.
    """
    array, geometry = _read(Path(path), axes, is_label=False)
    if array.dtype.kind not in "uifb":
        raise InputError(f"{path}: pixels of type {array.dtype} cannot be segmented; save real numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise InputError(f"{path}: {bad} pixels are NaN or infinite; replace them before segmenting")
    return array, geometry


def read_labels(path: str | Path) -> tuple[np.ndarray, Geometry]:
    """Read a label image: integers without channels, 0 = background.

    An axis of unstated meaning is a stack of sections here: a label image has no colours. Of a palette the stored
    numbers count, and floats that are whole numbers are integers: Fiji, QuPath and others save ids so.

    Raises:
        InputError: as :func:`read_image`, and for JPEG and non-integer, negative or multi-channel images.
    """
    if str(path).lower().endswith(JPEG_SUFFIXES):
        raise InputError(f"{path}: JPEG changes the ids of a label image; save it as TIFF or PNG")
    array, geometry = _read(Path(path), None, is_label=True)
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.rint(array)).all():
        array = array.astype(np.int64)
    if array.dtype.kind not in "ui":
        raise InputError(
            f"{path}: a label image holds integers, this one {array.dtype} that are not whole; save object ids"
        )
    if "C" in geometry.axes:
        raise InputError(
            f"{path}: a label image has no colour channels, this one has axes {geometry.axes}; if each object has a "
            "colour of its own, `medseg data convert rgb-masks` makes ids of them"
        )
    if array.dtype.kind == "i" and array.min() < 0:
        raise InputError(f"{path}: negative ids (lowest {array.min()}); 0 is background, objects count from 1")
    return array, geometry


def _read(path: Path, axes: str | None, *, is_label: bool) -> tuple[np.ndarray, Geometry]:
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name the images in it one by one")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if is_volume(path):
        raise InputError(
            f"{path}: a volume; CT bundles segment it, `medseg evaluate --organs` scores it, see docs/volumes.md"
        )
    if not is_image(path):
        raise InputError(f"{path}: not a format medseg reads ({', '.join(IMAGE_SUFFIXES)}); {FROM_OTHER_FORMATS}")
    if path.suffix.lower().startswith(".tif"):
        return read_tiff(path, lambda *found: _resolve(path, *found, is_label), axes=axes, are_ids=is_label)
    array, letters = read_jpeg(path) if path.suffix.lower() in JPEG_SUFFIXES else _read_png(path, is_label)
    return array, Geometry(letters)


def _read_png(path: Path, is_label: bool) -> tuple[np.ndarray, str]:
    """The array and the letters of its axes; gray of less than 8 bits as brightness up to 255, ids as stored."""
    data = path.read_bytes()
    if is_label and data[25:26] == b"\3":
        data = _palette_as_gray(data)
    try:
        array = imagecodecs.png_decode(data)
    except (imagecodecs.PngError, ValueError) as error:  # ValueError: its first bytes are not those of a PNG
        raise InputError(f"{path}: cannot be read as PNG, it is damaged or cut off ({error})") from error
    bits, colour_type = data[24:26]
    if array.ndim == 3 and array.shape[2] in (2, 4):  # with transparency, which says nothing of the specimen
        array = array[..., 0] if array.shape[2] == 2 else array[..., :3]
    if is_label and colour_type == 0 and bits < 8:
        array = array // (255 // (2**bits - 1))
    return array, "YXC"[: array.ndim]


def _palette_as_gray(data: bytes) -> bytes:
    """The PNG with a header that says its numbers are shades of gray, not places in a palette."""
    header = b"IHDR" + data[16:25] + b"\0" + data[26:29]
    return data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:]


def _resolve(path: Path, letters: str, shape: tuple[int, ...], is_label: bool) -> str:
    """Replace one nameless leading axis by ``I`` where only a stack of pages is possible; else refuse."""
    nameless = [i for i, a in enumerate(letters) if a not in "TZCYX"]
    if len(nameless) == 1 and letters.endswith(("YX", "YXC")) and "C" not in letters[:-1]:
        (i,) = nameless
        if letters.endswith("YX") and shape[-1] <= _MOST_CHANNELS < shape[-2] and not is_label:
            raise InputError(
                f"{path}: pages of {shape[-2]} x {shape[-1]} pixels look like rows with channels last (its shape is "
                f"{shape}); say so with --axes YXC, or --axes ZYX if they are sections"
            )
        if is_label or letters.endswith("YXC") or shape[i] > _MOST_CHANNELS:
            return letters[:i] + "I" + letters[i + 1 :]
    if is_label:
        raise InputError(
            f"{path}: the file does not say what the axes of its shape {shape} mean; save it as OME-TIFF or ImageJ "
            'hyperstack, which do (tifffile.imwrite(path, labels, ome=True, metadata={"axes": "TZYX"}))'
        )
    example = "ZYX or CYX" if len(shape) == 3 else "TZYX, ZCYX ..."
    raise InputError(
        f"{path}: the file does not say what the axes of its shape {shape} mean; name them with --axes ({example})"
    )
