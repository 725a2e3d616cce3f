"""Star-convex blobs of random size, place and outline, and which pixel belongs to which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage.measure import label

Window = tuple[slice, ...]


@dataclass(frozen=True)
class Blob:
    """An ellipse or ellipsoid with a wavy outline: `centre` and `semi_axes` in pixels, `axes` its directions.

    Its gauge at a point is 0 in the centre and 1 on the outline; `waves` (amplitude, frequency, phase) bend
    the outline in the plane, `spikes` (length, width, angle) draw it out.
    """

    centre: np.ndarray
    semi_axes: np.ndarray
    axes: np.ndarray
    waves: tuple[tuple[float, int, float], ...] = ()
    spikes: tuple[tuple[float, float, float], ...] = ()

    def gauge(self, shape: tuple[int, ...], margin: float = 1.0) -> tuple[Window, np.ndarray]:
        """Return the window of `shape` around the blob, `margin` times its size, and the gauge there."""
        longest = 1 + sum(s[0] for s in self.spikes) + sum(abs(w[0]) for w in self.waves)
        reach = np.abs(self.axes.T * self.semi_axes).sum(axis=1) * longest * margin + 2
        start = np.maximum(np.floor(self.centre - reach), 0).astype(int)
        stop = np.minimum(np.ceil(self.centre + reach) + 1, shape).astype(int)
        window = tuple(slice(a, max(a, b)) for a, b in zip(start, stop, strict=True))
        grid = np.meshgrid(*(np.arange(w.start, w.stop) for w in window), indexing="ij")
        offset = np.stack(grid, axis=-1) - self.centre
        along = (offset @ self.axes.T) / self.semi_axes
        radius = np.sqrt((along**2).sum(axis=-1))
        if not self.waves and not self.spikes:
            return window, radius
        angle = np.arctan2(along[..., -2], along[..., -1])
        outline = np.ones(radius.shape)
        for amplitude, frequency, phase in self.waves:
            outline += amplitude * np.cos(frequency * angle + phase)
        for length, width, direction in self.spikes:
            outline += length * np.exp((np.cos(angle - direction) - 1) / width**2)
        return window, radius / np.maximum(outline, 0.2)


def random_axes(rng: np.random.Generator, dimensions: int) -> np.ndarray:
    """Return random orthonormal directions: any turn in 2D; in 3D a turn in the plane and a slight tilt."""
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    if dimensions == 2:
        return turn
    axes = np.eye(3)
    axes[1:, 1:] = turn
    tilt = rng.normal(0, 0.25)
    lean = np.array([[np.cos(tilt), np.sin(tilt), 0], [-np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    return axes @ lean


def scatter(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    radii: np.ndarray,
    touching: float,
    closest: float = 0.8,
) -> tuple[np.ndarray, np.ndarray]:
    """Place discs or balls without much overlap; a fraction `touching` is put right beside an earlier one.

    Args:
        rng: source of randomness.
        shape: of the image; centres may lie up to half a radius outside.
        radii: (n, dimensions) per object, largest first.
        touching: fraction that gets a neighbour at contact distance.
        closest: smallest distance of two centres as a fraction of the sum of their radii.

    Returns:
        Centres (m, dimensions) and the indices into `radii` that found a place.
    """
    size = np.array(shape, dtype=float)
    centres = np.empty((0, len(shape)))
    chosen: list[int] = []
    for index, radius in enumerate(radii):
        for _ in range(30):
            if len(chosen) and rng.random() < touching:
                other = rng.integers(len(chosen))
                direction = rng.standard_normal(len(shape))
                direction /= np.linalg.norm(direction)
                gap = (radius + radii[chosen[other]]) * rng.uniform(closest, 1.0)
                centre = centres[other] + direction * gap
            else:
                centre = rng.uniform(-0.5 * radius, size + 0.5 * radius)
            if (centre < -0.5 * radius).any() or (centre > size + 0.5 * radius).any():
                continue
            apart = np.sqrt((((centre - centres) / (radius + radii[chosen])) ** 2).sum(axis=1))
            if not len(chosen) or apart.min() >= closest - 1e-9:
                centres = np.vstack([centres, centre])
                chosen.append(index)
                break
    return centres, np.array(chosen, dtype=int)


def assign(shape: tuple[int, ...], blobs: list[Blob], smallest: int) -> np.ndarray:
    """Return uint16 labels: each pixel goes to the blob with the least gauge below 1.

    Of a blob that others cut in pieces the largest piece stays; pieces below `smallest` pixels vanish. Ids
    are dense.
    """
    best = np.ones(shape, dtype=np.float32)
    owner = np.zeros(shape, dtype=np.int64)
    for number, blob in enumerate(blobs, start=1):
        window, gauge = blob.gauge(shape)
        nearer = gauge < best[window]
        best[window][nearer] = gauge[nearer]
        owner[window][nearer] = number
    pieces = label(owner, background=0, connectivity=1)
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    first = np.unique(pieces, return_index=True)
    owners = np.zeros(len(areas), dtype=np.int64)
    owners[first[0]] = owner.ravel()[first[1]]
    largest: dict[int, int] = {}
    for piece in np.argsort(-areas, kind="stable"):
        if areas[piece] >= smallest:
            largest.setdefault(int(owners[piece]), int(piece))
    ids = np.zeros(len(areas), dtype=np.uint16)
    for new, number in enumerate(sorted(largest), start=1):
        ids[largest[number]] = new
    return ids[pieces]
