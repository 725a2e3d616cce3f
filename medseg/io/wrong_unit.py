"""A pixel or voxel size in a wrong unit shows: nothing that is looked at is of that size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medseg.io.geometry import Geometry

EXTENT_MM = (20, 2500)  # least and greatest length of a patient's longest side
_ACROSS = 0.4  # of the greatest length: a scanner's ring is narrower than a patient is long
_SMALL, _FINE_MM = 5, 0.5  # a patient in cm is below 5 times the least length, with finer voxels than most scans
_ATOM_UM, _CELL_UM = 1e-4, 100


def why_no_patient(
    spacing_mm: Sequence[float], shape: Sequence[int], extent_mm: Sequence[float] = EXTENT_MM
) -> str | None:
    """What to say of a volume that no patient fits; None if one does.

    Args:
        spacing_mm: voxel size as stated.
        shape: voxels along the same axes.
        extent_mm: least and greatest length of the longest side. The second longest is at most 0.4 times the greatest.
    """
    least, greatest = extent_mm
    *_, across, longest = sorted(np.multiply(spacing_mm, shape))
    if least <= longest <= greatest and across <= _ACROSS * greatest:
        return None
    return f"{_sizes(spacing_mm, shape)}: no patient is of that size. Is the voxel size right, and in mm?"


def why_perhaps_in_cm(
    spacing_mm: Sequence[float], shape: Sequence[int], extent_mm: Sequence[float] = EXTENT_MM
) -> str | None:
    """What to say of a volume into which a patient would fit if its voxel size were in cm; None of others."""
    if max(np.multiply(spacing_mm, shape)) >= _SMALL * extent_mm[0] or max(spacing_mm) >= _FINE_MM:
        return None
    return f"{_sizes(spacing_mm, shape)}: small for a patient. Is the voxel size in mm, not in cm?"


def why_no_microscopy(geometry: Geometry) -> str | None:
    """What to say of pixels smaller than an atom or larger than cells; None of others or of unknown size."""
    if geometry.spacing_um is None:
        return None
    lateral = [s for s, axis in zip(geometry.spacing_um, geometry.spatial_axes, strict=True) if axis != "Z"]
    if min(lateral) >= _ATOM_UM and max(lateral) <= _CELL_UM:
        return None
    what = "smaller than an atom" if min(lateral) < _ATOM_UM else "larger than cells"
    return f"the file states pixels of {_by(lateral)} µm, {what}. Is that right, and the unit?"


def _sizes(spacing_mm: Sequence[float], shape: Sequence[int]) -> str:
    return f"{_by(np.multiply(spacing_mm, shape))} mm large, voxels of {_by(spacing_mm)} mm"


def _by(lengths: Sequence[float]) -> str:
    return " x ".join(f"{length:.4g}" for length in lengths)
