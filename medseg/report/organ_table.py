"""The scores of organs as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from medseg.metrics.organs import OrganScore
from medseg.workflow.evaluate_organs import ALL_ORGANS, OrganEvaluation

COLUMNS = ("Dice", "surface Dice", "HD95 mm", "pred. ml", "ref. ml", "cases", "not found", "extra", "absent")


def organ_table(evaluation: OrganEvaluation) -> str:
    """One line per organ, its mean over the cases; of several cases, before it one line per case, all organs."""
    several = len(evaluation.cases) > 1
    rows = list(evaluation.rows())
    of_organs = rows[-len(evaluation.names) - 1 :]
    parts = []
    if several:
        of_cases = [(stem, score) for stem, _, organ, score in rows[: -len(of_organs)] if organ == ALL_ORGANS]
        lines = [(stem, *scores_of(score), *counts_of(score)) for stem, score in of_cases]
        parts.append(_aligned([("case, all organs", *COLUMNS[:3], "organs", *COLUMNS[6:]), *lines]))
    header = ("organ, mean of cases" if several else "organ", *COLUMNS)
    lines = [(organ, *scores_of(score), *volumes_of(score), *counts_of(score)) for _, _, organ, score in of_organs]
    legend = (
        f"surface Dice at {evaluation.tolerance_mm:g} mm; not found and extra (in the prediction only) count as Dice 0 "
        "and have no HD95; absent from both sides: not counted"
    )
    return "\n\n".join([*parts, f"{_aligned([header, *lines])}\n{legend}"])


def scores_of(score: OrganScore) -> tuple[str, ...]:
    """Dice, surface Dice and HD95."""
    return format_value(score.dice, 3), format_value(score.surface_dice, 3), format_value(score.hd95_mm, 1)


def volumes_of(score: OrganScore) -> tuple[str, ...]:
    """Of prediction and reference, in ml."""
    return format_value(score.prediction_ml, 2), format_value(score.reference_ml, 2)


def counts_of(score: OrganScore) -> tuple[str, ...]:
    """Cases that count, and those in which prediction, reference or both lack the organ."""
    return tuple(
        str(count) for count in (score.counted, score.not_found, score.not_in_reference, score.on_neither_side)
    )


def format_value(value: float | None, digits: int) -> str:
    """Rounded; "-" of what is undefined."""
    return "-" if value is None else f"{value:.{digits}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
