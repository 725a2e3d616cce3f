"""Fluorescence nuclei: touching ellipses or ellipsoids with chromatin, PSF blur and camera noise."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from data_tools.synth.blobs import Blob, assign, random_axes, scatter
from data_tools.synth.sample import CellSample
from data_tools.synth.shape import checked_shape
from medseg.errors import InputError


def nuclei(
    shape: tuple[int, ...] = (256, 256),
    seed: int = 0,
    *,
    diameter_px: float = 22.0,
    coverage: float = 0.18,
    touching: float = 0.35,
    bits: int = 8,
) -> CellSample:
    """Draw nuclei as a wide-field microscope shows them, 2D (Y, X) or 3D (Z, Y, X).

    Args:
        shape: Y and X at least 16; in 3D a step in Z is two steps in Y.
        seed: the same seed and arguments give the same sample, bit for bit.
        diameter_px: mean diameter of a nucleus in Y and X.
        coverage: fraction of the image that nuclei aim to cover, 0 (none) to 0.6.
        touching: fraction of nuclei that are put right beside another.
        bits: 8 (uint8) or 16 (uint16 with the range of a 12-bit camera).

    Returns:
        `image` and `labels` (uint16, dense ids, each one piece) of `shape`.

    Raises:
        InputError: an impossible shape, diameter, coverage, fraction or number of bits.
    """
    depth, height, width = checked_shape(shape, smallest=16)
    flat = len(shape) == 2
    if bits not in (8, 16):
        raise InputError(f"bits is {bits}; choose 8 or 16")
    if not 0 <= coverage <= 0.6 or not 0 <= touching <= 1:
        raise InputError(f"coverage is {coverage} (0 to 0.6), touching is {touching} (0 to 1)")
    if not 4 <= diameter_px <= 4 * max(height, width):
        raise InputError(f"diameter_px is {diameter_px}; it must be at least 4 and not dwarf the image")
    rng = np.random.default_rng(seed)
    extent = (height, width) if flat else (depth, height, width)
    blobs = _draw_blobs(rng, extent, diameter_px, coverage, touching)
    labels = assign(extent, blobs, smallest=max(9, int(diameter_px**2 / 50)))
    light = _light(rng, extent, blobs)
    blur = rng.uniform(0.7, 1.5)
    light = gaussian_filter(light, blur if flat else (1.5 * blur, blur, blur))
    light += 0.06 * gaussian_filter(light, diameter_px if flat else (0.4 * diameter_px,) + 2 * (diameter_px,))
    return CellSample(_camera(rng, light, bits), labels)


def _draw_blobs(
    rng: np.random.Generator, extent: tuple[int, ...], diameter: float, coverage: float, touching: float
) -> list[Blob]:
    dimensions = len(extent)
    scale = np.array([0.5, 1, 1])[-dimensions:]  # a step in Z is two steps in Y
    volume = {2: np.pi / 4, 3: np.pi / 6}[dimensions] * diameter**dimensions * scale.prod()
    count = int(np.ceil(coverage * np.prod(extent) / volume))
    sizes = np.sort(0.5 * diameter * rng.lognormal(0, 0.18, count))[::-1]
    centres, chosen = scatter(rng, extent, sizes[:, None] * scale, touching)
    blobs = []
    for centre, size in zip(centres, sizes[chosen], strict=True):
        stretch = rng.uniform(1.0, 1.7) ** 0.5
        semi_axes = size * np.array([1.0, 1 / stretch, stretch])[-dimensions:] * scale
        waves = tuple((rng.normal(0, a), k, rng.uniform(0, 2 * np.pi)) for k, a in ((2, 0.05), (3, 0.04), (5, 0.015)))
        blobs.append(Blob(centre, semi_axes, random_axes(rng, dimensions), waves))
    return blobs


def _light(rng: np.random.Generator, extent: tuple[int, ...], blobs: list[Blob]) -> np.ndarray:
    """Fluorescence of all nuclei, each of about 1; where they overlap their light adds."""
    chromatin = gaussian_filter(rng.standard_normal(extent, dtype=np.float32), 1.6)
    chromatin /= max(float(chromatin.std()), 1e-6)
    coarse = gaussian_filter(rng.standard_normal(extent, dtype=np.float32), 4.0)
    coarse /= max(float(coarse.std()), 1e-6)
    light = np.zeros(extent, dtype=np.float32)
    for blob in blobs:
        window, gauge = blob.gauge(extent)
        brightness = rng.lognormal(0, 0.35) * (2.2 if rng.random() < 0.04 else 1.0)
        thickness = np.sqrt(np.clip(1 - gauge**2, 0, None)) ** rng.uniform(0.3, 0.9)
        texture = 1 + rng.uniform(0.05, 0.2) * chromatin[window] + 0.08 * coarse[window]
        light[window] += brightness * thickness * np.clip(texture, 0.3, None)
    return light


def _camera(rng: np.random.Generator, light: np.ndarray, bits: int) -> np.ndarray:
    """Photon noise, uneven lamp, offset and read noise; uint8, or uint16 with the range of 12 bits."""
    grids = np.meshgrid(*(np.linspace(-1, 1, n) for n in light.shape[-2:]), indexing="ij")
    tilt = rng.normal(0, 0.08, 2)
    lamp = 1 + tilt[0] * grids[0] + tilt[1] * grids[1] - 0.1 * (grids[0] ** 2 + grids[1] ** 2)
    photons = rng.uniform(150, 600)
    background = rng.uniform(0.01, 0.06)
    seen = rng.poisson(photons * lamp * (light + background)) / photons
    seen = seen + rng.normal(0, 0.008, light.shape)
    if bits == 8:
        return np.clip(np.rint(6 + rng.uniform(50, 110) * seen), 0, 255).astype(np.uint8)
    return np.clip(np.rint(120 + rng.uniform(500, 1200) * seen), 0, 4095).astype(np.uint16)
