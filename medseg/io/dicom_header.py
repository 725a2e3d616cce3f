"""What the files of a folder say of themselves as DICOM images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from medseg.errors import InputError

_SERIES = "0020|000e"
_POSITION, _ORIENTATION, _PIXEL_SPACING, _THICKNESS = "0020|0032", "0020|0037", "0028|0030", "0018|0050"
_SAMPLES, _FRAMES, _DESCRIPTION = "0028|0002", "0028|0008", "0008|103e"
_MODALITY, _IMAGE_TYPE = "0008|0060", "0008|0008"
_PREAMBLE, _MOST_META = 128, 1024
_CLASS_TAG = b"\x02\x00\x02\x00UI"
_STORED = "1.2.840.10008.5.1.4.1.1."
_NO_SLICES = (  # SOP classes made from images: PS3.4, annex B.5
    f"{_STORED}481.",  # radiotherapy: structure sets, dose, plans
    f"{_STORED}66",  # segmentations, registrations, raw data
    f"{_STORED}88.",  # structured reports
    f"{_STORED}11.",  # presentation states
    f"{_STORED}104.",  # documents
    "1.2.840.10008.1.3.10",  # DICOMDIR
)


@dataclass(frozen=True)
class Slice:
    """What the header of one DICOM file says; lengths in mm, LPS."""

    path: Path
    series: str
    description: str
    modality: str
    is_localizer: bool
    samples: int
    frames: int
    size: tuple[int, int]
    position: np.ndarray | None
    orientation: np.ndarray | None
    spacing: np.ndarray | None
    thickness: np.ndarray | None


def dicom_images(folder: Path) -> Iterator[Path]:
    """The DICOM images among the files of a folder, by their first bytes, in order of their names."""
    return filter(_is_image, sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")))


def read_header(path: Path) -> Slice:
    """Read the header of a DICOM image.

    Raises:
        InputError: it cannot be read.
    """
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"{path}: damaged or no image ({last_line(error)}); remove or export it again") from error
    return _slice(path, reader)


def _slice(path: Path, reader: sitk.ImageFileReader) -> Slice:
    def numbers(tag: str, count: int) -> np.ndarray | None:
        try:
            values = np.array([float(part) for part in text(tag).split("\\")])
        except ValueError:
            return None
        return values if values.shape == (count,) and np.isfinite(values).all() else None

    def text(tag: str) -> str:
        return reader.GetMetaData(tag).strip("\0 ") if reader.HasMetaDataKey(tag) else ""

    return Slice(
        path,
        text(_SERIES),
        text(_DESCRIPTION),
        text(_MODALITY).upper(),
        "LOCALIZER" in text(_IMAGE_TYPE).upper().split("\\"),
        int(text(_SAMPLES) or 1),
        int(text(_FRAMES) or 1),
        reader.GetSize()[:2],
        numbers(_POSITION, 3),
        numbers(_ORIENTATION, 6),
        numbers(_PIXEL_SPACING, 2),
        numbers(_THICKNESS, 1),
    )


def _is_image(path: Path) -> bool:
    """Whether a file carries DICOM's mark and is not of a class that is made from images; an unknown class passes."""
    with path.open("rb") as file:
        file.seek(_PREAMBLE)
        meta = file.read(_MOST_META)
    if not meta.startswith(b"DICM"):
        return False
    start = meta.find(_CLASS_TAG) + len(_CLASS_TAG)
    if start < len(_CLASS_TAG):
        return True
    return not meta[start + 2 :].decode("latin-1").startswith(_NO_SLICES)  # behind the length of the class


def last_line(error: Exception) -> str:
    """What went wrong, of an error that begins with a place in ITK's own code."""
    return str(error).strip().splitlines()[-1]
