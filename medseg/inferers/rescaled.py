"""A network that sees images at another pixel size than the file has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type, convert_to_tensor
from torch import Tensor
from torch.nn.functional import interpolate

from medseg.inferers.one_tensor import one_tensor
from medseg.inferers.progress_through import ProgressThroughInferer
from medseg.inferers.slice_by_slice import check_around_slices

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
_WHOLE = "a network of unpadded convolutions returns the whole image by OverlapTileInferer"


class RescaledInferer(ProgressThroughInferer):
    """Shrink or enlarge the image, run an inferer on it, and bring what comes out back to the image's size.

    Large cells need a wide view and few details: at half the size a network sees twice as far and costs a
    quarter. Small ones need pixels enough for the gaps between them. The image's pixels are averaged over their
    area going down and interpolated linearly going up; the output is interpolated linearly, so give it logits,
    from which the classes are made afterwards at full resolution.

    Args:
        inferer: what runs on the resized image, for example :class:`medseg.inferers.OverlapTileInferer`.
        zoom: size of the resized image relative to the image's, above 0. The resized image has
            ``floor(n · zoom)`` pixels along an axis, at least one, as MONAI's ``Zoom`` has in training.
        spatial_dims: axes of one section, 2 or 3; axes between these and the channels are sections.

    Shapes: ``(B, C, *sections, *spatial)`` to ``(B, K, *sections, *spatial)``.

    Raises:
        ValueError: ``zoom`` out of range, two axes around a :class:`medseg.inferers.SliceBySliceInferer`, or a network
            that returns several tensors, or another size than that of the resized image.
    """

    def __init__(self, inferer: Inferer, zoom: float, spatial_dims: int = 2) -> None:
        super().__init__(inferer)
        if not 0 < zoom < float("inf"):
            raise ValueError(f"zoom {zoom}: give a number above 0")
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims is 2 or 3, not {spatial_dims}")
        check_around_slices(inferer, spatial_dims)
        self.zoom, self.spatial_dims = zoom, spatial_dims

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """Output of ``network`` for the whole of ``inputs``, at its size."""
        image = convert_to_tensor(inputs, track_meta=False)
        spatial = image.shape[-self.spatial_dims :]
        linear = _LINEAR[self.spatial_dims]
        size = [max(1, int(n * self.zoom)) for n in spatial]
        resized = _resize(image, size, "area" if self.zoom <= 1 else linear)
        output = one_tensor(self.inferer(resized, network, *args, **kwargs), size, _WHOLE)
        output = _resize(output, spatial, linear)
        return convert_to_dst_type(output, inputs, dtype=output.dtype)[0]


def _resize(image: Tensor, size: list[int] | torch.Size, mode: str) -> Tensor:
    """Resize the trailing axes, whatever sections lie before them."""
    if tuple(image.shape[-len(size) :]) == tuple(size):
        return image
    flat = image.reshape(-1, 1, *image.shape[-len(size) :])
    options = {} if mode == "area" else {"align_corners": False}
    return interpolate(flat, size=tuple(size), mode=mode, **options).reshape(*image.shape[: -len(size)], *size)
