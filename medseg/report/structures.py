"""One row per anatomical structure: how large, how dense, where."""

from __future__ import annotations

import csv
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.utils import convert_to_numpy
from scipy.ndimage import find_objects

from medseg.errors import InputError
from medseg.io import Space
from medseg.io.csv_file import csv_file
from medseg.io.result_saver import ResultSaver
from medseg.io.save_volume import space_of
from medseg.io.source_file import source_file
from medseg.io.volume import warn

COLUMNS = (
    "label", "structure", "voxels", "volume_ml", "mean_hu",
    "bbox_i0", "bbox_j0", "bbox_k0", "bbox_i1", "bbox_j1", "bbox_k1",
    "center_r_mm", "center_a_mm", "center_s_mm", "touches_border",
)  # fmt: skip


class SaveStructureTabled(ResultSaver):
    """Write ``<output_dir>/<stem>_structures.csv`` for each label volume (see :func:`structure_rows`).

    Args:
        keys: label volumes ``(1, X, Y, Z)`` on the input's grid.
        output_dir: folder; made if missing.
        names: name of each label, as ``channel_def`` of the bundle's metadata: ``{"0": "background", ...}``; labels
            that are found and have none are "label N".
        image_key: the CT ``(1, X, Y, Z)`` as read, in HU.
        usual_ml: least and largest volume seen in training by name; others are warned of.
        overwrite: replace files that exist.
        allow_missing_keys: skip keys that an item lacks.

    Warns:
        InputWarning: structures that were not found, or are not of the size seen in training. Other body regions
            and fields of view show so.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        names: Mapping[str, str],
        image_key: str = "raw",
        usual_ml: Mapping[str, Sequence[float]] | None = None,
        overwrite: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, output_dir, overwrite, allow_missing_keys)
        self.image_key = image_key
        self.names = structure_names(names)
        self.usual_ml = dict(usual_ml or {})

    def write(self, data: Mapping[Hashable, Any], key: Hashable) -> None:
        """Write the file of one key."""
        source = source_file(data[key])
        labels, image = convert_to_numpy(data[key])[0], convert_to_numpy(data[self.image_key])[0]
        rows = structure_rows(labels, image, space_of(data[key]), all_names(labels, self.names))
        with csv_file(self.target(data, key, "structures.csv"), overwrite=self.overwrite) as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        if unusual := unusual_structures(rows, self.usual_ml):
            warn(f"{source}: {unusual}; is it another body region, or cut off? Look at the preview")


def structure_names(channel_def: Mapping[str, str]) -> dict[int, str]:
    """Names of the labels without the background.

    Raises:
        InputError: no names by label.
    """
    try:
        names = {int(label): str(name) for label, name in channel_def.items()}
    except (AttributeError, ValueError) as error:
        raise InputError(f'structures are names by label, {{"1": "liver"}}; not {channel_def}') from error
    return {label: name for label, name in names.items() if label > 0}


def all_names(labels: np.ndarray, names: Mapping[int, str]) -> dict[int, str]:
    """The names, and "label N" for each label of the volume (positive integers) that has none."""
    return {label: f"label {label}" for label in map(int, np.unique(labels[labels > 0]))} | dict(names)


def structure_rows(
    labels: np.ndarray, image: np.ndarray, space: Space, names: Mapping[int, str]
) -> list[dict[str, Any]]:
    """A row per name, in the order of the labels; structures that are not there have 0 voxels and empty places.

    Args:
        labels: ``(X, Y, Z)`` integer.
        image: HU of the same shape.
        space: where the volume lies.
        names: by label.

    Returns:
        Rows of :data:`COLUMNS`: bounding boxes in voxels of the file, end exclusive, centres in RAS mm.

    Raises:
        InputError: image and labels of different shapes.
    """
    if labels.shape != image.shape:
        raise InputError(f"labels of shape {labels.shape} do not fit the image {image.shape}")
    boxes = find_objects(labels.astype(np.int32, copy=False), max_label=max(names, default=1))
    rows = []
    for label, name in sorted(names.items()):
        box = boxes[label - 1]
        row: dict[str, Any] = dict.fromkeys(COLUMNS, "") | {"label": label, "structure": name}
        if box is None:
            rows.append(row | {"voxels": 0, "volume_ml": 0.0})
            continue
        inside = labels[box] == label
        count = int(inside.sum())
        first, last = [s.start for s in box], [s.stop for s in box]
        centre = np.array([axis.mean() for axis in np.nonzero(inside)]) + first
        place = space.affine[:3, :3] @ centre + space.affine[:3, 3]
        row |= {"voxels": count, "volume_ml": _short(count * space.voxel_ml)}
        row["mean_hu"] = _short(float(image[box][inside].mean(dtype=np.float64)))
        row |= dict(zip(COLUMNS[5:11], (*first, *last), strict=True))
        row |= dict(zip(COLUMNS[11:14], map(_short, place), strict=True))
        row["touches_border"] = 0 in first or any(b == n for b, n in zip(last, labels.shape, strict=True))
        rows.append(row)
    return rows


def unusual_structures(rows: Sequence[Mapping[str, Any]], usual_ml: Mapping[str, Sequence[float]]) -> str | None:
    """What to say of structures that were not found or are not of the usual size; None if nothing."""
    absent = [row["structure"] for row in rows if row["voxels"] == 0]
    odd = [
        f"{row['structure']} ({row['volume_ml']:g} ml)"
        for row in rows
        if row["voxels"] and row["structure"] in usual_ml
        and not usual_ml[row["structure"]][0] <= row["volume_ml"] <= usual_ml[row["structure"]][1]
    ]  # fmt: skip
    parts = [f"not found: {', '.join(absent)}"] if absent else []
    parts += [f"of another size than in training: {', '.join(odd)}"] if odd else []
    return "; ".join(parts) or None


def _short(value: float) -> float:
    return float(f"{value:.6g}")
