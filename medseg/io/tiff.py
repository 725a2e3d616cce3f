"""TIFF, OME-TIFF and ImageJ stacks with their axes and pixel size, both ways."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import tifffile

from medseg.errors import InputError
from medseg.io.geometry import SPATIAL, Geometry

_UNITS = {
    "um": "um",
    "µm": "um",
    "μm": "um",
    "\\u00b5m": "um",
    "micron": "um",
    "microns": "um",
    "micrometer": "um",
    "micrometre": "um",
    "nm": "nm",
    "nanometer": "nm",
    "mm": "mm",
    "millimeter": "mm",
    "cm": "cm",
    "m": "m",
}
_IMAGEJ_DTYPES = ("uint8", "uint16", "float32")
_IMAGEJ_LIMIT = 4 * 2**30 - 2**20


def read_tiff(path: Path, *, axes: str | None = None) -> tuple[np.ndarray, Geometry | str]:
    """Read the one image of a TIFF file.

    Returns:
        The array without axes of length one (but Y and X), and its geometry. Where the file does not say
        what its axes mean and ``axes`` is None, tifffile's letters are returned in place of the geometry
        (``Q`` and ``I`` are unknown), for the caller to refuse or resolve.

    Raises:
        InputError: not a TIFF, truncated, or several images of different shapes.
    """
    with _complaints_are_errors(path), tifffile.TiffFile(path) as file:
        if not file.series:
            raise InputError(f"{path}: holds no image")
        if len(file.series) > 1:
            shapes = ", ".join(str(s.shape) for s in file.series[:4])
            raise InputError(f"{path}: holds {len(file.series)} images ({shapes} ...); split it into one file each")
        series = file.series[0]
        array = series.asarray()
        letters = series.axes.replace("S", "C")
        named_spacing, unit = _pixel_size(file)
    keep = [i for i, (a, n) in enumerate(zip(letters, array.shape, strict=True)) if n != 1 or a in "YX"]
    array = array.reshape([array.shape[i] for i in keep])
    letters = axes.upper() if axes else "".join(letters[i] for i in keep)
    if len(letters) != array.ndim:
        raise InputError(f"{path}: axes {letters!r} name {len(letters)} axes, the image has shape {array.shape}")
    if not axes and (set(letters) - set("TZCYX") or len(set(letters)) < len(letters)):
        return array, letters
    return array, make_geometry(letters, named_spacing, unit)


def make_geometry(letters: str, named_spacing: dict[str, float], unit: str | None) -> Geometry:
    """Geometry of ``letters`` with the spacing that is known for each of its spatial axes, or none."""
    spatial = [a for a in letters if a in SPATIAL]
    if unit is None or any(a not in named_spacing for a in spatial):
        return Geometry(letters)
    return Geometry(letters, tuple(named_spacing[a] for a in spatial), unit)


def write_tiff(path: Path, array: np.ndarray, geometry: Geometry) -> None:
    """Write as an ImageJ hyperstack where its dtypes allow, else as OME-TIFF; deflate, lossless."""
    axes = geometry.axes.replace("I", "Z") if "Z" not in geometry.axes else geometry.axes.replace("I", "T")
    spacing = dict(zip(geometry.spatial_axes, geometry.spacing or (), strict=False))
    options: dict = {"compression": "zlib", "photometric": "minisblack"}
    if array.dtype.name in _IMAGEJ_DTYPES and array.nbytes < _IMAGEJ_LIMIT:
        order = [a for a in "TZCYX" if a in axes]
        metadata: dict = {"axes": "".join(order)}
        if spacing:
            metadata |= {"unit": geometry.unit, "spacing": spacing.get("Z", 1.0)}
            options["resolution"] = (1 / spacing["X"], 1 / spacing["Y"])
        array = np.transpose(array, [axes.index(a) for a in order])
        tifffile.imwrite(path, array, imagej=True, metadata=metadata, **options)
        return
    metadata = {"axes": axes}
    for axis, size in spacing.items():
        metadata |= {
            f"PhysicalSize{axis}": size,
            f"PhysicalSize{axis}Unit": "µm" if geometry.unit == "um" else geometry.unit,
        }
    tifffile.imwrite(path, array, ome=True, bigtiff=array.nbytes >= _IMAGEJ_LIMIT, metadata=metadata, **options)


def _pixel_size(file: tifffile.TiffFile) -> tuple[dict[str, float], str | None]:
    """Spacing per axis letter and unit from OME or ImageJ; plain resolution tags are print sizes."""
    if file.ome_metadata:
        return _ome_pixel_size(file.ome_metadata)
    if file.imagej_metadata:
        return _imagej_pixel_size(file)
    return {}, None


def _ome_pixel_size(xml: str) -> tuple[dict[str, float], str | None]:
    pixels = next((e for e in ElementTree.fromstring(xml).iter() if e.tag.endswith("}Pixels")), None)
    if pixels is None:
        return {}, None
    named, units = {}, set()
    for axis in SPATIAL:
        value = pixels.get(f"PhysicalSize{axis}")
        if value is not None and float(value) > 0:
            named[axis] = float(value)
            units.add(_UNITS.get(pixels.get(f"PhysicalSize{axis}Unit", "µm").lower()))
    return (named, units.pop()) if len(units) == 1 else ({}, None)


def _imagej_pixel_size(file: tifffile.TiffFile) -> tuple[dict[str, float], str | None]:
    metadata, tags = file.imagej_metadata or {}, file.pages[0].tags
    unit = _UNITS.get(str(metadata.get("unit", "")).lower())
    named = {}
    for axis, tag in (("X", "XResolution"), ("Y", "YResolution")):
        if tag in tags and tags[tag].value[0] > 0:
            numerator, denominator = tags[tag].value
            named[axis] = denominator / numerator
    if metadata.get("spacing", 0) > 0:
        named["Z"] = float(metadata["spacing"])
    return (named, unit) if unit else ({}, None)


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
