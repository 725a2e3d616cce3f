"""What lies inside neurons in an EM section: mitochondria with cristae, vesicles, synaptic densities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_tools.synth.em_cells import Section


@dataclass(frozen=True)
class Mitochondrion:
    """An ellipsoid (semi-axes in px, `reach` in sections) in one cell; `angle` turns it in the plane."""

    centre: tuple[float, float, float]
    cell: int
    semi_axes: tuple[float, float]
    reach: float
    angle: float
    crista_px: float
    darkness: float


def draw_mitochondria(rng: np.random.Generator, sections: list[Section]) -> list[Mitochondrion]:
    """Place mitochondria in cells wide enough to hold one, about 7 to see per 512 x 512 section."""
    found = []
    for z, section in enumerate(sections):
        room = np.flatnonzero(section.distance > 15)
        # Each is seen in about five sections, so fewer are born per section of a stack.
        expected = section.cells.size / 512**2 * (7.0 if len(sections) == 1 else 2.2)
        for pixel in rng.choice(room, min(rng.poisson(expected), len(room))) if len(room) else ():
            y, x = np.unravel_index(pixel, section.cells.shape)
            if any(_close(m, z, y, x) for m in found):
                continue
            minor = min(0.85 * section.distance[y, x], rng.uniform(12, 27))
            found.append(
                Mitochondrion(
                    centre=(z + rng.uniform(-0.3, 0.3), int(y), int(x)),
                    cell=int(section.cells[y, x]),
                    semi_axes=(minor * rng.uniform(1.0, 1.7), minor),
                    reach=rng.uniform(2.0, 5.0),
                    angle=rng.uniform(0, np.pi),
                    crista_px=rng.uniform(4.5, 6.5),
                    darkness=rng.uniform(45, 80),
                )
            )
    return found


def _close(m: Mitochondrion, z: int, y: int, x: int) -> bool:
    reach = 2.5 * max(m.semi_axes)
    return abs(z - m.centre[0]) < 2 * m.reach and np.hypot(y - m.centre[1], x - m.centre[2]) < reach


def paint_mitochondria(
    image: np.ndarray, section: Section, z: int, mitochondria: list[Mitochondrion], bend: np.ndarray
) -> None:
    """Darken `image` (float, in place) where a mitochondrion of its cell passes section `z`.

    `bend` is a smooth field (about unit variance) that makes outlines and cristae wavy.
    """
    for m in mitochondria:
        slab = 1 - ((z - m.centre[0]) / m.reach) ** 2
        if slab <= 0.05:
            continue
        half = int(1.3 * m.semi_axes[0]) + 3
        y0, x0 = max(int(m.centre[1]) - half, 0), max(int(m.centre[2]) - half, 0)
        window = (slice(y0, int(m.centre[1]) + half), slice(x0, int(m.centre[2]) + half))
        local_bend = bend[window]
        dy = np.arange(y0, y0 + local_bend.shape[0])[:, None] - m.centre[1]
        dx = np.arange(x0, x0 + local_bend.shape[1])[None, :] - m.centre[2]
        along = np.cos(m.angle) * dx + np.sin(m.angle) * dy
        across = np.cos(m.angle) * dy - np.sin(m.angle) * dx
        a, b = (s * np.sqrt(slab) for s in m.semi_axes)
        depth = (1 - np.hypot(along / a, across / b) + 0.08 * local_bend) * b  # px inside the outline
        depth = np.minimum(depth, section.distance[window] - 5)
        body = (section.cells[window] == m.cell) / (1 + np.exp(-2 * np.clip(depth, -20, 20)))
        cristae = np.cos(2 * np.pi * (along + 2.5 * local_bend + 0.25 * across) / m.crista_px)
        rim = np.exp(-((depth / 1.6) ** 2))
        inner = 0.8 + 0.3 * cristae * np.clip(depth / 3, 0, 1)
        image[window] -= m.darkness * body * inner + 22 * rim * (section.cells[window] == m.cell)


def paint_vesicles(image: np.ndarray, section: Section, rng: np.random.Generator) -> None:
    """Draw small rings (about 40 nm vesicles) in clusters inside some of the cells, in place."""
    room = np.flatnonzero(section.distance > 11)
    if not len(room):
        return
    clusters = rng.choice(room, rng.poisson(section.cells.size / 512**2 * 60))
    for y, x in zip(*np.unravel_index(clusters, section.cells.shape), strict=True):
        spread = rng.uniform(8, 40)
        for oy, ox in rng.normal(0, spread, (rng.integers(2, 15), 2)):
            cy, cx, radius = y + oy, x + ox, rng.uniform(2.2, 4.4)
            iy, ix = round(cy), round(cx)
            if not (7 <= iy < image.shape[0] - 7 and 7 <= ix < image.shape[1] - 7):
                continue
            if section.cells[iy, ix] != section.cells[y, x] or section.distance[iy, ix] < 8:
                continue
            window = (slice(iy - 7, iy + 8), slice(ix - 7, ix + 8))
            r = np.hypot(np.arange(iy - 7, iy + 8)[:, None] - cy, np.arange(ix - 7, ix + 8)[None, :] - cx)
            ring = np.exp(-(((r - radius) / 0.95) ** 2))
            fill = 1 / (1 + np.exp(3 * (r - radius)))
            dense = rng.random() < 0.15
            image[window] -= rng.uniform(22, 48) * ring + (28 if dense else -5) * fill


def paint_synapses(image: np.ndarray, section: Section, rng: np.random.Generator) -> None:
    """Darken short stretches of membrane: synaptic densities and T-bars, in place."""
    borders = np.flatnonzero(section.distance <= 1)
    if not len(borders):
        return
    height, width = image.shape
    sites = rng.choice(borders, rng.poisson(section.cells.size / 512**2 * 9))
    for y, x in zip(*np.unravel_index(sites, image.shape), strict=True):
        size = rng.uniform(3.5, 10)
        half = int(3 * size)
        window = (slice(max(y - half, 0), y + half + 1), slice(max(x - half, 0), x + half + 1))
        dy = np.arange(height)[window[0], None] - y
        dx = np.arange(width)[None, window[1]] - x
        angle, stretch = rng.uniform(0, np.pi), rng.uniform(1, 2)
        u = (np.cos(angle) * dx + np.sin(angle) * dy) / stretch
        v = np.cos(angle) * dy - np.sin(angle) * dx
        image[window] -= rng.uniform(20, 60) * np.exp(-(u**2 + v**2) / (2 * (size / 1.6) ** 2))
