"""The HTML report of an evaluation: the scores, the places worth looking at, every image with its errors."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np

from medseg.errors import InputError
from medseg.io import read_image
from medseg.io.atomic import atomic_target
from medseg.metrics.evaluation import Scores
from medseg.metrics.evaluation_options import HIGHER_IS_BETTER
from medseg.metrics.segments import as_sections
from medseg.report.page import figure, page, table
from medseg.report.pair_errors import PairErrors, level_of
from medseg.report.pictures import (
    data_uri,
    error_picture,
    grey_picture,
    prediction_picture,
    truth_picture,
)
from medseg.report.place_cards import (
    KIND_NAMES,
    FoundPlace,
    crops,
    legend,
    one_of_each_object,
    place_card,
    place_table,
    plural,
)
from medseg.report.places import ErrorMap
from medseg.report.score_table import format_score, worst_first
from medseg.workflow.evaluate import Evaluation
from medseg.workflow.pairs import FilePair

PLACES_SHOWN = 20
_SECTIONS_SHOWN = 4  # of one stack
_PLANES = (
    "Of each place in a volume three planes are shown, with the place in the ring: XY, XZ and YZ, z downwards, to "
    "scale; where the voxel size is not known, voxels are drawn as cubes."
)
_OPEN = 20  # images whose pictures are seen at once; a link in the table to what is folded shows nothing


def write_report(
    path: Path,
    evaluation: Evaluation,
    found: Iterable[PairErrors],
    *,
    images: dict[str, Path] | None = None,
    axes: str | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write one self-contained page.

    Args:
        path: the page.
        evaluation: scores of the pairs that are shown.
        found: their errors, see `medseg.report.pair_errors.errors_of_pairs`.
        images: raw image of each stem, where there is one.
        axes: of raw images that do not state theirs, as given to `medseg.workflow.evaluate.evaluate_files`.
        overwrite: replace a page that exists.

    Returns:
        Why a raw image is not shown: it cannot be read, or does not fit its reference. The page says so too.

    Raises:
        InputError: a page that exists.
    """
    level = level_of(evaluation)
    # Pages of hundreds of images stay below what a browser and a mail take.
    side = 512 if len(evaluation.pairs) <= 20 else 224
    largest: list[tuple[int, int, int, FoundPlace]] = []
    number = 0
    details, problems = {}, []
    for one in found:
        pair, errors, raw = one.pair, one.errors, None
        try:
            if images and pair.stem in images:
                raw = _raw_sections(images[pair.stem], pair, one.shape, axes)
        except InputError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{images[pair.stem]}: {error.strerror or error}")
        details[pair.stem] = _image(pair, evaluation.images[pair.stem], errors, raw, one.spacing, side)
        for place, others in one_of_each_object(errors)[:PLACES_SHOWN]:
            number += 1
            key = (place.area, place.pixels, -number)
            if len(largest) == PLACES_SHOWN and key <= largest[0][:3]:
                break
            pictures = crops(errors, raw, place, one.spacing)
            entry = (*key, FoundPlace(place, others, pair.stem, len(errors.classes) > 1, one.spacing, pictures))
            (heapq.heappush if len(largest) < PLACES_SHOWN else heapq.heappushpop)(largest, entry)
    worst = [entry[3] for entry in sorted(largest, key=lambda entry: entry[:3], reverse=True)]
    text = page("Evaluation", _parts(evaluation, level, worst, details, problems))
    with atomic_target(path, overwrite=overwrite) as target:
        target.write_text(text, encoding="utf-8", errors="backslashreplace")  # of odd file names
    return problems


def _raw_sections(image: Path, pair: FilePair, shape: tuple[int, ...], axes: str | None) -> np.ndarray:
    raw, geometry = read_image(image, axes=axes if axes and len(axes) == len(shape) else None)
    if "C" in geometry.axes:
        raw = raw.mean(axis=geometry.axes.index("C"))
    if raw.shape != shape:
        raise InputError(f"{image} has the shape {raw.shape} but {pair.reference} {shape}")
    return as_sections(raw)


def _parts(
    evaluation: Evaluation, level: float, worst: list[FoundPlace], details: dict[str, str], problems: list[str]
) -> list[str]:
    number, total = len(evaluation.images), evaluation.total
    volumes = any(len(found.pictures) > 1 for found in worst)
    grey = any(prediction == "probability" for prediction, _ in evaluation.kinds.values())
    said = f"{number} {plural('image', number)}; all sections count as one stack."
    parts = [
        "<h1>Evaluation</h1>",
        f'<p class="faint">{said}{f" Errors are those of probabilities cut at {level:g}." if grey else ""}</p>',
        *(f'<p class="faint">Note: {escape(notice)}.</p>' for notice in evaluation.notices),
        *(f"<p><b>Not evaluated:</b> {escape(problem)}</p>" for problem in evaluation.failed.values()),
        *(f"<p><b>Not shown:</b> {escape(problem)}</p>" for problem in problems),
        '<div class="scores">',
        *(
            f'<div class="score"><b>{format_score(value)}</b><span>{name} · {_better(name)}</span></div>'
            for name, value in total.values.items()
        ),
        "</div>",
        f"<h2>{_heading(len(worst))}</h2>",
        '<p class="faint">Ordered by the area that lies in the wrong object because of the error. '
        "A predicted cell has the colour of the true one that it mostly covers, white if none. The error map shows "
        "cells light and borders dark where both sides agree. Coordinates count from 0.</p>",
        *([f'<p class="faint">{_PLANES}</p>'] if volumes else []),
        legend(),
        f'<div class="places{" planes" if volumes else ""}">',
        *(place_card(found) for found in worst),
        "</div>",
        "<h2>Images, the worst first</h2>",
    ]
    order = worst_first(evaluation.images, next(iter(total.values)))
    header = ["image", *total.values]
    rows = [
        [f'<a href="#{_anchor(order, stem)}">{escape(stem)}</a>', *_cells(evaluation.images[stem])] for stem in order
    ]
    parts.append(table(header, [*rows, ["total", *_cells(total)]], total=True))
    for rank, stem in enumerate(order):
        opened = " open" if rank < _OPEN else ""
        parts.append(f'<details id="{_anchor(order, stem)}"{opened}>{details[stem]}</details>')
    return parts


def _image(
    pair: FilePair,
    scores: Scores,
    errors: ErrorMap,
    raw: np.ndarray | None,
    spacing: tuple[float, ...] | None,
    side: int,
) -> str:
    counts = {kind: sum(place.kind == kind for place in errors.places) for kind in KIND_NAMES}
    said = ", ".join(f"{n} {plural(KIND_NAMES[kind], n)}" for kind, n in counts.items() if n) or "no topological error"
    first = next(iter(scores.values))
    parts = [
        f"<summary><b>{escape(pair.stem)}</b> · {first} {format_score(scores.values[first])} · {said}</summary>",
        f'<p class="faint">{escape(str(pair.prediction))} against {escape(str(pair.reference))}</p>',
    ]
    stack = len(errors.classes) > 1
    shown = _worst_sections(errors)
    if len(shown) < len(errors.classes):
        parts.append(f'<p class="faint">{len(shown)} of {len(errors.classes)} sections shown: the worst.</p>')
    step = max(1, -(-max(errors.classes.shape[1:]) // side))
    for section in shown:
        name = f"section {section}: " if stack else ""
        pictures = [("image", grey_picture(raw[section, ::step, ::step]))] if raw is not None else []
        pictures += [
            ("prediction", prediction_picture(errors, section, step)),
            ("truth", truth_picture(errors, section, step)),
            ("error map", error_picture(errors, section, step)),
        ]
        figures = "".join(figure(data_uri(picture), name + caption) for caption, picture in pictures)
        parts.append(f'<div class="row wide">{figures}</div>')
    parts.append(place_table(errors.places, stack, spacing))
    return "".join(parts)


def _worst_sections(errors: ErrorMap) -> list[int]:
    at_stake = np.zeros(len(errors.classes), np.int64)
    for place in errors.places:
        at_stake[place.section] += place.area
    worst = np.argsort(-at_stake, kind="stable")[: max(1, min(_SECTIONS_SHOWN, np.count_nonzero(at_stake)))]
    return sorted(worst.tolist())


def _heading(places: int) -> str:
    if not places:
        return "No topological error"
    return "The place worth looking at" if places == 1 else f"The {places} places worth looking at"


def _cells(scores: Scores) -> list[str]:
    return [format_score(value) for value in scores.values.values()]


def _better(name: str) -> str:
    return "higher is better" if name in HIGHER_IS_BETTER else "lower is better"


def _anchor(order: list[str], stem: str) -> str:
    return f"image-{order.index(stem)}"
