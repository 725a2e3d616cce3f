"""Detectors on images larger than memory allows: overlapping tiles whose detections become one list."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.inferers import Inferer
from monai.utils import convert_to_tensor
from torch import Tensor

from medseg.errors import InputError
from medseg.inferers.device_of import device_of
from medseg.inferers.image_detections import ImageDetections
from medseg.inferers.merge_detections import merge_detections

Detections = dict[str, Tensor]


class TiledDetectionInferer(Inferer):
    """Run a detector tile by tile and give each object to one tile.

    Of each tile those detections count whose box is centred in the tile's own part of the image, which ends half way
    through the overlap. Near that line two tiles may both claim an object, or its fragment; such doubles are
    found by the overlap of their masks, not of their boxes, so that crowded cells across a seam stay apart.
    Detections of one tile never suppress each other: that was the detector's decision. An image that fits into
    one tile is given to the detector as it is.

    Args:
        tile_shape: largest tile in pixels, one number per axis of the network. An input with more spatial axes is a
            stack: its leading axes are sections, each run by itself.
        overlap: pixels that neighbouring tiles share, at least the size of the largest object; one number, or
            one per axis.
        batch_size: tiles per call of the detector.
        merge_threshold: intersection over union of masks from which two detections are one object.
        stride: tile origins are multiples of it, so that the detector's grid stays in place: 32 for
            :class:`medseg.networks.MaskRCNN` on four levels.
        device: where the detector runs; None means where its parameters are. Results come where the input is.
        progress: called with (tiles done, tiles in all) after each batch.

    Shapes: ``(B, C, *sections, *spatial)`` to one :class:`ImageDetections` per image, with the entries of
    :class:`medseg.networks.MaskRCNN`; of a stack also ``section`` ``(N,)``, the flat index of each object's section.

    Raises:
        InputError: a tile not larger than its overlap by a stride.
        ValueError: an input with fewer axes, a detector in training mode.
    """

    def __init__(
        self,
        tile_shape: Sequence[int],
        overlap: int | Sequence[int],
        batch_size: int = 1,
        merge_threshold: float = 0.5,
        stride: int = 32,
        device: torch.device | str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        super().__init__()
        self.tile_shape = tuple(tile_shape)
        self.overlap = (overlap,) * len(self.tile_shape) if isinstance(overlap, int) else tuple(overlap)
        if len(self.overlap) != len(self.tile_shape) or min(self.overlap) < 0 or batch_size < 1 or stride < 1:
            raise ValueError(
                f"overlap {self.overlap} for tiles {self.tile_shape}, batch_size {batch_size}, stride {stride}: "
                "one overlap of at least 0 per axis, and positive numbers"
            )
        for tile, shared in zip(self.tile_shape, self.overlap, strict=True):
            if tile - shared < stride:
                raise InputError(
                    f"a tile of {tile} pixels with overlap {shared} does not advance by {stride} pixels: give at least "
                    f"{shared + stride}"
                )
        self.batch_size, self.merge_threshold, self.stride = batch_size, merge_threshold, stride
        self.device, self.progress = device, progress

    def __call__(
        self, inputs: Tensor, network: Callable[..., list[Detections]], *args: Any, **kwargs: Any
    ) -> list[ImageDetections]:
        """Detections of each image of ``inputs``; further arguments go to the network."""
        dims = len(self.tile_shape)
        if inputs.dim() < dims + 2:
            raise ValueError(f"input of shape {tuple(inputs.shape)} has fewer than {dims} spatial axes")
        # (B, C, *sections, *image) -> (B * sections, C, *image), a view wherever there are no sections
        stack = convert_to_tensor(inputs, track_meta=False).movedim(1, -dims - 1)
        images = stack.reshape(-1, *stack.shape[-dims - 1 :])
        found = self._run_tiles(images, lambda crops: network(crops, *args, **kwargs), network)
        if inputs.dim() == dims + 2:
            return [ImageDetections(detections) for detections in found]
        sections = len(images) // len(inputs)
        return [_stacked(found[start : start + sections]) for start in range(0, len(found), sections)]

    def _run_tiles(
        self, images: Tensor, detect: Callable[[list[Tensor]], list[Detections]], network: Any
    ) -> list[Detections]:
        shape = images.shape[2:]
        axes = [plan_tiles(n, t, o, self.stride) for n, t, o in zip(shape, self.tile_shape, self.overlap, strict=True)]
        tiles = list(itertools.product(*axes))
        places = list(itertools.product(range(len(images)), range(len(tiles))))
        device = device_of(network, images, self.device)
        found: list[list[Detections]] = [[] for _ in images]
        for done in range(0, len(places), self.batch_size):
            batch = places[done : done + self.batch_size]
            crops = [images[i][(slice(None), *(slice(a, b) for a, b in tiles[k]))].to(device) for i, k in batch]
            results = detect(crops)
            if isinstance(results, dict):
                raise ValueError("the detector returned losses: call its eval() first")
            for (i, _), result in zip(batch, results, strict=True):
                found[i].append({key: value.to(images.device) for key, value in result.items()})
            if self.progress is not None:
                self.progress(min(done + self.batch_size, len(places)), len(places))
        if len(tiles) == 1:
            return [detections for (detections,) in found]
        aligned = getattr(network, "aligned", True)
        return [merge_detections(f, tiles, shape, self.merge_threshold, aligned) for f in found]


def _stacked(found: Sequence[Detections]) -> ImageDetections:
    """Detections of all sections of an image in one list, section after section."""
    together = {key: torch.cat([detections[key] for detections in found]) for key in found[0]}
    section = [torch.full_like(detections["labels"], k) for k, detections in enumerate(found)]
    return ImageDetections(together | {"section": torch.cat(section)})


def plan_tiles(length: int, tile: int, overlap: int, stride: int) -> list[tuple[int, int]]:
    """First and behind-last pixel of equally spaced tiles that cover an axis; starts are multiples of ``stride``."""
    if length <= tile:
        return [(0, length)]
    largest_step = (tile - overlap) // stride * stride
    count = -(-(length - overlap) // largest_step)
    step = -(-(length - overlap) // (count * stride)) * stride
    size = min(tile, step + overlap)
    return [(start, min(start + size, length)) for start in range(0, length - overlap, step)]
