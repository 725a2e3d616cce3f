"""What the header of an NRRD (NHDR), MHA or MHD file says itself: ITK fills in what it lacks without a word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_MILLIMETRES = ("mm", "millimeter", "millimeters", "millimetre", "millimetres")
_UNKNOWN = ("", "?", "???")
_PATIENT_SPACES = ("left-posterior-superior", "right-anterior-superior", "left-anterior-superior", "lps", "ras", "las")


@dataclass(frozen=True)
class ItkHeader:
    """Whether the file states the size of a voxel and the directions of its axes in the patient."""

    has_voxel_size: bool
    has_orientation: bool
    other_unit: str | None
    """Its unit of length, where that is not mm."""


def read_itk_header(path: Path) -> ItkHeader:
    """Read the header's text; the file is one that ITK can read."""
    return _nrrd(path) if path.suffix.lower() in (".nrrd", ".nhdr") else _meta_image(path)


def _nrrd(path: Path) -> ItkHeader:
    fields = _fields(path, ":", last="")
    sizes = fields.get("spacedirections") or fields.get("spacings", "nan")
    units = [re.findall(r'"([^"]*)"', fields.get(name, ""))[:3] for name in ("units", "spaceunits")]  # a 4th is of time
    space = "-".join(fields.get("space", "").lower().split()).removesuffix("-time")
    return ItkHeader(
        "nan" not in sizes.lower(),
        "spacedirections" in fields and space in _PATIENT_SPACES,
        _not_mm(units[0] + units[1]),
    )


def _meta_image(path: Path) -> ItkHeader:
    fields = _fields(path, "=|:", last="elementdatafile")
    return ItkHeader(
        not fields.keys().isdisjoint({"elementspacing", "elementsize"}),
        not fields.keys().isdisjoint({"transformmatrix", "orientation", "rotation"}),
        _not_mm([fields.get("distanceunits", "")]),
    )


def _fields(path: Path, separator: str, last: str) -> dict[str, str]:
    """The lines up to the one that ends the header, by their name in lower case and without blanks."""
    fields = {}
    with path.open("rb") as file:
        for line in file:
            name, *value = re.split(separator, line.decode("latin-1"), maxsplit=1)
            name = "".join(name.lower().split())
            fields[name] = "".join(value).strip()
            if name == last:
                break
    return fields


def _not_mm(units: list[str]) -> str | None:
    return next((unit for unit in units if unit.strip().lower() not in (*_MILLIMETRES, *_UNKNOWN)), None)
