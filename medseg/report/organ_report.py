"""The HTML report of organs: the scores, and each organ where prediction and reference differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from medseg.errors import InputError
from medseg.io import Space, read_volume
from medseg.io.atomic import atomic_target
from medseg.io.same_grid import why_elsewhere
from medseg.metrics.organs import OrganScore, mean_over_organs
from medseg.report.organ_pictures import BOTH, PREDICTION, REFERENCE, organ_pictures
from medseg.report.organ_table import COLUMNS, counts_of, format_value, scores_of, volumes_of
from medseg.report.page import figure, page, table
from medseg.report.pictures import data_uri
from medseg.report.volume_preview import along_patient_axes
from medseg.workflow.evaluate_organs import ALL_ORGANS, OrganEvaluation, read_label_pair
from medseg.workflow.pairs import FilePair

CASES_SHOWN = 20
ORGANS_SHOWN = 12  # of a case: 60 organs in 20 cases would be 3,600 pictures, 140 MB
_CARDS = ("Dice · higher is better", "surface Dice · higher is better", "HD95 mm · lower is better")


def write_organ_report(
    path: Path,
    evaluation: OrganEvaluation,
    pairs: Sequence[FilePair],
    *,
    images: Mapping[str, Path] | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write one self-contained page.

    Args:
        path: the page.
        evaluation: scores of the pairs.
        pairs: the files that were scored.
        images: CT of each stem, on the grid of its reference, to be shown behind the outlines.
        overwrite: replace a page that exists.

    Returns:
        Why a CT is not shown: it cannot be read, or lies elsewhere. The page says so too.

    Raises:
        InputError: a page that exists.
    """
    means = {stem: mean_over_organs(list(case.values())) for stem, case in evaluation.cases.items()}
    worst_first = sorted(means, key=lambda stem: _dice(means[stem]))
    by_stem, problems, details = {pair.stem: pair for pair in pairs}, [], []
    for stem in worst_first[:CASES_SHOWN]:
        pair = by_stem[stem]
        *volumes, space = read_label_pair(pair)
        if images and stem in images:
            try:
                volumes.append(_on_the_grid(images[stem], pair.reference, space, volumes[1].shape))
            except InputError as error:
                problems.append(str(error))
            except OSError as error:
                problems.append(f"{images[stem]}: {error.strerror or error}")
        details.append(_case(pair, evaluation, means[stem], *along_patient_axes(volumes, space)))
    cases = [(stem, [*evaluation.cases[stem].values(), means[stem]]) for stem in worst_first]
    text = page("Evaluation of organs", _parts(evaluation, cases, details, problems))
    with atomic_target(path, overwrite=overwrite) as target:
        target.write_text(text, encoding="utf-8", errors="backslashreplace")  # of odd file names
    return problems


def _parts(
    evaluation: OrganEvaluation, cases: list[tuple[str, list[OrganScore]]], details: list[str], problems: list[str]
) -> list[str]:
    organs = list(evaluation.rows())[-len(evaluation.names) - 1 :]
    dice = [
        [_case_link(rank, stem), *(format_value(s.dice, 3) for s in scores)]
        for rank, (stem, scores) in enumerate(cases)
    ]
    colours = {"reference": REFERENCE, "prediction": PREDICTION, "both": BOTH}
    keys = (
        f'<span><span class="dot" style="background: rgb{rgb}"></span>{name}</span>' for name, rgb in colours.items()
    )
    parts = [
        "<h1>Evaluation of organs</h1>",
        f'<p class="faint">Surface Dice at {evaluation.tolerance_mm:g} mm. An organ that one side lacks (not found, '
        "extra) counts as Dice 0 and has no HD95; one that both lack (absent) does not count.</p>",
        *(f'<p class="faint">Note: {escape(notice)}.</p>' for notice in evaluation.notices),
        *(f"<p><b>Not evaluated:</b> {escape(problem)}</p>" for problem in evaluation.failed.values()),
        *(f"<p><b>Not shown:</b> {escape(problem)}</p>" for problem in problems),
        '<div class="scores">',
        *(
            f'<div class="score"><b>{value}</b><span>{name}</span></div>'
            for value, name in zip(scores_of(organs[-1][3]), _CARDS, strict=True)
        ),
        "</div>",
        "<h2>Organs, mean of the cases</h2>",
        table(
            ["organ", *COLUMNS],
            [[escape(name), *scores_of(s), *volumes_of(s), *counts_of(s)] for _, _, name, s in organs],
            total=True,
        ),
        "<h2>Dice of the cases, the worst first</h2>",
        table(["case", *map(escape, evaluation.names.values()), ALL_ORGANS], dice),
        f'<p class="legend">{"".join(keys)}</p>',
        f'<p class="faint">Of each organ (the {ORGANS_SHOWN} worst of a case) the planes in which both sides differ by '
        "the largest area, the worst organ first. The patient's right is on the left. Planes are counted from 1 on "
        "towards the patient's right, front and head; along an axis that the file stores the other way a viewer may "
        "count from the other end.</p>",
    ]
    if len(details) < len(cases):
        parts.append(f'<p class="faint">Pictures of the {len(details)} worst of {len(cases)} cases.</p>')
    for rank, detail in enumerate(details):
        # open: a link in the table to what is folded shows nothing
        parts.append(f'<details id="case-{rank}" open>{detail}</details>')
    return parts


def _case_link(rank: int, stem: str) -> str:
    return f'<a href="#case-{rank}">{escape(stem)}</a>' if rank < CASES_SHOWN else escape(stem)


def _case(
    pair: FilePair, evaluation: OrganEvaluation, mean: OrganScore, volumes: list[np.ndarray], spacing_mm: np.ndarray
) -> str:
    """Volumes are prediction, reference and perhaps the CT."""
    scores = evaluation.cases[pair.stem]
    parts = [
        f"<summary><b>{escape(pair.stem)}</b> · Dice {format_value(mean.dice, 3)}</summary>",
        f'<p class="faint">{escape(str(pair.prediction))} against {escape(str(pair.reference))}</p>',
    ]
    counted = [label for label in scores if scores[label].counted]
    for rank, label in enumerate(sorted(counted, key=lambda label: _dice(scores[label]))):
        values = dict(zip(COLUMNS, (*scores_of(scores[label]), *volumes_of(scores[label])), strict=False))
        lacking = scores[label].not_found, scores[label].not_in_reference
        said = " · ".join(f"{name} {value}" for name, value in values.items())
        said += " · not found" * lacking[0] + " · not in the reference" * lacking[1]
        parts.append(f"<p><b>{escape(evaluation.names[label])}</b> · {said}</p>")
        if rank >= ORGANS_SHOWN:
            continue
        pictures = organ_pictures(volumes[0] == label, volumes[1] == label, spacing_mm, *volumes[2:])
        name = evaluation.names[label]
        figures = (figure(data_uri(p.picture), f"{name}, {p.plane} {p.index + 1} of {p.count}") for p in pictures)
        parts.append(f'<div class="row wide">{"".join(figures)}</div>')
    return "".join(parts)


def _dice(score: OrganScore) -> float:
    return float("inf") if score.dice is None else score.dice


def _on_the_grid(path: Path, reference: Path, space: Space, shape: tuple[int, ...]) -> np.ndarray:
    image, own = read_volume(path)
    if why := why_elsewhere(own.affine, image.shape, space.affine, shape):
        raise InputError(f"{path} does not lie where {reference} lies: {why}")
    return image
