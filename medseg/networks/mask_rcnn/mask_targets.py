"""The true outline of an object, resampled into the frame of a box."""

from __future__ import annotations

import torch
from torch import Tensor

from medseg.networks.mask_rcnn.roi_align import to_grid
from medseg.networks.mask_rcnn.roi_taps import bin_taps, chunks, sample_counts
from medseg.networks.mask_rcnn.targets import Objects

_MOST_TAPS = 2**23


@torch.no_grad()
def project_masks(objects: Objects, object_index: Tensor, boxes: Tensor, size: int, aligned: bool = True) -> Tensor:
    """ROIAlign of each box over its object's mask, with as many sampling points as the box has pixels.

    Reads pixels where they are, in the masks or in the label image: nothing of objects times image size is made.

    Args:
        objects: with ``masks`` or ``instances``.
        object_index: ``(N,)`` the object of each box.
        boxes: ``(N, 2 d)`` in pixels.
        size: bins along each axis.
        aligned: see :func:`roi_align`.

    Returns:
        ``(N, *size)`` float32 from 0 to 1.
    """
    pixels = objects.instances if objects.masks is None else objects.masks
    dims = boxes.shape[1] // 2
    shape, output_size = pixels.shape[-dims:], (size,) * dims
    grid_boxes = to_grid(boxes.float(), 1.0, aligned)
    counts = sample_counts(grid_boxes, output_size, 0)
    output = grid_boxes.new_zeros((len(boxes), size**dims))
    for part, samples in chunks(counts, size**dims, _MOST_TAPS):
        index, weight = bin_taps(grid_boxes[part], output_size, samples, shape)
        rows = object_index[part, None, None]
        if objects.masks is None:
            inside = pixels.reshape(-1)[index] == objects.ids[rows]
        else:
            inside = pixels.flatten(1)[rows, index] != 0
        output[part] = (inside.to(weight) * weight).sum(dim=-1)
    return output.view(-1, *output_size)
