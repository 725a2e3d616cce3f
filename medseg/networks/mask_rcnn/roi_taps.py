"""Which cells of a grid, with which weights, make up each bin of a box: the geometry of ROIAlign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor


def sample_counts(boxes: Tensor, output_size: Sequence[int], sampling_ratio: int) -> Tensor:
    """Sampling points per bin and axis, ``(N, d)`` int64; ``sampling_ratio`` 0 means one per cell of the grid.

    Args:
        boxes: ``(N, 2 d)`` in cells of the grid.
        output_size: bins along each axis.
    """
    dims = boxes.shape[1] // 2
    if sampling_ratio > 0:
        return torch.full((len(boxes), dims), sampling_ratio, device=boxes.device)
    bins = torch.tensor(output_size, device=boxes.device)
    return torch.ceil((boxes[:, dims:] - boxes[:, :dims]) / bins).long().clamp(min=0)


def axis_taps(
    low: Tensor, high: Tensor, bins: int, samples: int, length: int, nearest: bool = False
) -> tuple[Tensor, Tensor]:
    """Cells and weights that average ``samples`` interpolated points in each bin of an interval.

    A point beyond one cell outside the grid counts as zero; a point in the half cells of the rim takes the
    rim's value. Point coordinates are those of cell centres: cell i lies at i.

    Args:
        low, high: ``(N,)`` ends of the interval, in cells.
        bins: bins of the interval.
        samples: points per bin.
        length: cells of the grid along this axis.
        nearest: take the nearest cell instead of interpolating.

    Returns:
        Index int64 and weight, both ``(N, bins, taps)``; the weights of a bin sum to 1 where it lies inside.
    """
    width = ((high - low) / bins)[:, None, None]
    bin_index = torch.arange(bins, device=low.device, dtype=low.dtype)[:, None]
    offset = (torch.arange(samples, device=low.device, dtype=low.dtype) + 0.5) / samples
    place = low[:, None, None] + width * (bin_index + offset)
    inside = (place >= -1) & (place <= length)
    place = place.clamp(0, length - 1)
    share = inside.to(low.dtype) / samples
    if nearest:
        return (place + 0.5).floor().long().clamp(max=length - 1), share
    cell = place.floor()
    fraction = place - cell
    cell = cell.long()
    index = torch.cat([cell, (cell + 1).clamp(max=length - 1)], dim=-1)
    return index, torch.cat([share * (1 - fraction), share * fraction], dim=-1)


def bin_taps(
    boxes: Tensor,
    output_size: Sequence[int],
    samples: Sequence[int],
    grid_shape: Sequence[int],
    nearest: bool = False,
) -> tuple[Tensor, Tensor]:
    """Flat cell index and weight of all taps of each bin: the outer product of the axes' taps.

    Args:
        boxes: ``(N, 2 d)`` in cells of the grid.
        output_size, samples, grid_shape: one number per axis.

    Returns:
        Two tensors ``(N, bins of a box, taps of a bin)``, int64 and of the boxes' type.
    """
    dims, n = len(grid_shape), len(boxes)
    flat = torch.zeros((n, 1, 1), dtype=torch.int64, device=boxes.device)
    weight = torch.ones((n, 1, 1), dtype=boxes.dtype, device=boxes.device)
    for axis in range(dims):
        index, share = axis_taps(
            boxes[:, axis], boxes[:, dims + axis], output_size[axis], samples[axis], grid_shape[axis], nearest
        )
        # (n, bins so far, 1, taps so far, 1) with (n, 1, bins, 1, taps)
        index, share = index[:, None, :, None, :], share[:, None, :, None, :]
        flat = flat[:, :, None, :, None] * grid_shape[axis] + index
        weight = weight[:, :, None, :, None] * share
        flat = flat.flatten(3).flatten(1, 2)
        weight = weight.flatten(3).flatten(1, 2)
    return flat, weight


def chunks(counts: Tensor, bins: int, most_taps: int) -> Iterator[tuple[Tensor, tuple[int, ...]]]:
    """Group boxes of equal sample counts and cut the groups so that their taps fit in memory.

    Yields:
        Index of the boxes and their common counts; boxes without a sampling point are left out.
    """
    for count in torch.unique(counts, dim=0):
        samples = tuple(count.tolist())
        taps = bins
        for s in samples:
            taps *= 2 * s
        if taps == 0:
            continue
        members = torch.nonzero((counts == count).all(dim=1)).flatten()
        for part in members.split(max(1, most_taps // taps)):
            yield part, samples
