"""The errors of an evaluation's page: cards with pictures of the worst, a table of each image's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from medseg.report.page import figure, table
from medseg.report.pictures import COLOURS, data_uri, error_picture, grey_picture, prediction_picture, truth_picture
from medseg.report.places import ErrorMap, Place

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
    spacing: tuple[float, float] | None
    pictures: tuple[tuple[str, str], ...]


def one_of_each_object(errors: ErrorMap) -> list[tuple[Place, int]]:
    """The largest of the places that spoil one object, and how many others do."""
    groups: dict[tuple, list[Place]] = {}
    for place in errors.places:
        section = () if place.spoilt and errors.volumetric else (place.section,)
        alone = () if place.spoilt else (place.y, place.x)
        groups.setdefault((place.kind, place.spoilt, *section, *alone), []).append(place)
    return [(group[0], len(group) - 1) for group in groups.values()]


def crops(errors: ErrorMap, raw: np.ndarray | None, place: Place) -> tuple[tuple[str, str], ...]:
    """Captions and `data:` addresses of the pictures around a place."""
    near, window = errors.around(place, _CROP)
    pictures = [("image", grey_picture(raw[place.section][window]))] if raw is not None else []
    pictures += [
        ("prediction", prediction_picture(near, 0)),
        ("truth", truth_picture(near, 0)),
        ("error", error_picture(near, 0)),
    ]
    return tuple((name, data_uri(picture)) for name, picture in pictures)


def place_card(found: FoundPlace) -> str:
    """HTML of one place, with its pictures."""
    place = found.place
    where = f"{found.stem} · " + (f"section {place.section} · " if found.stack else "") + f"y {place.y}, x {place.x}"
    if found.spacing:
        y, x = (c * s for c, s in zip((place.y, place.x), found.spacing, strict=True))
        where += f" ({y:.4g}, {x:.4g} µm)"
    others = f", with {found.others} more of this object" if found.others else ""
    figures = "".join(figure(address, caption) for caption, address in found.pictures)
    return (
        f'<div class="place">{_dot(place.kind)}<b>{KIND_NAMES[place.kind]}</b> · {escape(where)}<br>'
        f'<span class="faint">{place.area} px at stake{others}</span><div class="row">{figures}</div></div>'
    )


def place_table(places: Sequence[Place], stack: bool, spacing: tuple[float, float] | None) -> str:
    """HTML table of one image's places; nothing where there is none."""
    if not places:
        return ""
    header = ["error", *(["section"] if stack else []), "y (px)", "x (px)"]
    header += ["y (µm)", "x (µm)"] if spacing else []
    rows = []
    for place in places[:_PLACES_LISTED]:
        row = [_dot(place.kind) + KIND_NAMES[place.kind], *([str(place.section)] if stack else [])]
        row += [str(place.y), str(place.x)]
        row += [f"{c * s:.4g}" for c, s in zip((place.y, place.x), spacing, strict=True)] if spacing else []
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
