"""Detections of overlapping tiles, made into one list without doubles."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor

from medseg.networks.mask_rcnn.paste import crop_masks

Tile = tuple[tuple[int, int], ...]


def merge_detections(
    found: Sequence[dict[str, Tensor]],
    tiles: Sequence[Tile],
    shape: Sequence[int],
    threshold: float = 0.5,
    aligned: bool = True,
) -> dict[str, Tensor]:
    """One list, best score first, of what the tiles of an image found.

    Args:
        found: per tile, ``boxes`` ``(N, 2 d)`` in pixels of the tile, ``labels``, ``scores``, perhaps ``box_masks``.
        tiles: per tile, (first, behind last) pixel along each axis.
        shape: spatial shape of the image.
        threshold: intersection over union of two masks from different tiles above which the worse one goes; for
            a mask that its tile's border cuts, intersection over the smaller area.
        aligned: see :func:`crop_masks`.
    """
    kept, tile_of, cut = [], [], []
    for k, (detections, tile) in enumerate(zip(found, tiles, strict=True)):
        boxes = detections["boxes"]
        origin = boxes.new_tensor([start for start, _ in tile])
        inner = _touches_inner_border(boxes, tile, shape)
        placed = detections | {"boxes": boxes + origin.repeat(2)}
        mine = torch.nonzero(_is_owned(placed["boxes"], k, tiles)).flatten()
        kept.append({key: value[mine] for key, value in placed.items()})
        tile_of.append(torch.full_like(mine, k))
        cut.append(inner[mine])
    merged = {key: torch.cat([d[key] for d in kept]) for key in kept[0]}
    # whole objects before cut ones, then by score: the first of two doubles survives
    tile, is_cut = torch.cat(tile_of), torch.cat(cut)
    order = torch.argsort(merged["scores"], descending=True, stable=True)
    order = order[torch.argsort(is_cut[order].int(), stable=True)]
    merged = {key: value[order] for key, value in merged.items()}
    survives = _without_doubles(merged, tile[order], is_cut[order], shape, threshold, aligned)
    merged = {key: value[survives] for key, value in merged.items()}
    order = torch.argsort(merged["scores"], descending=True, stable=True)
    return {key: value[order] for key, value in merged.items()}


def _is_owned(boxes: Tensor, k: int, tiles: Sequence[Tile]) -> Tensor:
    """Boxes centred in tile k's part of the image, or so near to it that its neighbour may see it differently."""
    dims = boxes.shape[1] // 2
    centre = (boxes[:, :dims] + boxes[:, dims:]) / 2
    owned = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    for axis in range(dims):
        intervals = sorted({tile[axis] for tile in tiles})
        place = intervals.index(tiles[k][axis])
        start, stop = intervals[place]
        if place > 0:
            shared = intervals[place - 1][1] - start
            owned &= centre[:, axis] >= start + shared / 4
        if place + 1 < len(intervals):
            shared = stop - intervals[place + 1][0]
            owned &= centre[:, axis] <= stop - shared / 4
    return owned


def _touches_inner_border(boxes: Tensor, tile: Tile, shape: Sequence[int]) -> Tensor:
    """Boxes, in the tile's pixels, that end within a pixel of a border of the tile which the image goes beyond."""
    dims = len(shape)
    touches = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    for axis, ((start, stop), length) in enumerate(zip(tile, shape, strict=True)):
        if start > 0:
            touches |= boxes[:, axis] < 1
        if stop < length:
            touches |= boxes[:, dims + axis] > stop - start - 1
    return touches


def _without_doubles(
    detections: dict[str, Tensor], tile: Tensor, is_cut: Tensor, shape: Sequence[int], threshold: float, aligned: bool
) -> Tensor:
    boxes, labels = detections["boxes"].cpu(), detections["labels"].cpu()
    tile, is_cut = tile.cpu(), is_cut.cpu()
    pairs = _meeting_pairs(boxes, labels, tile)
    involved = torch.unique(pairs)
    outlines = dict(zip(involved.tolist(), _outlines(detections, involved, shape, aligned), strict=True))
    survives = torch.ones(len(boxes), dtype=torch.bool)
    for first, second in pairs.tolist():  # ascending in the first: greedy
        if survives[first] and survives[second]:
            inter, area, other = _overlap(outlines[first], outlines[second])
            whole = min(area, other) if is_cut[first] or is_cut[second] else area + other - inter
            survives[second] = inter <= threshold * whole
    return survives.to(detections["boxes"].device)


def _meeting_pairs(boxes: Tensor, labels: Tensor, tile: Tensor) -> Tensor:
    """Pairs ``(P, 2)``, first < second, of one class and different tiles whose boxes meet."""
    dims = boxes.shape[1] // 2
    rows = torch.nonzero(boxes.isfinite().all(dim=1)).flatten()
    low, high = boxes[rows, :dims].double().numpy(), boxes[rows, dims:].double().numpy()
    side = (high - low).max(axis=1, initial=0)
    # so far apart may the centres of two that meet be at most; rounding never hides one
    reach = (side + side.max(initial=0)) / 2 * (1 + 1e-6)
    centres = (low + high) / 2
    near = KDTree(centres).query_ball_point(centres, reach, p=np.inf, return_sorted=True)
    first = torch.from_numpy(np.repeat(np.arange(len(near)), [len(found) for found in near]))
    second = torch.from_numpy(np.fromiter(itertools.chain.from_iterable(near), np.int64, len(first)))
    later = first < second
    first, second = rows[first[later]], rows[second[later]]
    meet = (labels[first] == labels[second]) & (tile[first] != tile[second])
    meet &= (boxes[first, :dims] < boxes[second, dims:]).all(dim=1)
    meet &= (boxes[first, dims:] > boxes[second, :dims]).all(dim=1)
    return torch.stack([first[meet], second[meet]], dim=1)


def _outlines(
    detections: dict[str, Tensor], rows: Tensor, shape: Sequence[int], aligned: bool
) -> list[tuple[tuple[slice, ...], Tensor]]:
    """Pixels of the given detections; a detection without a mask is its whole box."""
    boxes = detections["boxes"].cpu()[rows]
    if "box_masks" in detections:
        masks = detections["box_masks"].cpu()[rows]
    else:
        masks = torch.ones((len(rows),) + (1,) * len(shape))
    return [(window, crop > 0.5) for window, crop in crop_masks(masks, boxes, shape, aligned)]


def _overlap(first: tuple[tuple[slice, ...], Tensor], second: tuple[tuple[slice, ...], Tensor]) -> tuple[int, int, int]:
    """Pixels in both outlines, in the first, in the second."""
    (window, mask), (other_window, other) = first, second
    common = [(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(window, other_window, strict=True)]
    areas = int(mask.sum()), int(other.sum())
    if any(start >= stop for start, stop in common):
        return 0, *areas
    part, other_part = (
        pixels[tuple(slice(start - s.start, stop - s.start) for (start, stop), s in zip(common, w, strict=True))]
        for pixels, w in ((mask, window), (other, other_window))
    )
    return int((part & other_part).sum()), *areas
