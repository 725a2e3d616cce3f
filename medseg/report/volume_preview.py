"""Three planes of a volume with the structures outlined: what a person looks at first."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from monai.config import KeysCollection
from monai.utils import convert_to_numpy

from medseg.io import Space
from medseg.io.atomic import atomic_target
from medseg.io.paths import readable
from medseg.io.result_saver import ResultSaver
from medseg.io.save_volume import space_of
from medseg.report.structures import all_names, structure_names

_WINDOW_HU = (-200, 400)
_BODY_HU = -500
_PLANES = (("sagittal", 1, 2, "PA", "S"), ("coronal", 0, 2, "RL", "S"), ("axial", 0, 1, "RL", "A"))
_DPI, _HEIGHT_INCH = 100, 5.0


class SaveVolumePreviewd(ResultSaver):
    """Write ``<output_dir>/<stem>_preview.png`` for each label volume (see :func:`draw_preview`).

    Args:
        keys: label volumes ``(1, X, Y, Z)`` on the input's grid.
        output_dir: folder; made if missing.
        names: name of each label, as ``channel_def`` of the bundle's metadata; "label N" of those without.
        image_key: the CT ``(1, X, Y, Z)`` as read, in HU.
        overwrite: replace files that exist.
        allow_missing_keys: skip keys that an item lacks.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        names: Mapping[str, str],
        image_key: str = "raw",
        overwrite: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, output_dir, overwrite, allow_missing_keys)
        self.image_key = image_key
        self.names = structure_names(names)

    def write(self, data: Mapping[Hashable, Any], key: Hashable) -> None:
        """Write the file of one key."""
        labels, image = convert_to_numpy(data[key])[0], convert_to_numpy(data[self.image_key])[0]
        with atomic_target(self.target(data, key, "preview.png"), overwrite=self.overwrite) as t:
            title = readable(self.stem(data, key))
            draw_preview(t, image, labels, space_of(data[key]), all_names(labels, self.names), title=title)


def draw_preview(
    path: Path, image: np.ndarray, labels: np.ndarray, space: Space, names: Mapping[int, str], *, title: str = ""
) -> None:
    """Draw sagittal, coronal and axial planes as radiologists see them: the patient's right is on the left.

    Each plane is the one that cuts the most structures, and of those the most voxels.

    Args:
        path: PNG to write.
        image: ``(X, Y, Z)`` HU; shown from -200 to 400 HU.
        labels: ``(X, Y, Z)`` integer.
        space: where the volume lies; oblique volumes are shown along their own axes nearest to the patient's.
        names: by label.
        title: above the planes.
    """
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    (image, labels), spacing = along_patient_axes([image, labels], space)
    present = [label for label in names if (labels == label).any()]
    colours = {label: colormaps["tab10"](k % 10) for k, label in enumerate(sorted(names))}
    extents = np.array(image.shape) * spacing
    shown = body_box(image) * spacing[:, None]
    sizes = shown[:, 1] - shown[:, 0]
    widths = [sizes[across] for _, across, *_ in _PLANES]
    heights = [sizes[up] for _, _, up, *_ in _PLANES]
    figure = Figure(figsize=(min(20.0, _HEIGHT_INCH * sum(widths) / max(heights) + 1), _HEIGHT_INCH + 1), dpi=_DPI)
    axes = figure.subplots(1, 3, width_ratios=widths)
    for plot, (name, across, up, (left, right), top) in zip(axes, _PLANES, strict=True):
        through = 3 - across - up
        k = busiest_plane(labels, through)
        gray, marks = (np.take(volume, k, axis=through).T for volume in (image, labels))
        frame = (0, extents[across], 0, extents[up])
        plot.imshow(gray, cmap="gray", vmin=_WINDOW_HU[0], vmax=_WINDOW_HU[1], origin="lower", extent=frame)
        x = (np.arange(gray.shape[1]) + 0.5) * spacing[across]
        y = (np.arange(gray.shape[0]) + 0.5) * spacing[up]
        for label in present:
            mask = marks == label
            if mask.any() and min(mask.shape) > 1:
                plot.contour(x, y, mask, levels=[0.5], colors=[colours[label]], linewidths=1.2)
        plot.set_xlim(*shown[across])
        plot.set_ylim(*shown[up])
        if left == "R":
            plot.invert_xaxis()  # RAS counts to the patient's right, which is on the viewer's left
        plot.set_title(f"{name} {k + 1}/{labels.shape[through]}", fontsize=9)
        plot.set_xlabel(f"{left} – {right}", fontsize=8)
        plot.set_ylabel(top, rotation=0, fontsize=8)
        plot.set_xticks([])
        plot.set_yticks([])
    keys = [Line2D([], [], color=colours[label], label=names[label]) for label in present]
    if keys:
        figure.legend(handles=keys, loc="lower center", ncols=min(len(keys), 7), fontsize=8, frameon=False)
    figure.suptitle(title or None, fontsize=10, parse_math=False)
    figure.subplots_adjust(left=0.03, right=0.99, top=0.88, bottom=0.14, wspace=0.08)
    FigureCanvasAgg(figure).print_png(path)


def along_patient_axes(volumes: Sequence[np.ndarray], space: Space) -> tuple[list[np.ndarray], np.ndarray]:
    """Volumes of one grid with axes turned to right, anterior, superior as nearly as flips allow, and their spacing."""
    orientation = nib.io_orientation(space.affine)
    turned = [np.ascontiguousarray(nib.apply_orientation(volume, orientation)) for volume in volumes]
    spacing = np.empty(3)
    spacing[orientation[:, 0].astype(int)] = space.spacing_mm
    return turned, spacing


def body_box(image: np.ndarray) -> np.ndarray:
    """First and last index (exclusive) along each axis of what is denser than air; the whole of an empty image."""
    box = np.array([[0, n] for n in image.shape])
    inside = image > _BODY_HU
    if inside.any():
        for axis in range(3):
            there = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
            box[axis] = there[0], there[-1] + 1
    return box


def busiest_plane(labels: np.ndarray, axis: int) -> int:
    """Index along ``axis`` of the plane with the most labels, then the most voxels; the middle one of none."""
    planes = np.moveaxis(labels, axis, 0).reshape(labels.shape[axis], -1)
    counts = [(len(np.unique(plane[plane > 0])), int((plane > 0).sum())) for plane in planes]
    best = max(range(len(counts)), key=counts.__getitem__)
    return best if counts[best][0] else len(counts) // 2
