"""One row per object: size, place, brightness."""

from __future__ import annotations

import csv
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.utils import convert_to_numpy
from scipy.ndimage import mean
from skimage.measure import regionprops

from medseg.errors import InputError
from medseg.io import Geometry
from medseg.io.csv_file import csv_file
from medseg.io.result_saver import ResultSaver
from medseg.io.save import geometry_of
from medseg.io.source_file import source_file
from medseg.io.volume import warn
from medseg.io.wrong_unit import why_no_microscopy


class SaveObjectTabled(ResultSaver):
    """Write ``<output_dir>/<stem>_objects.csv`` for each label image (see :func:`object_table`).

    Args:
        keys: label images ``(1, *spatial)``, MetaTensors that know their input file.
        output_dir: folder; made if missing.
        intensity_key: image ``(C, *spatial)`` whose brightness is measured.
        overwrite: replace files that exist.
        spatial_dims: 2, or 3 for objects that reach through the sections.
        detections_key: detections whose score is listed, in the order of the ids
            (:class:`medseg.transforms.LabelsFromDetectionsd`).
        probability_key: ``(1, *spatial)`` probability of lying in an object, whose mean in each is listed.

    Warns:
        InputWarning: pixels smaller than an atom or larger than cells.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        intensity_key: str = "raw",
        overwrite: bool = False,
        spatial_dims: int = 2,
        detections_key: str | None = None,
        probability_key: str | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, output_dir, overwrite, allow_missing_keys)
        self.intensity_key, self.spatial_dims = intensity_key, spatial_dims
        self.detections_key, self.probability_key = detections_key, probability_key

    def write(self, data: Mapping[Hashable, Any], key: Hashable) -> None:
        """Write the file of one key."""
        target = self.target(data, key, "objects.csv")
        labels, image = convert_to_numpy(data[key])[0], convert_to_numpy(data[self.intensity_key])
        geometry = geometry_of(data[key])
        columns, rows = object_table(labels, image, geometry, spatial_dims=self.spatial_dims)
        if self.detections_key is not None:
            scores = convert_to_numpy(data[self.detections_key]["scores"])
            columns, rows = [*columns, "score"], [[*row, _short(scores[row[0] - 1])] for row in rows]
        if self.probability_key is not None:
            means = mean(convert_to_numpy(data[self.probability_key])[0], labels, [row[0] for row in rows])
            columns = [*columns, "mean_probability"]
            rows = [[*row, _short(value)] for row, value in zip(rows, means, strict=True)]
        with csv_file(target, overwrite=self.overwrite) as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)
        if geometry is not None and (why := why_no_microscopy(geometry)):
            warn(f"{source_file(data[key])}: {why} The sizes in µm of its objects depend on it")


def object_table(
    labels: np.ndarray, image: np.ndarray, geometry: Geometry | None = None, *, spatial_dims: int = 2
) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of the objects of 2D sections, or of volumes.

    Args:
        labels: ``(*sections, *spatial)`` integer, 0 = background.
        image: ``(C, *sections, *spatial)``, its mean within each object is given per channel.
        geometry: for areas in µm² and volumes in µm³; left empty where the pixel size is unknown.
        spatial_dims: axes of an object: 2 (Y, X) or 3 (Z, Y, X).

    Returns:
        ``label``, ``section`` (flat index; stacks only), ``area_px``, ``area_um2``, ``centroid_y``, ``centroid_x``,
        ``bbox_y0``, ``bbox_x0``, ``bbox_y1``, ``bbox_x1`` (px, end exclusive), ``mean_intensity``
        (``mean_intensity_c0`` ... for several channels), ``touches_border``. In 3D ``volume_px`` and ``volume_um3``
        stand for the area, and z comes before y.

    Raises:
        InputError: image and labels of different shapes.
    """
    if image.shape[1:] != labels.shape:
        raise InputError(f"labels of shape {labels.shape} do not fit the image {image.shape}")
    stack = labels.ndim > spatial_dims
    spacing = geometry.spacing_um if geometry else None
    pixel_um = float(np.prod(spacing[-spatial_dims:])) if spacing else None
    channels = len(image)
    axes = "zyx"[3 - spatial_dims :]
    size = ["area_px", "area_um2"] if spatial_dims == 2 else ["volume_px", "volume_um3"]
    names = ["mean_intensity"] if channels == 1 else [f"mean_intensity_c{c}" for c in range(channels)]
    columns = ["label", *(["section"] if stack else []), *size, *(f"centroid_{a}" for a in axes)]
    columns += [f"bbox_{a}{end}" for end in (0, 1) for a in axes] + [*names, "touches_border"]
    shape = labels.shape[-spatial_dims:]
    rows = []
    sections = labels.reshape(-1, *shape)
    for index, (section, pixels) in enumerate(
        zip(sections, np.moveaxis(image.reshape(channels, -1, *shape), 0, -1), strict=True)
    ):
        for region in regionprops(section, intensity_image=pixels):
            low, high = region.bbox[:spatial_dims], region.bbox[spatial_dims:]
            row = [region.label, *([index] if stack else []), int(region.area)]
            row += ["" if pixel_um is None else _short(region.area * pixel_um)]
            row += [_short(c) for c in region.centroid] + [*low, *high]
            row += [_short(m) for m in np.atleast_1d(region.intensity_mean)]
            rows.append([*row, 0 in low or any(end == n for end, n in zip(high, shape, strict=True))])
    return columns, rows


def _short(value: float) -> float:
    return float(f"{value:.7g}")
