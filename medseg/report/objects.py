"""One row per object: size, place, brightness."""

from __future__ import annotations

import csv
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_numpy
from skimage.measure import regionprops

from medseg.errors import InputError
from medseg.io import Geometry, image_stem
from medseg.io.atomic import atomic_target
from medseg.io.save import geometry_of
from medseg.io.source_file import source_file


class SaveObjectTabled(MapTransform):
    """Write ``<output_dir>/<stem>_objects.csv`` for each label image (see :func:`object_table`).

    Args:
        keys: label images ``(1, *spatial)``, MetaTensors that know their input file.
        output_dir: folder; made if missing.
        intensity_key: image ``(C, *spatial)`` whose brightness is measured.
        overwrite: replace files that exist.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        intensity_key: str = "raw",
        overwrite: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_dir, self.intensity_key, self.overwrite = Path(output_dir), intensity_key, overwrite

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write each key; the data pass through unchanged."""
        for key in self.key_iterator(data):
            target = self.output_dir / f"{image_stem(source_file(data[key]))}_objects.csv"
            labels, image = convert_to_numpy(data[key])[0], convert_to_numpy(data[self.intensity_key])
            write_object_table(target, labels, image, geometry_of(data[key]), overwrite=self.overwrite)
        return dict(data)


def object_table(
    labels: np.ndarray, image: np.ndarray, geometry: Geometry | None = None
) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of the objects of 2D sections.

    Args:
        labels: ``(*sections, Y, X)`` integer, 0 = background.
        image: ``(C, *sections, Y, X)``, its mean within each object is given per channel.
        geometry: for areas in µm²; left empty where the pixel size is unknown.

    Returns:
        ``label``, ``section`` (flat index; stacks only), ``area_px``, ``area_um2``, ``centroid_y``,
        ``centroid_x``, ``bbox_y0``, ``bbox_x0``, ``bbox_y1``, ``bbox_x1`` (px, end exclusive),
        ``mean_intensity`` (``mean_intensity_c0`` ... for several channels), ``touches_border``.

    Raises:
        InputError: image and labels of different shapes.
    """
    if image.shape[1:] != labels.shape:
        raise InputError(f"labels of shape {labels.shape} do not fit the image {image.shape}")
    stack = labels.ndim > 2
    spacing = geometry.spacing_um if geometry else None
    pixel_um2 = spacing[-1] * spacing[-2] if spacing else None
    channels = len(image)
    names = ["mean_intensity"] if channels == 1 else [f"mean_intensity_c{c}" for c in range(channels)]
    columns = ["label", *(["section"] if stack else []), "area_px", "area_um2", "centroid_y", "centroid_x"]
    columns += ["bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1", *names, "touches_border"]
    height, width = labels.shape[-2:]
    rows = []
    sections = labels.reshape(-1, height, width)
    for index, (section, pixels) in enumerate(
        zip(sections, np.moveaxis(image.reshape(channels, -1, height, width), 0, -1), strict=True)
    ):
        for region in regionprops(section, intensity_image=pixels):
            y0, x0, y1, x1 = region.bbox
            row = [region.label, *([index] if stack else []), int(region.area)]
            row += ["" if pixel_um2 is None else _short(region.area * pixel_um2)]
            row += [_short(c) for c in region.centroid] + [y0, x0, y1, x1]
            row += [_short(m) for m in np.atleast_1d(region.intensity_mean)]
            rows.append([*row, y0 == 0 or x0 == 0 or y1 == height or x1 == width])
    return columns, rows


def write_object_table(
    path: Path, labels: np.ndarray, image: np.ndarray, geometry: Geometry | None, *, overwrite: bool = False
) -> None:
    """Write :func:`object_table` as CSV, wholly or not at all."""
    columns, rows = object_table(labels, image, geometry)
    with atomic_target(path, overwrite=overwrite) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def _short(value: float) -> float:
    return float(f"{value:.7g}")
