"""The scores of an evaluation as a table for the terminal."""

from __future__ import annotations

import math

from medseg.metrics.evaluation import Scores
from medseg.metrics.evaluation_options import HIGHER_IS_BETTER
from medseg.workflow.evaluate import Evaluation


def score_table(evaluation: Evaluation) -> str:
    """One line per score: its total over all images and, of several images, the worst one."""
    total = evaluation.total
    several = len(evaluation.images) > 1
    names = max(len(name) for name in total.values)
    lines = [f"{'score':<{names}}  {'total' if several else 'value':>10}" + ("  worst image" if several else "")]
    for name, value in total.values.items():
        line = f"{name:<{names}}  {format_score(value):>10}"
        worst = worst_first(evaluation.images, name)[0]
        its = evaluation.images[worst].values[name]
        if several and not math.isnan(its):
            line += f"  {worst} ({format_score(its)})"
        lines.append(line)
    return "\n".join(lines)


def worst_first(images: dict[str, Scores], name: str) -> list[str]:
    """The images by a score; those in which it is undefined come last."""
    sign = 1 if name in HIGHER_IS_BETTER else -1

    def badness(stem: str) -> float:
        value = sign * images[stem].values[name]
        return math.inf if math.isnan(value) else value

    return sorted(images, key=badness)


def format_score(value: float | int) -> str:
    """Counts as they are, other values with four digits, undefined ones in words."""
    if isinstance(value, int):
        return str(value)
    return "undefined" if math.isnan(value) else f"{value:.4g}"
