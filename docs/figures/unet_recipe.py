"""Draw the pictures of ``docs/unet_recipe.md`` from synthetic cells.

python docs/figures/unet_recipe.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from skimage.segmentation import find_boundaries, watershed

from medseg.transforms import RandElasticDeformationd, border_weight_map, separate_touching

HERE = Path(__file__).parent


def synthetic_cells(size: int = 256, count: int = 26, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A phase-contrast-like image of irregular cells, some of them touching, and its label image."""
    rng = np.random.default_rng(seed)
    seeds = np.zeros((size, size), int)
    strength = np.zeros((size, size))
    yy, xx = np.mgrid[:size, :size]
    for cell in range(1, count + 1):
        y, x = rng.uniform(8, size - 8, 2)
        angle, a, b = rng.uniform(0, np.pi), rng.uniform(16, 26), rng.uniform(10, 16)
        u = (yy - y) * np.cos(angle) + (xx - x) * np.sin(angle)
        v = -(yy - y) * np.sin(angle) + (xx - x) * np.cos(angle)
        strength = np.maximum(strength, 1 - np.sqrt((u / a) ** 2 + (v / b) ** 2))
        seeds[int(y), int(x)] = cell
    strength += 2.2 * gaussian_filter(rng.normal(size=(size, size)), 5)
    labels = watershed(-gaussian_filter(strength, 1), seeds, mask=gaussian_filter(strength, 1) > 0.12)
    cells = gaussian_filter((labels > 0).astype(float), 1.5)
    rim = gaussian_filter(find_boundaries(labels, mode="inner").astype(float), 1.2)
    texture = gaussian_filter(rng.normal(size=(size, size)), 1.5) * 0.35
    image = 0.5 - 0.25 * cells + 0.6 * rim + texture * cells + 0.03 * rng.normal(size=(size, size))
    return image, labels.astype(np.uint16)


def coloured(labels: np.ndarray) -> np.ma.MaskedArray:
    """The labels in shuffled order, so that neighbours differ in colour; background left out."""
    order = np.random.default_rng(1).permutation(int(labels.max()) + 1)
    return np.ma.masked_where(labels == 0, order[labels])


def show(axis, image, title: str, **options):
    """Draw an image without axes."""
    axis.set_title(title, fontsize=10)
    axis.set_axis_off()
    return axis.imshow(image, interpolation="nearest", **options)


def draw_weights(path: Path) -> None:
    """Image, separated labels, and the weights of both presets."""
    image, labels = synthetic_cells()
    separated = separate_touching(labels)
    figure, axes = plt.subplots(2, 2, figsize=(7.6, 7.4), layout="constrained")
    show(axes[0, 0], image, "image", cmap="gray")
    show(axes[0, 1], image, "labels, touching cells separated", cmap="gray")
    axes[0, 1].imshow(coloured(separated), cmap="tab20", alpha=0.6, interpolation="nearest")
    for axis, preset in zip(axes[1], ("paper", "lmb"), strict=True):
        weights = border_weight_map(labels, preset=preset)
        drawn = show(axis, weights, f'weights, preset "{preset}"', cmap="magma")
        figure.colorbar(drawn, ax=axis, shrink=0.8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_deformation(path: Path) -> None:
    """Image, labels and a grid before and after a deformation with the paper's parameters."""
    image, labels = synthetic_cells()
    grid = np.zeros_like(image)
    grid[::16], grid[:, ::16], grid[-1], grid[:, -1] = 1, 1, 1, 1
    grid = gaussian_filter(grid, 0.6)
    deform = RandElasticDeformationd(
        ["image", "grid", "label"], prob=1, mode=["bicubic", "bilinear", "nearest"]
    ).set_random_state(4)
    item = {"image": image, "grid": grid, "label": labels}
    out = deform({key: torch.from_numpy(value[None]) for key, value in item.items()})
    out = {key: value[0].numpy() for key, value in out.items()}
    u = deform.deform.displacement(image.shape).numpy()
    figure, axes = plt.subplots(2, 3, figsize=(10.4, 7.2), layout="constrained")
    for row, data, word in ((0, item, "before"), (1, out, "after")):
        show(axes[row, 0], data["image"], f"image {word}", cmap="gray", vmin=image.min(), vmax=image.max())
        show(axes[row, 1], coloured(data["label"]), f"labels {word}", cmap="tab20", vmin=0, vmax=labels.max())
        show(axes[row, 2], data["grid"], f"grid {word}", cmap="gray_r")
    points = np.linspace(0, image.shape[0] - 1, 3).astype(int)
    y, x = np.meshgrid(points, points, indexing="ij")
    axes[0, 2].plot(x.ravel(), y.ravel(), "o", mfc="white", mec="tab:red", clip_on=False)
    arrows = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.012}
    quiver = axes[0, 2].quiver(x, y, u[1][y, x], u[0][y, x], color="tab:red", zorder=9, **arrows)
    quiver.set(clip_on=False, in_layout=False)
    axes[0, 2].set_title("grid before, with u at the control points", fontsize=10)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    draw_weights(HERE / "unet_recipe_weights.png")
    draw_deformation(HERE / "unet_recipe_deformation.png")
