"""ROIAlign in 2D and 3D, in plain PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from medseg.networks.mask_rcnn.roi_taps import bin_taps, chunks, sample_counts

_MOST_TAPS = 2**23  # taps held at once, 12 bytes each


def roi_align(
    features: Tensor,
    boxes: Tensor,
    image_index: Tensor,
    output_size: Sequence[int],
    spatial_scale: float | Sequence[float] = 1.0,
    sampling_ratio: int = 2,
    aligned: bool = True,
    interpolation: str = "linear",
) -> Tensor:
    """Features of each box on a grid of fixed size, by averaged linear interpolation without rounding.

    Each output bin is a weighted sum of few feature vectors, so the whole is one ``embedding_bag`` over the
    features with channels last; differentiable in ``features``, not in ``boxes``.

    Args:
        features: ``(B, C, *spatial)`` float, 2D or 3D.
        boxes: ``(N, 2 d)`` in pixels of the image, low corner first, axes ordered as ``features``' are.
        image_index: ``(N,)`` integer, which image of the batch a box is in.
        output_size: bins along each axis.
        spatial_scale: cells of ``features`` per pixel, one number or one per axis.
        sampling_ratio: points per bin and axis; 0 takes as many as the bin has cells.
        aligned: True puts the centre of cell i at i + 0.5. False is the older convention without that shift,
            with boxes widened to at least one cell; checkpoints of torchvision were trained with it.
        interpolation: ``"linear"``, or ``"nearest"`` to take the cell in which a point falls (the quantised
            pooling that ROIAlign replaced).

    Returns:
        ``(N, C, *output_size)``, with channels last in memory.

    Raises:
        ValueError: shapes that do not fit together, another ``interpolation``.

    Source: He et al., Mask R-CNN, ICCV 2017, arXiv 1703.06870, section 3.
    """
    dims = features.dim() - 2
    if dims not in (2, 3) or boxes.dim() != 2 or boxes.shape[1] != 2 * dims or len(output_size) != dims:
        raise ValueError(
            f"features {tuple(features.shape)}, boxes {tuple(boxes.shape)}, output size {tuple(output_size)}: "
            "expected (B, C, *spatial), (N, 2 d) and d numbers for d = 2 or 3"
        )
    if image_index.shape != boxes.shape[:1]:
        raise ValueError(f"image_index of shape {tuple(image_index.shape)} for {len(boxes)} boxes")
    if interpolation not in ("linear", "nearest"):
        raise ValueError(f"interpolation is 'linear' or 'nearest', not {interpolation!r}")
    channels, grid_shape = features.shape[1], features.shape[2:]
    # half precision keeps too few digits for a sum of interpolation weights
    kind = features.dtype if features.dtype == torch.float64 else torch.float32
    cells = features.movedim(1, -1).reshape(-1, channels).to(kind).contiguous()
    grid_boxes = to_grid(boxes.detach().to(kind), spatial_scale, aligned)
    counts = sample_counts(grid_boxes, output_size, sampling_ratio)
    bins = torch.Size(output_size).numel()
    parts, pooled = [], []
    for part, samples in chunks(counts, bins, _MOST_TAPS):
        index, weight = bin_taps(grid_boxes[part], output_size, samples, grid_shape, interpolation == "nearest")
        index = index + (image_index[part].to(index) * grid_shape.numel())[:, None, None]
        taps = index.shape[-1]
        parts.append(part)
        pooled.append(embedding_bag(index.view(-1, taps), cells, mode="sum", per_sample_weights=weight.view(-1, taps)))
    pooled_boxes = _in_order(parts, pooled, len(boxes)) if parts else cells.new_zeros((len(boxes) * bins, channels))
    return pooled_boxes.view(len(boxes), *output_size, channels).movedim(-1, 1).to(features.dtype)


def _in_order(parts: list[Tensor], pooled: list[Tensor], n: int) -> Tensor:
    """Rows of all parts in the order of the boxes; boxes in no part, those without a sampling point, are zero."""
    if len(parts) == 1 and len(parts[0]) == n:
        return pooled[0]  # torch.nonzero lists members in order
    rows = torch.cat(pooled)
    output = rows.new_zeros((n, rows.shape[0] // sum(map(len, parts)), rows.shape[1]))
    return output.index_copy(0, torch.cat(parts), rows.view(-1, *output.shape[1:])).flatten(0, 1)


def to_grid(boxes: Tensor, spatial_scale: float | Sequence[float], aligned: bool) -> Tensor:
    """Boxes ``(N, 2 d)`` in pixels as coordinates in which cell i lies at i; ``aligned`` as in :func:`roi_align`."""
    dims = boxes.shape[1] // 2
    scale = torch.as_tensor(spatial_scale, dtype=boxes.dtype, device=boxes.device).expand(dims)
    scaled = boxes * scale.repeat(2)
    if aligned:
        return scaled - 0.5
    low, high = scaled[:, :dims], scaled[:, dims:]
    return torch.cat([low, torch.maximum(high, low + 1)], dim=1)
