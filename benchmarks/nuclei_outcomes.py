"""What becomes of nuclei of each size: found, merged, split or missed by nuclei_unetplusplus.

    python benchmarks/nuclei_outcomes.py --data FOLDER [--weights FILE] [--tta] [--all]

FOLDER is the bundle's training folder; its validation images of fluorescence are looked at, with `--all` those of every
kind. A nucleus is found where AP50 counts it; the other outcomes are those of `medseg evaluate --matches`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from nuclei_scores import FLUORESCENCE, bundle_cells, bundle_parts, probabilities, validation_samples

from medseg.kernels.contingency import contingency_table
from medseg.metrics.object_outcomes import OUTCOMES, ObjectOutcome, object_outcomes

SIZES = (0, 31, 61, 101, 201, 501)
"""Lower limits of the rows, in pixels."""
OF_REFERENCE = OUTCOMES[:4]


def outcomes_by_size(outcomes: Iterable[ObjectOutcome], sizes: Sequence[int] = SIZES) -> list[Counter]:
    """How many reference objects of each range of sizes had each outcome."""
    rows = [Counter() for _ in sizes]
    for o in outcomes:
        if o.outcome in OF_REFERENCE:
            rows[int(np.searchsorted(sizes, o.reference_size, side="right")) - 1][o.outcome] += 1
    return rows


def table_of(rows: Sequence[Counter], sizes: Sequence[int] = SIZES) -> str:
    """Markdown of shares of the objects of each size."""
    lines = [f"| pixels | nuclei | {' | '.join(OF_REFERENCE)} |", "| --- " * (len(OF_REFERENCE) + 2) + "|"]
    for low, end, row in zip(sizes, [*sizes[1:], None], rows, strict=True):
        name = f"{low} and more" if end is None else f"{low} to {end - 1}"
        shares = (f"{row[outcome] / max(row.total(), 1):.3f}" for outcome in OF_REFERENCE)
        lines.append(f"| {name} | {row.total()} | {' | '.join(shares)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--tta", action="store_true")
    parser.add_argument("--all", action="store_true", help="images of every kind, not of fluorescence only")
    options = parser.parse_args()
    samples = [s for s in validation_samples(options.data) if options.all or s.kind in FLUORESCENCE]
    network, inferer = bundle_parts(options.weights, tta=options.tta)
    cells, outcomes = bundle_cells(), []
    for probability, sample in zip(probabilities(network, samples, inferer), samples, strict=True):
        outcomes += object_outcomes(contingency_table(sample.labels, np.asarray(cells(probability))[0]))
    print(table_of(outcomes_by_size(outcomes)))
    counts = Counter(o.outcome for o in outcomes)
    print("\n" + ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES))


if __name__ == "__main__":
    main()
