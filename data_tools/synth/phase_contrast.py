"""Phase-contrast-like cells: spread, spiky and touching, hardly darker than the ground, with bright halos."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from data_tools.synth.blobs import Blob, assign, random_axes, scatter
from data_tools.synth.sample import CellSample
from data_tools.synth.shape import checked_shape
from medseg.errors import InputError

_COVERAGE = 0.22  # of the image that cells aim to cover
_TOUCHING = 0.5  # of the cells are put right beside another


def phase_contrast_cells(
    shape: tuple[int, int] = (512, 512), seed: int = 0, *, diameter_px: float = 62.0
) -> CellSample:
    """Draw adherent cells (fibroblast-like, some rounded up) as phase contrast shows them.

    The image is background minus the phase of the cells plus its blur: the objective's ring takes only the
    fine detail of the phase for signal, whence the bright halo and the grey inside of wide cells.

    Args:
        shape: (Y, X), both at least 16; phase contrast is two-dimensional.
        seed: the same seed and arguments give the same sample, bit for bit.
        diameter_px: mean diameter of a spread cell without its spikes.

    Returns:
        `image` uint8 and `labels` (uint16, dense ids, each one piece) of `shape`.

    Raises:
        InputError: an impossible shape or diameter.
    """
    if len(shape) != 2:
        raise InputError(f"shape is {shape}; phase contrast is two-dimensional, give (Y, X)")
    _, height, width = checked_shape(shape, smallest=16)
    if not 8 <= diameter_px <= 4 * max(height, width):
        raise InputError(f"diameter_px is {diameter_px}; it must be at least 8 and not dwarf the image")
    rng = np.random.default_rng(seed)
    extent = (height, width)
    cells, rounded = _draw_cells(rng, extent, diameter_px)
    labels = assign(extent, cells, smallest=max(16, int(diameter_px**2 / 60)))
    return CellSample(_image(rng, extent, cells, rounded, labels, diameter_px), labels)


def _draw_cells(rng: np.random.Generator, extent: tuple[int, int], diameter: float) -> tuple[list[Blob], list[bool]]:
    count = int(np.ceil(_COVERAGE * extent[0] * extent[1] / (np.pi / 4 * diameter**2)))
    sizes = np.sort(0.5 * diameter * rng.lognormal(0, 0.25, count))[::-1]
    centres, chosen = scatter(rng, extent, np.repeat(sizes[:, None], 2, axis=1), _TOUCHING, closest=0.85)
    cells, rounded = [], []
    for centre, size in zip(centres, sizes[chosen], strict=True):
        is_round = rng.random() < 0.1
        if is_round:
            cells.append(Blob(centre, np.full(2, 0.45 * size), random_axes(rng, 2), ((0.03, 2, rng.uniform(0, 6)),)))
        else:
            stretch = rng.uniform(1.0, 2.6) ** 0.5
            waves = tuple(
                (rng.normal(0, a), k, rng.uniform(0, 6.3)) for k, a in ((2, 0.1), (3, 0.12), (5, 0.06), (11, 0.03))
            )
            spikes = tuple(
                (rng.uniform(0.4, 1.5), rng.uniform(0.07, 0.24), rng.uniform(0, 6.3)) for _ in range(rng.integers(2, 6))
            )
            semi_axes = 0.8 * size * np.array([1 / stretch, stretch])
            cells.append(Blob(centre, semi_axes, random_axes(rng, 2), waves, spikes))
        rounded.append(is_round)
    return cells, rounded


def _noise(rng: np.random.Generator, extent: tuple[int, int], sigma_px: float) -> np.ndarray:
    noise = gaussian_filter(rng.standard_normal(extent, dtype=np.float32), sigma_px, mode="wrap")
    noise -= noise.mean()
    return noise / max(float(noise.std()), 1e-6)


def _image(
    rng: np.random.Generator,
    extent: tuple[int, int],
    cells: list[Blob],
    rounded: list[bool],
    labels: np.ndarray,
    diameter: float,
) -> np.ndarray:
    phase = np.zeros(extent, dtype=np.float32)
    ruffles, grains = _noise(rng, extent, 1.4), _noise(rng, extent, 1.1)
    for cell, is_round in zip(cells, rounded, strict=True):
        window, gauge = cell.gauge(extent, margin=1.5 if is_round else 1.0)
        height = np.sqrt(np.clip(1 - gauge**2, 0, None))
        if is_round:  # thick enough to act as a lens: dark middle, glaring rim
            phase[window] += 45 * height + 25 * np.exp(-((gauge / 0.3) ** 2))
            rim = rng.uniform(60, 130) * np.exp(-(((gauge - 1.0) / 0.13) ** 2))
            phase[window] -= rim * (1 + 0.3 * ruffles[window])
            continue
        nucleus = np.exp(-((gauge / 0.42) ** 4))
        body = (11 + 10 * height) * (gauge < 1) + 7 * nucleus
        detail = (gauge < 1) * (7 * ruffles[window] * (1 - 0.6 * nucleus) + 16 * (grains[window] > 1.8) * (1 - nucleus))
        inside = gauge < 1
        phase[window][inside] = np.maximum(phase[window], body + detail)[inside]
        for _ in range(rng.integers(1, 4)):  # nucleoli
            y, x = cell.centre + rng.normal(0, 0.12 * diameter / 2, 2)
            yy, xx = (np.arange(w.start, w.stop) for w in window)
            spot = np.exp(-((yy[:, None] - y) ** 2 + (xx[None, :] - x) ** 2) / (2 * 1.7**2))
            phase[window] += 26 * spot * (gauge < 0.6)
    phase += _debris(rng, extent, labels)
    # Cell borders, where the membrane stands upright, are thin dark lines also between touching cells.
    border = np.zeros(extent, dtype=np.float32)
    border[1:] += labels[1:] != labels[:-1]
    border[:, 1:] += labels[:, 1:] != labels[:, :-1]
    phase += 20 * gaussian_filter(np.minimum(border, 1), 0.8)
    phase = gaussian_filter(phase, 0.7)
    halo = 0.9 * gaussian_filter(phase, 4.0) + 0.35 * gaussian_filter(phase, 14.0)
    halo += 0.9 * np.clip(gaussian_filter(phase, 3.0) - phase, 0, None)
    shading = 4 * _noise(rng, extent, max(extent) / 3)
    image = 116 + shading - 1.8 * phase + halo + 1.6 * _noise(rng, extent, 0.7) + 1.2 * _noise(rng, extent, 2.5)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _debris(rng: np.random.Generator, extent: tuple[int, int], labels: np.ndarray) -> np.ndarray:
    """Specks on the ground between the cells, dark or bright, that are no cells."""
    dust = np.zeros(extent, dtype=np.float32)
    for _ in range(rng.poisson(extent[0] * extent[1] / 512**2 * 110)):
        y, x = rng.integers(0, extent[0]), rng.integers(0, extent[1])
        if labels[y, x] == 0:
            dust[y : y + rng.integers(2, 5), x : x + rng.integers(2, 6)] += rng.choice([22.0, 40.0, -16.0])
    return gaussian_filter(dust, 1.0)
