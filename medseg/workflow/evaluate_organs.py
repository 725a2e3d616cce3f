"""Evaluate label volumes of organs: read each pair, score every organ, and gather the scores."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from medseg.errors import InputError, InputWarning
from medseg.io import Space, read_volume
from medseg.io.csv_file import csv_file
from medseg.io.same_grid import why_elsewhere
from medseg.io.wrong_unit import why_no_patient, why_perhaps_in_cm
from medseg.metrics.organs import (
    COUNTS,
    ON_NEITHER_SIDE,
    SCORES,
    TOLERANCE_MM,
    OrganScore,
    mean_over_cases,
    mean_over_organs,
    score_organs,
)
from medseg.workflow.over_pairs import over_pairs
from medseg.workflow.pairs import FilePair

ALL_ORGANS = "all organs"
_LEAST_RIGHT = 0.01  # cosine between two axes of a grid; headers round


@dataclass(frozen=True)
class OrganEvaluation:
    """Scores of every organ in every case, and what has to be said about them."""

    names: dict[int, str]
    """Of the organs, by value."""
    tolerance_mm: float
    cases: dict[str, dict[int, OrganScore]]
    """By stem and value."""
    failed: dict[str, str]
    """Why a case was not scored, by stem."""
    notices: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[str, int | None, str, OrganScore]]:
        """Case or "mean", value, organ or "all organs", scores; the means last."""
        means = {label: mean_over_cases([case[label] for case in self.cases.values()]) for label in self.names}
        for stem, scores in [*self.cases.items(), ("mean", means)]:
            yield from ((stem, label, self.names[label], scores[label]) for label in self.names)
            yield stem, None, ALL_ORGANS, mean_over_organs(list(scores.values()))

    def as_json(self) -> dict[str, Any]:
        """`{"cases": {stem: {organ: {score: value}}}, "mean": {organ: {score: value}}, ...}`; None is undefined."""
        cases: dict[str, dict[str, Any]] = {stem: {} for stem in self.cases}
        mean: dict[str, Any] = {}
        for number, (stem, _, organ, score) in enumerate(self.rows()):
            of_a_case = number < len(self.cases) * (len(self.names) + 1)
            (cases[stem] if of_a_case else mean)[organ] = score.as_json()
        return {
            "cases": cases,
            "mean": mean,
            "failed": self.failed,
            "options": {"tolerance_mm": self.tolerance_mm, "organs": {n: label for label, n in self.names.items()}},
            "notices": list(self.notices),
        }


def read_label_pair(pair: FilePair) -> tuple[np.ndarray, np.ndarray, Space]:
    """Prediction and reference, ``(X, Y, Z)`` int32, and where they lie.

    Raises:
        InputError: a file cannot be read as a volume, holds other than whole numbers from 0 to 65535, lies on another
            grid than its partner, or on one that is not at right angles.
    """
    prediction, space_of_prediction = _read_labels(pair.prediction)
    reference, space = _read_labels(pair.reference)
    if why := why_elsewhere(space_of_prediction.affine, prediction.shape, space.affine, reference.shape):
        raise InputError(
            f"{pair.prediction} does not lie where {pair.reference} lies: {why}; nothing is resampled here, "
            "give both on one grid (medseg predict writes on that of its image)"
        )
    axes = space.affine[:3, :3] / space.spacing_mm
    if np.abs(axes.T @ axes - np.eye(3)).max() > _LEAST_RIGHT:
        raise InputError(f"{pair.reference}: its axes are not at right angles, distances in mm cannot be measured")
    return prediction, reference, space


def evaluate_organs(
    pairs: list[FilePair],
    names: dict[int, str] | None,
    *,
    tolerance_mm: float = TOLERANCE_MM,
    progress: Callable[[FilePair], None] = lambda pair: None,
) -> OrganEvaluation:
    """Score pairs of label volumes; one that fails is noted and the others are still done.

    Args:
        pairs: see `medseg.workflow.pairs.pair_files`.
        names: organs by value; None for every value that a case holds.
        tolerance_mm: of the surface Dice.
        progress: called before each pair.

    Raises:
        InputError: not one pair could be scored, or no pair holds an organ of `names`.
    """
    cases, failed, warned = over_pairs(pairs, partial(_score_pair, names=names, tolerance_mm=tolerance_mm), progress)
    names = names or {label: f"label {label}" for label in sorted(set().union(*cases.values()))}
    cases = {stem: {label: case.get(label, ON_NEITHER_SIDE) for label in names} for stem, case in cases.items()}
    if not any(score.counted for case in cases.values() for score in case.values()):
        what = f"the values {', '.join(map(str, names))}" if names else "a value above 0"
        raise InputError(f"{pairs[0].prediction} and {pairs[0].reference}: no volume holds {what}; see --organs")
    return OrganEvaluation(names, tolerance_mm, cases, failed, _told_together(warned, pairs))


def _told_together(warned: list[tuple[str, str]], pairs: list[FilePair]) -> tuple[str, ...]:
    """One line for each message, with the cases that it is about where it does not name a file of them."""
    files = {pair.stem: (str(pair.prediction), str(pair.reference)) for pair in pairs}
    cases: dict[str, list[str]] = {}
    for stem, message in warned:
        cases.setdefault(message, []).append(stem)
    lines = []
    for message, stems in cases.items():
        more = f" and {len(stems) - 5} more" if len(stems) > 5 else ""
        named = all(any(file in message for file in files[stem]) for stem in stems)
        lines.append(message if named else f"{message} ({', '.join(stems[:5])}{more})")
    return tuple(lines)


def _score_pair(pair: FilePair, names: dict[int, str] | None, tolerance_mm: float) -> dict[int, OrganScore]:
    prediction, reference, space = read_label_pair(pair)
    size = space.spacing_mm, reference.shape
    if why := why_no_patient(*size) or why_perhaps_in_cm(*size):
        warnings.warn(f"{pair.reference}: {why} Distances and volumes depend on it", InputWarning, stacklevel=2)
    held = {int(label) for side in (prediction, reference) for label in np.unique(side)} - {0}
    if names and (others := sorted(held - set(names))):
        shown = f"{', '.join(map(str, others[:8]))}{' ...' if len(others) > 8 else ''}"
        warnings.warn(f"the values {shown} have no name and are not scored", InputWarning, stacklevel=2)
    return score_organs(prediction, reference, space.spacing_mm, sorted(names or held), tolerance_mm)


def write_organ_csv(path: Path, evaluation: OrganEvaluation, *, overwrite: bool = False) -> None:
    """Write one row per case and organ, then the means; undefined values are empty."""
    with csv_file(path, overwrite=overwrite) as file:
        writer = csv.writer(file)
        writer.writerow(["case", "label", "organ", *SCORES, *COUNTS])
        for stem, label, organ, score in evaluation.rows():
            writer.writerow(["" if v is None else v for v in (stem, label, organ, *score.as_json().values())])


def _read_labels(path: Path) -> tuple[np.ndarray, Space]:
    array, space = read_volume(path)
    if not (array == np.rint(array)).all():
        raise InputError(f"{path}: not a label volume, its values are not whole; save one number per organ")
    if array.min() < 0 or array.max() > 65535:
        raise InputError(f"{path}: values from {array.min():g} to {array.max():g}; those of organs are 0 to 65535")
    return array.astype(np.int32), space
