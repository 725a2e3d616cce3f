"""Checks of where images lie: shapes, spacing, affines and orientations, within a pair and across the set."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import nibabel as nib
import numpy as np

from data_tools.check.findings import Finding, error, warning
from data_tools.layout import Description, Entry
from data_tools.pixels import Pixels
from medseg.io.geometry import MICROMETRES
from medseg.io.volume import stored_axes
from medseg.io.wrong_unit import why_no_microscopy, why_no_patient, why_perhaps_in_cm


def spatial_shape(pixels: Pixels) -> tuple[int, ...]:
    """Shape of an image without its channel axis."""
    if pixels.geometry is None:
        return pixels.array.shape
    return tuple(n for n, a in zip(pixels.array.shape, pixels.geometry.axes, strict=True) if a != "C")


def check_unit(file: str, image: Pixels) -> Iterator[Finding]:
    """Warn of pixels and volumes that are of no size that is looked at: their unit is wrong."""
    why = None
    if image.geometry is not None:
        why = why_no_microscopy(image.geometry)
    elif image.affine is not None and image.array.ndim == 3:
        size = nib.affines.voxel_sizes(image.affine), image.array.shape
        why = why_no_patient(*size) or why_perhaps_in_cm(*size)
    if why:
        yield warning("wrong_unit", file, why)


def check_pair_geometry(entry: Entry, image: Pixels, labels: Pixels) -> Iterator[Finding]:
    """Shapes, spacings and affines of an image and its labels must agree; sections must lie in the stack."""
    shape = spatial_shape(image)
    if shape != labels.array.shape:
        hint = "; it looks transposed" if sorted(shape) == sorted(labels.array.shape) else ""
        yield error(
            "shape_mismatch",
            entry.label,
            f"has shape {labels.array.shape}, its image {shape}{hint}; export both from the same field",
        )
        return
    if entry.sections and (len(shape) < 3 or entry.sections[1] > math.prod(shape[:-2])):
        yield error(
            "sections_outside",
            entry.image,
            f"sections {list(entry.sections)} do not lie in a stack of shape {shape}; correct dataset.json",
        )
    ours, theirs = (p.geometry and p.geometry.spacing_um for p in (image, labels))
    if ours and theirs and not np.allclose(ours, theirs, rtol=0.01):
        yield error(
            "spacing_mismatch",
            entry.label,
            f"has the spacing {theirs} µm, its image {ours} µm; correct the one that is wrong",
        )
    if (image.affine is None) != (labels.affine is None):
        yield error("format_mismatch", entry.label, "one of image and labels is NIfTI and the other is not; use one")
    elif image.affine is not None:
        yield from _check_affines(entry, image.affine, labels.affine)


def _check_affines(entry: Entry, of_image: np.ndarray, of_labels: np.ndarray) -> Iterator[Finding]:
    ours, theirs = stored_axes(of_image), stored_axes(of_labels)
    apart = float(np.abs(of_image - of_labels).max())
    if ours != theirs:
        yield error(
            "orientation_mismatch",
            entry.label,
            f"is stored as {theirs}, its image as {ours}; the voxels do not correspond, reorient one",
        )
    elif apart > 0.01:
        yield error(
            "affine_mismatch",
            entry.label,
            f"lies up to {apart:.3g} mm beside its image (affines differ); resample one onto the other",
        )


def check_common_geometry(description: Description, pixels: dict[str, tuple]) -> Iterator[Finding]:
    """Across the set: channels, dimensions, dtypes, orientations and spacings that differ.

    Args:
        description: of the data set.
        pixels: per image file (dtype, axes without C, spacing in µm or None, orientation or "", channels).
    """
    kinds = (
        (0, "mixed_dtypes", "pixel types", "intensities are on different scales; convert to one"),
        (1, "mixed_axes", "dimensions", "a 2D bundle takes stacks section by section, a 3D one needs volumes only"),
        (4, "mixed_channels", "numbers of channels", "convert to one, or let the bundle make them gray"),
        (3, "mixed_orientations", "orientations", "let the bundle reorient them (Orientationd)"),
    )
    for index, code, what, advice in kinds:
        counts = Counter(p[index] for p in pixels.values())
        if len(counts) > 1:
            rare = min(counts, key=lambda k: counts[k])
            example = next(f for f, p in pixels.items() if p[index] == rare)
            listed = ", ".join(f"{k} ({n})" for k, n in counts.most_common())
            yield warning(code, example, f"{what} differ in this set: {listed}; {advice}")
    yield from _check_declared_spacing(description, pixels)


def _check_declared_spacing(description: Description, pixels: dict[str, tuple]) -> Iterator[Finding]:
    scale = MICROMETRES.get(description.unit or "")
    if description.spacing is None or scale is None:
        return
    declared = np.array(description.spacing) * scale
    for file, (_, _, spacing, *_) in pixels.items():
        if spacing and (len(spacing) != len(declared) or not np.allclose(spacing, declared, rtol=0.01)):
            yield warning(
                "spacing_not_as_declared",
                file,
                f"has the spacing {spacing} µm, dataset.json says {tuple(declared.tolist())} µm; correct one",
            )
