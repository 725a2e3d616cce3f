"""TIFF, OME-TIFF and ImageJ stacks with their axes and pixel size, both ways."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile

from medseg.errors import InputError
from medseg.io.geometry import SPATIAL, Geometry
from medseg.io.tiff_pixel_size import pixel_size

_IMAGEJ_DTYPES = ("uint8", "uint16", "float32")
TIFF_DTYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")
_TRANSPARENCY = ((tifffile.EXTRASAMPLE.ASSOCALPHA,), (tifffile.EXTRASAMPLE.UNASSALPHA,))
_IMAGEJ_LIMIT = 4 * 2**30 - 2**20


def read_tiff(
    path: Path, resolve: Callable[[str, tuple[int, ...]], str], *, axes: str | None = None, are_ids: bool = False
) -> tuple[np.ndarray, Geometry]:
    """Read the one image of a TIFF file.

    Args:
        path: the file.
        resolve: of letters that leave an axis unstated (``Q``, ``I``, or one twice) and the shape, the letters to take
            where ``axes`` is None; it may refuse.
        axes: letters of the array's axes, where the file does not state them. Planes of colour of a plain TIFF and as
            many axes of an ImageJ file give way too: programs write any pages as colours, channels or times.
        are_ids: the numbers are ids, whatever shade or colour the file has them shown in.

    Returns:
        The array without axes of length one (but Y and X), and its geometry.

    Raises:
        InputError: not a TIFF, truncated, several images of different shapes, planes of an OME-TIFF that are missing,
            a file of a set that is not its first, brightness with 0 as white, or ``axes`` that cannot be used.
    """
    with _complaints_are_errors(path), tifffile.TiffFile(path) as file:
        if not file.series:
            raise _unreadable(path, "it holds no image")
        if len(file.series) > 1:
            shapes = ", ".join(str(s.shape) for s in file.series[:4])
            raise InputError(f"{path}: holds {len(file.series)} images ({shapes} ...); split it into one file each")
        series = file.series[0]
        if 0 in series.shape:
            raise InputError(f"{path}: has no pixels (shape {series.shape})")
        if not are_ids:
            _refuse_negative(path, series.keyframe)
        _check_whole(path, file)
        _refuse_later_file(path, file)
        missing = sum(plane is None for plane in series.pages)
        array = series.asarray()
        letters = series.axes.replace("S", "C")
        if "S" in series.axes and series.keyframe.extrasamples in _TRANSPARENCY:
            colours = series.axes.index("S")  # what lies after them says nothing of the specimen
            array = array.take(range(array.shape[colours] - 1), axis=colours)
        often_wrong = file.is_imagej or ("SYX" in series.axes and not file.is_ome)
        palette = None if are_ids or file.is_imagej or file.is_ome else series.keyframe.colormap
        named_spacing, unit = pixel_size(file)
    if missing:  # tifffile fills them with 0
        raise InputError(
            f"{path}: {missing} of the {len(series.pages)} planes that it states are not there (a recording that was "
            "stopped?); save those that are as a new file"
        )
    keep = [i for i, (a, n) in enumerate(zip(letters, array.shape, strict=True)) if n != 1 or a in "YX"]
    array = array.reshape([array.shape[i] for i in keep])
    letters = "".join(letters[i] for i in keep)
    unstated = bool(set(letters) - set("TZCYX")) or len(set(letters)) < len(letters)
    if axes and (unstated or (often_wrong and len(axes) == len(letters))):
        letters = axes.upper()
    elif unstated:
        letters = resolve(letters, array.shape)
    if palette is not None:  # (3, entries) of 16 bits, in which programs write 8
        array, letters = np.moveaxis((palette >> 8).astype(np.uint8)[:, array], 0, -1), letters + "C"
    try:
        return array, make_geometry(letters, named_spacing, unit)
    except InputError as error:
        raise InputError(f"{path} of shape {array.shape}: {error}") from None


def make_geometry(letters: str, named_spacing: dict[str, float], unit: str | None) -> Geometry:
    """Geometry of ``letters`` with the spacing that is known for each of its spatial axes, or none."""
    spatial = [a for a in letters if a in SPATIAL]
    if unit is None or any(a not in named_spacing for a in spatial):
        return Geometry(letters)
    return Geometry(letters, tuple(named_spacing[a] for a in spatial), unit)


def write_tiff(path: Path, array: np.ndarray, geometry: Geometry) -> None:
    """Write as an ImageJ hyperstack where its dtypes allow, else as OME-TIFF; deflate, lossless.

    Pages of unstated meaning stay plain pages, unless there is a pixel size to keep: then they are time.
    The dtype is one of ``TIFF_DTYPES``.
    """
    options: dict = {"compression": "zlib", "photometric": "minisblack"}
    if geometry.axes == "IYX" and geometry.spacing is None:
        tifffile.imwrite(path, array, metadata=None, **options)
        return
    named = geometry.axes.replace("I", "T" if "T" not in geometry.axes else "Z")
    axes = "".join(a for a in "TZCYX" if a in named)
    array = np.transpose(array, [named.index(a) for a in axes])
    spacing = dict(zip(geometry.spatial_axes, geometry.spacing or (), strict=False))
    if array.dtype.name in _IMAGEJ_DTYPES and array.nbytes < _IMAGEJ_LIMIT:
        metadata: dict = {"axes": axes}
        if spacing:
            metadata |= {"unit": geometry.unit, "spacing": spacing.get("Z", 1.0)}
            options["resolution"] = (1 / spacing["X"], 1 / spacing["Y"])
        tifffile.imwrite(path, array, imagej=True, metadata=metadata, **options)
        return
    metadata = {"axes": axes}
    for axis, size in spacing.items():
        metadata |= {
            f"PhysicalSize{axis}": size,
            f"PhysicalSize{axis}Unit": "µm" if geometry.unit == "um" else geometry.unit,
        }
    tifffile.imwrite(path, array, ome=True, bigtiff=array.nbytes >= _IMAGEJ_LIMIT, metadata=metadata, **options)


def _refuse_negative(path: Path, page: tifffile.TiffPage) -> None:
    """Refuse brightness that counts from white; planes of one bit are masks, and tifffile marks all of them so."""
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and page.bitspersample > 1:
        raise InputError(
            f"{path}: its 0 is white and its highest value black; invert the values and save it with black as 0 (of a "
            "mask in ImageJ, whose values are right, only the lookup table: Image > Lookup Tables > Invert LUT)"
        )


def _check_whole(path: Path, file: tifffile.TiffFile) -> None:
    """Refuse a file that ends before its data or its list of pages; tifffile returns zeros or fewer pages."""
    end, tiff = file.filehandle.size, file.tiff
    for page in file.pages:
        if any(start + count > end for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)):
            raise _unreadable(path, "it ends before its last pixels")
    last = file.pages[-1].offset
    file.filehandle.seek(last)
    tags = struct.unpack(tiff.tagnoformat, file.filehandle.read(tiff.tagnosize))[0]
    if last + tiff.tagnosize + tags * tiff.tagsize + tiff.offsetsize > end:
        raise _unreadable(path, "it ends within its list of pages")


def _refuse_later_file(path: Path, file: tifffile.TiffFile) -> None:
    """Refuse the files of an image of several but the first: each gives the whole image."""
    first = next(plane for plane in file.series[0].pages if plane is not None).parent.filehandle.name
    if first != file.filehandle.name:
        raise InputError(f"{path}: belongs to the image of several files that {first} opens; name that file alone")


class _Collect(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _complaints_are_errors(path: Path) -> Iterator[None]:
    """Turn what tifffile raises, or only logs while it returns fewer pages, into an InputError."""
    logger, collect = logging.getLogger("tifffile"), _Collect()
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(collect)
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        if error.errno is not None:
            raise
        raise _unreadable(path, error) from error
    except Exception as error:  # tifffile and its codecs raise many types on a damaged file
        raise _unreadable(path, error) from error
    finally:
        logger.removeHandler(collect)
        logger.propagate = propagate
    damaged = [m for m in collect.messages if "corrupt" in m or "truncat" in m or "invalid" in m or "Error" in m]
    if damaged:
        raise _unreadable(path, damaged[0])


def _unreadable(path: Path, reason: object) -> InputError:
    return InputError(f"{path}: cannot be read as TIFF, it is damaged or cut off ({reason}); copy or export it again")
