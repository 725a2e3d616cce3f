"""The errors of an evaluation's page: cards with pictures of the worst, a table of each image's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from medseg.report.page import figure, table
from medseg.report.pictures import (
    COLOURS,
    data_uri,
    error_picture,
    grey_picture,
    prediction_picture,
    ring,
    truth_picture,
)
from medseg.report.places import ErrorMap, Place
from medseg.report.planes import planes_through

KIND_NAMES = {
    "merge": "merge",
    "split": "split",
    "object_deletion": "missing object",
    "object_addition": "invented object",
    "hole_addition": "invented hole",
    "hole_deletion": "missing hole",
}
_PLACES_LISTED = 60  # of one image
_CROP = 96  # pixels around a place


@dataclass(frozen=True)
class FoundPlace:
    """A place, and the pictures of it."""

    place: Place
    others: int
    """Further errors of the same kind that spoil the same object."""
    stem: str
    stack: bool
    spacing: tuple[float, ...] | None
    """See `medseg.report.pair_errors.PairErrors`."""
    pictures: tuple[tuple[tuple[str, str], ...], ...]
    """Rows of captions and `data:` addresses: one of a section, one for each plane of a volume."""


def one_of_each_object(errors: ErrorMap) -> list[tuple[Place, int]]:
    """The largest of the places that spoil one object, and how many others do."""
    groups: dict[tuple, list[Place]] = {}
    for place in errors.places:
        unit = place.section // errors.depth if place.spoilt and errors.depth else place.section
        alone = () if place.spoilt else (place.y, place.x)
        groups.setdefault((place.kind, place.spoilt, unit, *alone), []).append(place)
    return [(group[0], len(group) - 1) for group in groups.values()]


def crops(
    errors: ErrorMap, raw: np.ndarray | None, place: Place, spacing: tuple[float, ...] | None
) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Rows of pictures around a place, as captions and `data:` addresses: one row, of a volume three planes."""
    if errors.depth is None:
        near, window = errors.around(place, _CROP)
        ground = None if raw is None else raw[place.section][window]
        return (_row(_pictures(near, ground)),)
    rows = []
    for plane in planes_through(errors, place, _CROP, spacing):
        ground = None if raw is None else np.take(raw[plane.voxels], 0, plane.across)
        (here,) = plane.errors.places
        pictures = [(f"{plane.name} {name}", picture) for name, picture in _pictures(plane.errors, ground)]
        for _, picture in pictures:
            ring(picture, here.y, here.x, COLOURS[here.kind])
        rows.append(_row(pictures))
    return tuple(rows)


def _pictures(near: ErrorMap, ground: np.ndarray | None) -> list[tuple[str, np.ndarray]]:
    return [
        *([("image", grey_picture(ground))] if ground is not None else []),
        ("prediction", prediction_picture(near, 0)),
        ("truth", truth_picture(near, 0)),
        ("error", error_picture(near, 0)),
    ]


def _row(pictures: list[tuple[str, np.ndarray]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, data_uri(picture)) for name, picture in pictures)


def place_card(found: FoundPlace) -> str:
    """HTML of one place, with its pictures."""
    place = found.place
    where = f"{found.stem} · " + (f"section {place.section} · " if found.stack else "") + f"y {place.y}, x {place.x}"
    if found.spacing:
        where += f" ({', '.join(place.in_um(found.spacing))} µm)"
    others = f", with {found.others} more of this object" if found.others else ""
    figures = ("".join(figure(address, caption) for caption, address in row) for row in found.pictures)
    rows = "".join(f'<div class="row">{row}</div>' for row in figures)
    return (
        f'<div class="place">{_dot(place.kind)}<b>{KIND_NAMES[place.kind]}</b> · {escape(where)}<br>'
        f'<span class="faint">{place.area} px at stake{others}</span>{rows}</div>'
    )


def place_table(places: Sequence[Place], stack: bool, spacing: tuple[float, ...] | None) -> str:
    """HTML table of one image's places; nothing where there is none."""
    if not places:
        return ""
    header = ["error", *(["section"] if stack else []), "y (px)", "x (px)"]
    header += [f"{axis} (µm)" for axis in "zyx"[-len(spacing) :]] if spacing else []
    rows = []
    for place in places[:_PLACES_LISTED]:
        row = [_dot(place.kind) + KIND_NAMES[place.kind], *([str(place.section)] if stack else [])]
        row += [str(place.y), str(place.x)]
        row += place.in_um(spacing) if spacing else []
        rows.append([*row, str(place.pixels), str(place.area)])
    more = len(places) - len(rows)
    left_out = f'<p class="faint">… and {more} smaller ones.</p>' if more else ""
    return table([*header, "mismatch (px)", "area at stake (px)"], rows) + left_out


def legend() -> str:
    """HTML line that names the colour of each kind of error."""
    items = "".join(f"<span>{_dot(kind)}{name}</span>" for kind, name in KIND_NAMES.items())
    return f'<p class="legend">{items}</p>'


def _dot(kind: str) -> str:
    return f'<span class="dot" style="background: rgb{COLOURS[kind]}"></span>'


def plural(noun: str, number: int) -> str:
    """The noun as it follows the number."""
    return noun if number == 1 else noun + "s"
