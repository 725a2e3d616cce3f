"""Tell a missing batch axis by its name, before a layer deep inside fails of it."""

from __future__ import annotations

from torch import Tensor


def check_axes(x: Tensor, spatial_dims: int) -> None:
    """Refuse what is not ``(B, C, *spatial)``: PyTorch's convolutions also take an image without the batch axis.

    Raises:
        ValueError: another number of axes.
    """
    if x.dim() != spatial_dims + 2:
        raise ValueError(
            f"the input has {x.dim()} axes, but this network of spatial_dims={spatial_dims} takes {spatial_dims + 2}: "
            "(B, C, *spatial); put the batch axis in front of a single image (image[None])"
        )
