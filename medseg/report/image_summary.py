"""One row per image: how many objects it holds, and their mean size and brightness."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from medseg.io.csv_file import csv_file

_NOT_MEASURED = ("label", "section", "centroid", "bbox", "touches_border")  # beginnings of columns: names and places


def write_image_summary(path: Path, tables: Mapping[Path, Path | None], *, overwrite: bool = False) -> None:
    """Sum up the object tables of many images in one CSV.

    Columns: ``image``; ``objects``, their number in all sections; ``touching_border``; and of each measure that any
    table has the mean over the image's objects, in the unit of its name: ``mean_area_px``, ``mean_area_um2``,
    ``mean_intensity`` ... Empty are means of no objects, measures that an image lacks, and the row of an image that
    was not segmented.

    Args:
        path: the file to write.
        tables: of each image its ``<stem>_objects.csv`` (:func:`medseg.report.objects.object_table`); None if it was
            not segmented.
        overwrite: replace a file that exists.

    Raises:
        InputError: a file that exists.
        OSError: a table that is not there.
    """
    rows = {image: _summary(table) if table else {} for image, table in tables.items()}
    columns = dict.fromkeys(("objects", "touching_border", *(name for row in rows.values() for name in row)))
    with csv_file(path, overwrite=overwrite) as file:
        writer = csv.DictWriter(file, ["image", *columns], restval="")
        writer.writeheader()
        writer.writerows({"image": str(image), **row} for image, row in rows.items())


def _summary(table: Path) -> dict[str, int | float | str]:
    with table.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        objects = list(reader)
        measures = [name for name in reader.fieldnames or () if not name.startswith(_NOT_MEASURED)]
    summary: dict[str, int | float | str] = {
        "objects": len(objects),
        "touching_border": sum(row["touches_border"] == "True" for row in objects),
    }
    for name in measures:
        values = [float(row[name]) for row in objects if row[name]]
        mean = name if name.startswith("mean_") else f"mean_{name}"
        summary[mean] = float(f"{fmean(values):.7g}") if values else ""
    return summary
