"""What becomes of nuclei of each size: found, merged, split or missed by nuclei_unetplusplus.

    python benchmarks/nuclei_outcomes.py --data FOLDER [--weights FILE] [--tta] [--all]
        [--set min_confidence=0]

FOLDER is the bundle's training folder; its validation images of fluorescence are looked at, with `--all` those of
every kind. `--set` gives the watershed other settings than the bundle's. A nucleus is found where AP50 counts it; the
other outcomes are those of `medseg evaluate --matches`. AP50 is printed over all nuclei together, as the mean over
images, and over all but the smallest.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from statistics import fmean

import numpy as np
from nuclei_scores import FLUORESCENCE, bundle_cells, bundle_parts, prepared_samples, probabilities

from medseg.cli.config_values import parse_settings
from medseg.kernels.contingency import contingency_table
from medseg.metrics.object_outcomes import OUTCOMES, ObjectOutcome, object_outcomes

SIZES = (0, 31, 61, 101, 201, 501)
"""Lower limits of the rows, in pixels."""
OF_REFERENCE = OUTCOMES[:4]


def outcomes_by_size(outcomes: Iterable[ObjectOutcome]) -> list[Counter]:
    """How many reference objects of each range of sizes had each outcome."""
    rows = [Counter() for _ in SIZES]
    for o in outcomes:
        if o.outcome in OF_REFERENCE:
            rows[int(np.searchsorted(SIZES, o.reference_size, side="right")) - 1][o.outcome] += 1
    return rows


def table_of(rows: Sequence[Counter]) -> str:
    """Markdown of shares of the objects of each size."""
    lines = [f"| pixels | nuclei | {' | '.join(OF_REFERENCE)} |", "| --- " * (len(OF_REFERENCE) + 2) + "|"]
    for low, end, row in zip(SIZES, [*SIZES[1:], None], rows, strict=True):
        name = f"{low} and more" if end is None else f"{low} to {end - 1}"
        shares = (f"{row[outcome] / max(row.total(), 1):.3f}" for outcome in OF_REFERENCE)
        lines.append(f"| {name} | {row.total()} | {' | '.join(shares)} |")
    return "\n".join(lines)


def average_precisions(images: Iterable[Sequence[ObjectOutcome]]) -> dict[str, float]:
    """AP50 over all objects, as the mean over images, and without the smallest reference objects."""
    images = [outcomes for outcomes in images if outcomes]
    together = [o for outcomes in images for o in outcomes]
    larger = [o for o in together if o.outcome not in OF_REFERENCE or o.reference_size >= SIZES[1]]
    name = f"without nuclei below {SIZES[1]} pixels"
    return {"together": _ap(together), "mean of images": fmean(map(_ap, images)), name: _ap(larger)}


def _ap(outcomes: Sequence[ObjectOutcome]) -> float:
    return sum(o.outcome == "matched" for o in outcomes) / len(outcomes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--tta", action="store_true")
    parser.add_argument("--all", action="store_true", help="images of every kind, not of fluorescence only")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="key of the watershed")
    options = parser.parse_args()
    samples = [s for s in prepared_samples(options.data) if options.all or s.kind in FLUORESCENCE]
    network, inferer = bundle_parts(options.weights, tta=options.tta)
    cells, images = bundle_cells(**parse_settings(options.set, {})), []
    for probability, sample in zip(probabilities(network, samples, inferer), samples, strict=True):
        images.append(object_outcomes(contingency_table(sample.labels, np.asarray(cells(probability))[0])))
    outcomes = list(chain(*images))
    print(table_of(outcomes_by_size(outcomes)))
    counts = Counter(o.outcome for o in outcomes)
    print("\n" + ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES))
    print("AP50 " + ", ".join(f"{name}: {value:.3f}" for name, value in average_precisions(images).items()))


if __name__ == "__main__":
    main()
