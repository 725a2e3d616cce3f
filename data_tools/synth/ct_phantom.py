"""CT-like phantoms: a trunk with organs in Hounsfield units, voxel spacing and affine, exact labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from data_tools.synth.shape import checked_shape
from data_tools.synth.smooth_field import SmoothField
from medseg.errors import InputError

CLASSES = {
    "0": "background",
    "1": "liver",
    "2": "spleen",
    "3": "right kidney",
    "4": "left kidney",
    "5": "spinal cord",
    "6": "right lung",
    "7": "left lung",
}


@dataclass(frozen=True)
class CTSample:
    """A CT: `image` int16 HU and `labels` uint8 (see `CLASSES`), axes (x, y, z) towards R, A, S; `affine` in mm."""

    image: np.ndarray
    labels: np.ndarray
    affine: np.ndarray
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True)
class _Organ:
    """An ellipsoid in body units: x from -1 (left) to 1 (right), y from back to front, z from feet to head."""

    value: int
    hounsfield: float
    centre: tuple[float, float, float]
    semi_axes: tuple[float, float, float]
    texture: float = 8.0


# Later ones lie over earlier ones. Hounsfield units as in portal-venous CT.
_ORGANS = (
    _Organ(6, -830, (0.45, 0.02, 1.0), (0.36, 0.62, 0.78), 35),
    _Organ(7, -830, (-0.47, 0.02, 1.0), (0.33, 0.6, 0.78), 35),
    _Organ(0, 45, (-0.14, 0.22, 0.82), (0.3, 0.36, 0.36)),  # heart
    _Organ(1, 105, (0.42, 0.1, 0.02), (0.48, 0.62, 0.46)),
    _Organ(0, 60, (-0.3, 0.28, 0.0), (0.28, 0.3, 0.34)),  # stomach
    _Organ(2, 115, (-0.68, -0.28, 0.06), (0.2, 0.3, 0.3)),
    _Organ(3, 160, (0.42, -0.38, -0.5), (0.16, 0.19, 0.3), 14),
    _Organ(4, 160, (-0.42, -0.38, -0.42), (0.16, 0.19, 0.3), 14),
    _Organ(0, 150, (-0.05, -0.22, 0.0), (0.06, 0.08, 9.0)),  # aorta
)


_NOISE_HU = 18.0


def ct_phantom(
    shape: tuple[int, ...] = (96, 80, 64), seed: int = 0, *, spacing_mm: tuple[float, float, float] = (4.0, 4.0, 5.0)
) -> CTSample:
    """Draw a trunk with organs, spine, ribs and fat as a CT, 3D (X, Y, Z) or one axial slice (X, Y).

    Args:
        shape: voxels to the right, to the front and up, X and Y at least 16. The body fills most of X and Y,
            and 400 mm of height are drawn around the upper abdomen.
        seed: the same seed and arguments give the same sample, bit for bit.
        spacing_mm: voxel size (x, y, z).

    Returns:
        A `CTSample`; its affine puts the centre of the volume at 0 and is diagonal (RAS).

    Raises:
        InputError: an impossible shape or spacing.
    """
    flat = len(shape) == 2
    depth, width, front = checked_shape((*shape[2:], *shape[:2]), smallest=16)
    size = (width, front, depth)
    if len(spacing_mm) != 3 or not all(0 < s < 100 for s in spacing_mm):
        raise InputError(f"spacing_mm is {spacing_mm}; give three positive voxel sizes (x, y, z) in mm")
    rng = np.random.default_rng(seed)
    x, y, z = _body_coordinates(rng, size, spacing_mm)
    image, labels = _paint(rng, x, y, z, size)
    image = gaussian_filter(image, (0.6, 0.6, 0.0 if flat else 0.5))
    image += _NOISE_HU * _grain(rng, size)
    image = np.clip(np.rint(image), -1024, 3071).astype(np.int16)
    affine = np.diag([*map(float, spacing_mm), 1.0])
    affine[:3, 3] = [-s * (n - 1) / 2 for s, n in zip(spacing_mm, size, strict=True)]
    return CTSample(image.reshape(shape), labels.reshape(shape), affine, tuple(map(float, spacing_mm)))


def _body_coordinates(
    rng: np.random.Generator, size: tuple[int, int, int], spacing: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of each voxel in body units, bent a little so that no two patients are alike."""
    # The trunk is half as wide again as it is deep; it fills 92 % of the field in the tighter direction.
    field_mm = np.array([n * s for n, s in zip(size[:2], spacing[:2], strict=True)])
    half_width = 0.46 * min(field_mm[0], 1.4 * field_mm[1]) * rng.uniform(0.92, 1.0)
    half_depth = half_width / rng.uniform(1.4, 1.6)
    halves = (half_width, half_depth, 200.0)
    axes = [(np.arange(n) - (n - 1) / 2) * s / half for n, s, half in zip(size, spacing, halves, strict=True)]
    axes[2] = axes[2] + rng.uniform(-0.06, 0.06) + 0.1
    grid = [g.astype(np.float32) for g in np.meshgrid(*axes, indexing="ij")]
    for axis, amplitude in ((0, 0.035), (1, 0.045), (2, 0.05)):
        bend = SmoothField.draw(rng, (size[2], size[0], size[1]), max(size[0] / 5, 4.0), max(size[2] / 4, 2.0))
        field = np.stack([bend.section(k) for k in range(size[2])], axis=-1)
        grid[axis] = grid[axis] + amplitude * field
    return tuple(grid)


def _paint(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, z: np.ndarray, size: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    image = np.full(size, -1000.0, dtype=np.float32)
    labels = np.zeros(size, dtype=np.uint8)
    skin = (np.abs(x) ** 2.3 + np.abs(y) ** 2.3) ** (1 / 2.3)
    fat_layer = rng.uniform(0.06, 0.16)
    image[skin < 1] = -100
    image[skin < 1 - fat_layer] = 55
    cavity = ((x / (0.9 - fat_layer)) ** 2 + ((y - 0.08) / (0.84 - fat_layer)) ** 2) < 1
    image[cavity] = -95  # visceral fat
    bowel = _grain(rng, size, 3.0)
    image[cavity & (z < -0.1) & (bowel > 0.2) & (y > -0.15)] = 40
    texture = _grain(rng, size, 1.5)
    for organ in _ORGANS:
        centre = np.array(organ.centre) + rng.normal(0, 0.025, 3)
        half = np.array(organ.semi_axes) * rng.uniform(0.88, 1.12, 3)
        inside = ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 + ((z - centre[2]) / half[2]) ** 2
        body = (inside < 1) & (skin < 0.97 - fat_layer)
        image[body] = organ.hounsfield + rng.normal(0, 10) + organ.texture * texture[body]
        labels[body] = organ.value
    _paint_bones(x, y, z, skin, fat_layer, image, labels)
    return image, labels


def _paint_bones(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    skin: np.ndarray,
    fat_layer: float,
    image: np.ndarray,
    labels: np.ndarray,
) -> None:
    """Vertebrae with discs, the spinal canal with its cord, and ribs around the chest; in place."""
    muscle = (np.abs(x) < 0.36) & (y < -0.42) & (skin < 1 - fat_layer)
    image[muscle & (labels == 0)] = 55
    body = (x / 0.19) ** 2 + ((y + 0.44) / 0.2) ** 2
    disc = np.cos(z * 200 / 30 * 2 * np.pi) > 0.75
    vertebra = body < 1
    image[vertebra] = np.where(disc[vertebra], 90, np.where(body[vertebra] > 0.72, 520, 230))
    labels[vertebra] = 0
    arch = ((x / 0.15) ** 2 + ((y + 0.7) / 0.13) ** 2) < 1
    image[arch & ~disc], labels[arch] = 450, 0
    canal = ((x / 0.085) ** 2 + ((y + 0.68) / 0.085) ** 2) < 1
    image[canal], labels[canal] = 15, 0
    cord = ((x / 0.055) ** 2 + ((y + 0.68) / 0.055) ** 2) < 1
    image[cord], labels[cord] = 40, 5
    ring = np.abs(skin - (0.93 - fat_layer)) < 0.035
    ribs = ring & (np.cos(z * 200 / 28 * 2 * np.pi + 3 * y) > 0.35) & (z > -0.35)
    image[ribs & (labels == 0)] = 420


def _grain(rng: np.random.Generator, size: tuple[int, int, int], sigma_px: float = 0.8) -> np.ndarray:
    noise = gaussian_filter(rng.standard_normal(size, dtype=np.float32), sigma_px, mode="wrap")
    return noise / max(float(noise.std()), 1e-6)
