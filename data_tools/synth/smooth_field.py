"""Smooth random fields: uniform cubic B-splines with random coefficients, evaluated a section at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def bspline_basis(positions: np.ndarray, knots: int) -> np.ndarray:
    """Return the cubic B-spline weights, (len(positions), knots) float32, of `positions` in knot units.

    Position 0 is the first knot with full support; positions reach up to ``knots - 4`` (exclusive or equal).
    """
    positions = np.asarray(positions, dtype=np.float64)
    first = np.clip(np.floor(positions).astype(np.intp), 0, knots - 4)
    t = positions - first
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1)
    basis = np.zeros((len(positions), knots), dtype=np.float32)
    np.put_along_axis(basis, first[:, None] + np.arange(4), weights / 6, axis=1)
    return basis


@dataclass(frozen=True)
class SmoothField:
    """A smooth random function of (z, y, x) with standard deviation about 1, sampled in sections.

    The coefficients form a lattice with one knot every `spacing` pixels (and every `spacing_z` sections);
    a section is two small matrix products, so that a field costs about as much as adding two images.
    """

    coefficients: np.ndarray
    basis_y: np.ndarray
    basis_x: np.ndarray
    spacing_z: float

    @classmethod
    def draw(
        cls, rng: np.random.Generator, shape: tuple[int, int, int], spacing: float, spacing_z: float = 1.0
    ) -> SmoothField:
        """Draw a field over `shape` (Z, Y, X) whose structures are about `spacing` pixels wide."""
        z, y, x = shape
        counts = [int(np.ceil((n - 1) / s)) + 4 for n, s in ((z, spacing_z), (y, spacing), (x, spacing))]
        # A uniform cubic B-spline of unit-variance coefficients has variance about 0.48 per axis.
        gain = 0.479 ** (-1.5)
        return cls(
            coefficients=(rng.standard_normal(counts) * gain).astype(np.float32),
            basis_y=bspline_basis(np.arange(y) / spacing, counts[1]),
            basis_x=bspline_basis(np.arange(x) / spacing, counts[2]),
            spacing_z=spacing_z,
        )

    def section(self, z: float) -> np.ndarray:
        """Return the field in section `z` as (Y, X) float32."""
        weights = bspline_basis(np.array([z / self.spacing_z]), len(self.coefficients))[0]
        plane = np.tensordot(weights, self.coefficients, axes=1)
        return self.basis_y @ plane @ self.basis_x.T
