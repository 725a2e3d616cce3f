"""Every topological error of an evaluation as a row: a list of places to go through and mend."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from medseg.io.csv_file import csv_file
from medseg.report.pair_errors import PairErrors
from medseg.report.section_place import time_and_plane

COLUMNS = ("image", "error", "section", "time", "z", "y", "x", "z_um", "y_um", "x_um", "mismatch_px", "area_px")


def listed_errors(path: Path, found: Iterable[PairErrors], *, overwrite: bool = False) -> Iterator[PairErrors]:
    """Pass the errors of pairs on, and list them all in a CSV file, which is there when the last has been passed.

    Columns: stem of the image; class of `medseg.kernels.mismatches.CLASSES`; section, counted through all times; time,
    empty but for series; z, y and x in pixels at that time, all from 0; the same in µm, empty where the pixel size is
    not known, z also but for volumes; pixels that moving borders cannot mend; pixels that lie in the wrong object
    because of it. Those of largest area come first in each image.

    Args:
        path: the file.
        found: see `medseg.report.pair_errors.errors_of_pairs`; finding them costs as much as scoring did, so who
            wants them for something else takes them from here.
        overwrite: replace a file that exists.

    Raises:
        InputError: a file that exists.
    """
    with csv_file(path, overwrite=overwrite) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in found:
            for place in one.errors.places:
                in_um = place.in_um(one.spacing, digits=6) if one.spacing else []
                in_um = [""] * (3 - len(in_um)) + in_um
                at = (place.section, *time_and_plane(place.section, one.axes, one.shape), place.y, place.x)
                writer.writerow([one.pair.stem, place.kind, *at, *in_um, place.pixels, place.area])
            yield one
