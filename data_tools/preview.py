"""A contact sheet of random samples with the contours of their labels."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from data_tools.layout import Dataset, Entry
from data_tools.pixels import Pixels, as_one_stack, read_pixels
from medseg.errors import InputError
from medseg.io import image_stem
from medseg.io.atomic import atomic_target
from medseg.io.paths import readable


def write_preview(
    dataset: Dataset,
    path: str | Path,
    *,
    count: int = 12,
    seed: int = 0,
    axes: str | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write a PNG of `count` random images with contours and return the names of the images shown.

    Of stacks and volumes the section with the most objects is shown. Brightness runs from the 1st to the 99.8th
    percentile of the section. `axes` names those of images that do not state them.

    Raises:
        InputError: a count below 1, unreadable files, images and labels of different shapes, an existing file.
    """
    if count < 1:
        raise InputError(f"count is {count}; show at least one image")
    entries = dataset.entries
    rng = np.random.default_rng(seed)
    picked = sorted(rng.choice(len(entries), min(count, len(entries)), replace=False))
    tiles = [(s, e, *section_with_labels(dataset, e, axes=axes)) for s, e in (entries[i] for i in picked)]
    _draw(tiles, Path(path), overwrite)
    return [entry.image for _, entry, _, _ in tiles]


def section_with_labels(dataset: Dataset, entry: Entry, *, axes: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return one section as (Y, X) or (Y, X, 3) floats 0 to 1, and its labels (Y, X).

    `axes` names those of an image that does not state them.
    """
    image = _last_channel(read_pixels(dataset.path(entry.image), axes=axes))
    truth = read_pixels(dataset.path(entry.label), labels=True)
    labels = truth.array
    if truth.affine is not None and labels.ndim == 3:
        image, labels = (_radiological(a, truth.affine) for a in (image, labels))
    if image.shape[: labels.ndim] != labels.shape:
        raise InputError(f"{entry.label}: has shape {labels.shape}, its image {image.shape}; run `medseg data check`")
    image, labels = as_one_stack(image, image.ndim - labels.ndim), as_one_stack(labels)
    if labels.ndim == 3:
        start, stop = entry.sections or (0, len(labels))
        busiest = start + int(np.argmax([len(np.unique(s)) for s in labels[start:stop]]))
        image, labels = image[busiest], labels[busiest]
    low, high = np.percentile(image, (1, 99.8))
    return np.clip((image - low) / max(high - low, 1e-9), 0, 1), labels


def _radiological(array: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Return (x, y, z) voxels as axial sections (Z, Y, X): front up, the patient's right on the left."""
    canonical = nib.orientations.apply_orientation(array, nib.io_orientation(affine))  # axes to R, A, S
    return np.moveaxis(canonical, -1, 0).swapaxes(1, 2)[:, ::-1, ::-1]


def _last_channel(pixels: Pixels) -> np.ndarray:
    array = pixels.array.astype(np.float32)
    if pixels.geometry is None or "C" not in pixels.geometry.axes:
        return array
    array = np.moveaxis(array, pixels.geometry.axes.index("C"), -1)
    return array if array.shape[-1] == 3 else array.mean(axis=-1)


def _draw(tiles: list[tuple[str, Entry, np.ndarray, np.ndarray]], path: Path, overwrite: bool) -> None:
    from matplotlib.figure import Figure
    from skimage.segmentation import mark_boundaries

    columns = int(np.ceil(np.sqrt(len(tiles))))
    rows = -(-len(tiles) // columns)
    figure = Figure(figsize=(3.2 * columns, 3.4 * rows), layout="tight")
    for number, (subset, entry, image, labels) in enumerate(tiles, start=1):
        axes = figure.add_subplot(rows, columns, number)
        axes.imshow(mark_boundaries(image, labels, color=(1, 0.85, 0), mode="inner"), interpolation="nearest")
        name = readable(image_stem(entry.image))
        short = name if len(name) <= 28 else name[:25] + "..."
        objects = len(np.unique(labels[labels > 0]))
        axes.set_title(f"{short}\n{subset}, {objects} in view", fontsize=7, parse_math=False)
        axes.set_axis_off()
    with atomic_target(path, overwrite=overwrite) as partial:
        figure.savefig(partial, dpi=130, format="png")
