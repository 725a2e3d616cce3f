"""Every topological error of an evaluation as a row: a list of places to go through and mend."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from medseg.io.atomic import atomic_target
from medseg.report.pair_errors import errors_of_pair, pixel_size_um
from medseg.workflow.evaluate import Evaluation

COLUMNS = ("image", "error", "section", "y", "x", "y_um", "x_um", "mismatch_px", "area_px")


def write_error_table(
    path: Path,
    evaluation: Evaluation,
    *,
    axes: str | None = None,
    objects: str = "auto",
    spacing_um: Sequence[float] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a CSV file of all errors, those of largest area first in each image.

    Columns: stem of the image; class of `medseg.kernels.mismatches.CLASSES`; section, y and x in pixels, from 0;
    the same in µm, empty where the pixel size is not known; pixels that moving borders cannot mend; pixels that
    lie in the wrong object because of it.

    Args:
        path: the file.
        evaluation: its pairs are read again, one at a time.
        axes, objects: as given to `medseg.workflow.evaluate.evaluate_files`.
        spacing_um: pixel size (..., y, x) in µm, instead of what the files say.
        overwrite: replace a file that exists.

    Raises:
        InputError: a file that exists.
    """
    with (
        atomic_target(path, overwrite=overwrite) as target,
        target.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,  # of odd file names
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for pair in evaluation.pairs:
            errors, geometry, _ = errors_of_pair(pair, evaluation, axes, objects)
            spacing = pixel_size_um(geometry, spacing_um)
            for place in errors.places:
                at = (place.y, place.x)
                in_um = [f"{c * s:.6g}" for c, s in zip(at, spacing, strict=True)] if spacing else ["", ""]
                writer.writerow([pair.stem, place.kind, place.section, *at, *in_um, place.pixels, place.area])
