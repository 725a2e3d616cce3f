"""Dense displacement fields from a coarse grid of control points."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from scipy.interpolate import CubicSpline

_SAMPLES_PER_CELL = 8  # the field is a cubic between control points: eight samples show every fold worth naming
_LEAST_VOLUME = 0.05  # no place may shrink below this share of its volume; the margin covers between the samples


def displacement_field(control: np.ndarray, shape: Sequence[int], device: torch.device | str = "cpu") -> torch.Tensor:
    """Interpolate displacements of control points to every pixel by a cubic spline through the points.

    Args:
        control: ``(n, k_1, …, k_n)`` displacements in pixels, component i along axis i. The points are spread
            evenly, the outer ones on the centres of the outermost pixels.
        shape: the n sizes of the image.
        device: where to compute.

    Returns:
        ``(n, *shape)`` float32 displacements in pixels. Slopes across the border are zero (the field goes on
        mirrored), so that image and field reflect at the same place.
    """
    field = torch.as_tensor(control, dtype=torch.float32, device=device)
    for axis, (size, points) in enumerate(zip(shape, control.shape[1:], strict=True)):
        weights = torch.as_tensor(_weights(size, points, 0, size), dtype=torch.float32, device=device)
        field = (field.movedim(axis + 1, -1) @ weights.T).movedim(-1, axis + 1)
    return field.contiguous()


def smallest_jacobian(control: np.ndarray, shape: Sequence[int]) -> float:
    """Smallest determinant of the Jacobian of x → x + u(x): the worst local change of volume; ≤ 0 is a fold.

    Args:
        control, shape: as for :func:`displacement_field`.

    Returns:
        The minimum over eight samples per control cell and axis (all pixels where there are fewer).
    """
    ndim = len(shape)
    sides = list(zip(shape, control.shape[1:], strict=True))
    counts = [min(size, (points - 1) * _SAMPLES_PER_CELL + 1) for size, points in sides]
    jacobian = np.empty((*counts, ndim, ndim))
    for along in range(ndim):
        slope = control
        for axis, ((size, points), count) in enumerate(zip(sides, counts, strict=True)):
            weights = _weights(size, points, int(axis == along), count)
            slope = np.moveaxis(np.moveaxis(slope, axis + 1, -1) @ weights.T, -1, axis + 1)
        jacobian[..., along] = np.moveaxis(slope, 0, -1)
    jacobian += np.eye(ndim)
    return float(np.linalg.det(jacobian).min())


def without_folds(control: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Return ``control``, shrunk as a whole by steps of 0.8 until the deformation folds nowhere."""
    while smallest_jacobian(control, shape) < _LEAST_VOLUME:
        control = 0.8 * control
    return control


@lru_cache(maxsize=128)
def _weights(size: int, points: int, derivative: int, count: int) -> np.ndarray:
    """``(count, points)``: what each control point gives to ``count`` places spread over ``size`` pixels."""
    if points == 1:
        return np.full((count, 1), float(derivative == 0))
    # in units of control cells; an axis of one pixel sees its first control point
    cells_per_pixel = (points - 1) / (size - 1) if size > 1 else 0.0
    places = np.linspace(0, points - 1, count) if count > 1 else np.zeros(1)
    spline = CubicSpline(np.arange(points), np.eye(points), bc_type="clamped")
    return spline(places, derivative) * cells_per_pixel**derivative
