"""The geometry of synthetic neuropil: cells that bend through z, and the membranes between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt
from skimage.measure import label

from data_tools.synth.smooth_field import SmoothField
from data_tools.synth.tessellation import Tessellation

SECTION_STEP_PX = 5.0  # how far the tissue moves on per section; neurites run mostly along z
LARGEST_CELL_PX = 190.0
SPLIT = (0.8, 0.5, 0.22)  # octree: chances that a cube of 190, 95, 47 px is divided
MERGE = 0.4  # seeds that join their nearest neighbour: long and bent cells
WARPS = ((110.0, 22.0), (30.0, 7.0), (12.0, 1.6))  # (structure size, displacement), both in px
CORNER_PX = 2.5  # radius to which the corners of cells are rounded
SMALLEST_CELL_PX = 30  # interiors below this area become membrane, as annotators leave them


@dataclass(frozen=True)
class Section:
    """One section: cell id per pixel (int64), distance to the cell's border in px, interior mask."""

    cells: np.ndarray
    distance: np.ndarray
    interior: np.ndarray


@dataclass(frozen=True)
class Neuropil:
    """Tissue that is continuous in z; `section(z)` cuts it."""

    shape: tuple[int, int, int]
    tessellation: Tessellation
    warps: tuple[tuple[float, SmoothField, SmoothField], ...]
    thickness: SmoothField
    smear: SmoothField
    membrane_px: float

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int, int], membrane_px: float) -> Neuropil:
        """Draw tissue for a stack of `shape` (Z, Y, X) with membranes of mean width `membrane_px`."""
        depth, height, width = shape
        reach = sum(amplitude for _, amplitude in WARPS) * 3
        extent = (depth * SECTION_STEP_PX + 1, height + 2 * reach, width + 2 * reach)
        return cls(
            shape=shape,
            tessellation=Tessellation.draw(rng, extent, largest=LARGEST_CELL_PX, split=SPLIT, merge=MERGE),
            warps=tuple(
                (amplitude, *(SmoothField.draw(rng, shape, size, size / SECTION_STEP_PX) for _ in range(2)))
                for size, amplitude in WARPS
            ),
            thickness=SmoothField.draw(rng, shape, 30.0, 4.0),
            smear=SmoothField.draw(rng, shape, 26.0, 2.5),
            membrane_px=membrane_px,
        )

    def section(self, z: int) -> Section:
        """Cut section `z`: which cell each pixel belongs to and what of it is interior."""
        _, height, width = self.shape
        reach = sum(amplitude for _, amplitude in WARPS) * 3
        y = np.arange(height, dtype=np.float32)[:, None] + reach
        x = np.arange(width, dtype=np.float32)[None, :] + reach
        for amplitude, along_y, along_x in self.warps:
            y = y + amplitude * along_y.section(z)
            x = x + amplitude * along_x.section(z)
        cells = self.tessellation.cells(z * SECTION_STEP_PX, y, x)
        distance = distance_to_borders(cells)
        # The two border pixels themselves are at distance 0, hence the missing half pixel on either side.
        half_width = 0.5 * self.membrane_px * np.exp(0.2 * self.thickness.section(z)) - 0.5
        # Where membranes run obliquely through the section they are seen as wide dark smears.
        half_width = half_width + 4.0 * np.clip(self.smear.section(z) - 1.6, 0, 2)
        return Section(cells, distance, rounded_interior(distance, np.maximum(half_width, 1.0)))


def distance_to_borders(cells: np.ndarray) -> np.ndarray:
    """Return the distance in px (float32) to the nearest pixel that has a 4-neighbour of another cell."""
    inside = np.ones(cells.shape, dtype=bool)
    for axis in (0, 1):
        differs = np.diff(cells, axis=axis) != 0
        before, after = [slice(None)] * 2, [slice(None)] * 2
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        inside[tuple(before)] &= ~differs
        inside[tuple(after)] &= ~differs
    if inside.all():  # one cell fills the section: no border anywhere
        return np.full(cells.shape, float(max(cells.shape)), dtype=np.float32)
    return distance_transform_edt(inside).astype(np.float32)


def rounded_interior(distance: np.ndarray, half_width: np.ndarray) -> np.ndarray:
    """Return the interior of cells: what is farther than `half_width` from a border, with round corners."""
    core = distance > half_width + CORNER_PX
    if core.all() or not core.any():
        return core
    # Shrink further, grow back: corners and three-cell junctions fill with membrane, as in real sections.
    return distance_transform_edt(~core) <= CORNER_PX


def section_labels(section: Section, next_id: int) -> np.ndarray:
    """Return int64 labels of a section: each 4-connected piece of interior has an id of its own.

    The largest piece of a cell takes the cell's id + 1; its other pieces take ids from `next_id` on.
    """
    pieces = label(section.interior, connectivity=1)
    areas = np.bincount(pieces.ravel())
    first = np.unique(pieces, return_index=True)
    owner = np.zeros(len(areas), dtype=np.int64)
    owner[first[0]] = section.cells.ravel()[first[1]]
    ids = np.zeros(len(areas), dtype=np.int64)
    named: set[int] = set()
    for piece in np.argsort(-areas, kind="stable"):
        if piece == 0 or areas[piece] < SMALLEST_CELL_PX:
            continue
        if owner[piece] in named:
            ids[piece], next_id = next_id, next_id + 1
        else:
            named.add(owner[piece])
            ids[piece] = owner[piece] + 1
    return ids[pieces]
