"""The image with its objects outlined: what a person looks at first."""

from __future__ import annotations

import colorsys
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from monai.config import KeysCollection
from monai.utils import convert_to_numpy
from skimage.segmentation import find_boundaries

from medseg.io.atomic import atomic_target
from medseg.io.result_saver import ResultSaver

_FILL = 0.25
_GAP = 4
_COLOURS = 509


class SaveOverlayd(ResultSaver):
    """Write ``<output_dir>/<stem>_overlay.png`` for each label image.

    Args:
        keys: label images ``(1, *spatial)``, MetaTensors that know their input file.
        output_dir: folder; made if missing.
        image_key: image ``(C, *spatial)`` shown beneath: three channels in colour, else the first of them.
        channel: show this one instead, counted from 0.
        overwrite: replace files that exist.
        max_sections: of a stack, this many evenly spaced sections are shown side by side.
        max_side: larger pictures are reduced by a whole factor.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        image_key: str = "raw",
        channel: int | None = None,
        overwrite: bool = False,
        max_sections: int = 4,
        max_side: int = 2048,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, output_dir, overwrite, allow_missing_keys)
        self.image_key, self.channel = image_key, channel
        self.max_sections, self.max_side = max_sections, max_side

    def write(self, data: Mapping[Hashable, Any], key: Hashable) -> None:
        """Write the file of one key."""
        target = self.target(data, key, "overlay.png")
        labels, image = convert_to_numpy(data[key])[0], convert_to_numpy(data[self.image_key])
        image = image if self.channel is None else image[self.channel : self.channel + 1]
        picture = overlay_sections(image, labels, max_sections=self.max_sections, max_side=self.max_side)
        with atomic_target(target, overwrite=self.overwrite) as partial:
            partial.write_bytes(imagecodecs.png_encode(picture))


def overlay(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """One section in gray or colour with each object tinted and outlined in its own colour.

    Args:
        image: ``(Y, X)`` or ``(Y, X, 3)``, any real type; shown from its 0.5th to its 99.5th percentile.
        labels: ``(Y, X)`` integer, 0 = background.

    Returns:
        ``(Y, X, 3)`` uint8.
    """
    gray = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    low, high = np.percentile(gray, (0.5, 99.5))
    base = np.clip((gray - low) / max(high - low, 1e-12), 0, 1)
    colours = _colours(int(labels.max(initial=0)) + 1)[labels]
    tinted = np.where(labels[..., None] > 0, (1 - _FILL) * base + _FILL * colours, base)
    outline = find_boundaries(labels, mode="inner", connectivity=1)
    tinted[outline] = colours[outline]
    return (tinted * 255 + 0.5).astype(np.uint8)


def overlay_sections(
    image: np.ndarray, labels: np.ndarray, *, max_sections: int = 4, max_side: int = 2048
) -> np.ndarray:
    """Overlay of ``(C, *sections, Y, X)`` with labels ``(*sections, Y, X)``: some sections side by side.

    Large sections are reduced before they are painted: outlines stay whole, and memory is that of the picture.
    Three channels are shown in colour, of others the first.
    """
    height, width = labels.shape[-2:]
    sections = labels.reshape(-1, height, width)
    pixels = np.moveaxis(image.reshape(len(image), -1, height, width), 0, -1)
    pixels = pixels if len(image) == 3 else pixels[..., 0]
    chosen = np.unique(np.linspace(0, len(sections) - 1, min(max_sections, len(sections))).round().astype(int))
    columns = int(np.ceil(np.sqrt(len(chosen))))
    rows = -(-len(chosen) // columns)
    step = max(1, -(-max(columns * width, rows * height) // max_side))
    tiles = [overlay(pixels[k, ::step, ::step], sections[k, ::step, ::step]) for k in chosen]
    tile_height, tile_width = tiles[0].shape[:2]
    sheet = np.full((rows * (tile_height + _GAP) - _GAP, columns * (tile_width + _GAP) - _GAP, 3), 255, np.uint8)
    for place, tile in enumerate(tiles):
        y, x = divmod(place, columns)
        top, left = y * (tile_height + _GAP), x * (tile_width + _GAP)
        sheet[top : top + tile_height, left : left + tile_width] = tile
    return sheet


def _colours(count: int) -> np.ndarray:
    """Bright colours of which neighbours in the image rarely share one, the same for an id in every picture.

    Ids run along the rows, so any regular step of the hue paints rows of cells in bands: the hues are shuffled.
    """
    hues = np.random.default_rng(0).permutation(_COLOURS) / _COLOURS
    lightness = np.resize([(0.9, 1.0), (0.55, 1.0), (0.9, 0.75)], (_COLOURS, 2))
    table = np.array([colorsys.hsv_to_rgb(h, s, v) for h, (s, v) in zip(hues, lightness, strict=True)])
    return table[np.arange(count) % _COLOURS]
