"""ssTEM-like sections: curved cells, dark membranes, organelles, noise; with exact instance truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from data_tools.synth.em_cells import Neuropil, Section, section_labels
from data_tools.synth.em_organelles import (
    Mitochondrion,
    draw_mitochondria,
    paint_mitochondria,
    paint_synapses,
    paint_vesicles,
)
from data_tools.synth.sample import CellSample
from data_tools.synth.shape import checked_shape
from data_tools.synth.smooth_field import SmoothField
from medseg.errors import InputError


def em_sections(shape: tuple[int, ...] = (512, 512), seed: int = 0, *, membrane_px: float = 6.5) -> CellSample:
    """Draw synthetic serial-section TEM of neuropil, at about 4 nm per pixel and 50 nm per section.

    Args:
        shape: (Y, X) for one section or (Z, Y, X) for a stack; Y and X at least 16.
        seed: the same seed and shape give the same sample, bit for bit.
        membrane_px: mean width of the membranes in `labels`, at least 3.

    Returns:
        `image` uint8 and `labels` uint16 of `shape`. 0 is membrane; within one section each id is one
        4-connected cell interior and no two ids touch. In a stack a cell keeps its id through the sections.

    Raises:
        InputError: for a shape that is not two- or three-dimensional or too small, or too thin a membrane.
    """
    depth, height, width = checked_shape(shape, smallest=16)
    if not membrane_px >= 3:
        raise InputError(f"membrane_px is {membrane_px}; membranes need at least 3 pixels to keep cells apart")
    rng = np.random.default_rng(seed)
    tissue = Neuropil.draw(rng, (depth, height, width), membrane_px)
    sections = [tissue.section(z) for z in range(depth)]
    cell_count = len(tissue.tessellation.cell_of_seed)
    look = _Look.draw(rng, (depth, height, width), cell_count)
    mitochondria = draw_mitochondria(rng, sections)

    labels = np.zeros((depth, height, width), dtype=np.int64)
    image = np.empty((depth, height, width), dtype=np.uint8)
    for z, section in enumerate(sections):
        labels[z] = section_labels(section, next_id=max(cell_count, int(labels.max())) + 1)
        image[z] = _render(section, z, look, mitochondria, rng)
    dense = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    dense += labels.min() > 0  # a section without any membrane has no 0 to take the first rank
    return CellSample(image.reshape(shape), _as_uint16(dense).reshape(shape))


def _as_uint16(labels: np.ndarray) -> np.ndarray:
    if labels.max(initial=0) > 65535:
        raise InputError(f"the stack holds {labels.max()} cells, more than uint16 can name; draw smaller stacks")
    return labels.astype(np.uint16)


@dataclass(frozen=True)
class _Look:
    """How the tissue is stained: grey and grain of each cell, fields that vary slowly over the stack."""

    grey: np.ndarray
    grain: np.ndarray
    stripes: np.ndarray
    contrast: SmoothField
    illumination: SmoothField
    bend: SmoothField

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int, int], cells: int) -> _Look:
        dark = rng.random(cells) < 0.12  # glia and some axons are darker and coarser
        return cls(
            grey=(rng.normal(153, 7, cells) - 25 * dark).astype(np.float32),
            grain=(rng.lognormal(0.12, 0.2, cells) * (1 + 0.4 * dark)).astype(np.float32),
            stripes=rng.integers(0, 6, cells),
            contrast=SmoothField.draw(rng, shape, 40.0, 3.0),
            illumination=SmoothField.draw(rng, shape, 220.0, 1.5),
            bend=SmoothField.draw(rng, shape, 9.0, 3.0),
        )


def _noise(rng: np.random.Generator, shape: tuple[int, int], sigma_px: float | tuple) -> np.ndarray:
    """Return Gaussian noise of unit variance, correlated over `sigma_px`."""
    noise = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma_px, mode="wrap")
    return noise / max(float(noise.std()), 1e-6)


def _render(
    section: Section, z: int, look: _Look, mitochondria: list[Mitochondrion], rng: np.random.Generator
) -> np.ndarray:
    """Return the section as the microscope shows it, uint8."""
    shape = section.cells.shape
    # Ribosomes and filaments: grain of two sizes; microtubules cut lengthwise: streaks in some cells.
    fine = _noise(rng, shape, 1.1)
    specks = np.clip(_noise(rng, shape, 1.4) - 1.2, 0, 2)
    texture = 13.0 * fine - 26.0 * specks + 9.0 * _noise(rng, shape, 2.2) + 5.0 * _noise(rng, shape, 7.0)
    line = np.exp(-0.5 * (section.distance / 2.1) ** 2)
    stripes = look.stripes[section.cells]
    for kind, sigma in ((1, (1.0, 7.0)), (2, (7.0, 1.0))):
        texture += 6.0 * (stripes == kind) * _noise(rng, shape, sigma)
    image = look.grey[section.cells] + look.grain[section.cells] * texture * (1 - 0.6 * line)

    paint_vesicles(image, section, rng)
    paint_mitochondria(image, section, z, mitochondria, look.bend.section(z))
    contrast = np.clip(1 + 0.22 * look.contrast.section(z), 0.45, 1.5)
    smear = gaussian_filter((~section.interior).astype(np.float32), 2.5) ** 2
    image -= 84 * contrast * (1 - (1 - 0.9 * line) * (1 - 0.75 * smear))
    paint_synapses(image, section, rng)

    image = gaussian_filter(image, 0.6) + 9.0 * _noise(rng, shape, 0.6)
    gain = rng.uniform(0.9, 1.1) + 0.04 * look.illumination.section(z)
    image = (image - 125) * gain + 125 + 7 * look.illumination.section(z) + rng.normal(0, 7)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
