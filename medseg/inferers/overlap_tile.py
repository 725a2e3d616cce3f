"""The U-Net paper's overlap-tile strategy, made exact."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type, convert_to_tensor
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from medseg.inferers.device_of import device_of
from medseg.inferers.one_tensor import one_tensor
from medseg.inferers.tiling import AxisTiles, mirror_index, plan_axis
from medseg.networks.batch_norm import BatchNorm

_WHOLE_IMAGE_LAYERS = (
    _InstanceNorm,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveMaxPool3d,
)


class OverlapTileInferer(Inferer):
    """Run a network of unpadded convolutions tile by tile, equal to running it on the whole image.

    The image is extended by mirroring (Ronneberger et al. 2015, fig. 2), each tile is read with the context it
    needs, and each output pixel is written once: no blending, no seams. Memory is that of one batch of tiles
    and the output.

    **Exactness.** The result equals the network's output on the whole image extended by ``numpy.pad(mode=
    "reflect")`` with ``margin`` pixels in front and at least as many behind, up to float rounding. That holds
    because tile origins are multiples of the network's ``stride``, so that pooling windows fall on the same
    pixels in every tile. The paper's 388-pixel tiles laid at stride 388 are *not* exact: 388 = 4 mod 16.

    **What breaks it.** Instance, group and layer normalisation and global pooling compute statistics over the
    tile, so a tile's border changes all its pixels; batch normalisation does so in training mode. Upsampling with
    aligned corners (``nn.Upsample``) stretches each tile by a factor of its own. Networks with such layers are
    refused when more than one tile is needed; ``allow_inexact=True`` makes that a warning.

    **Networks that pad** (margin 0) put zeros around each tile. With ``context`` that many pixels of the image are
    read around what is used of a tile; where it is at least what the network sees around a pixel, the result
    equals that of the whole image, whose own padding stays where it is.

    Args:
        tile_shape: largest input tile in pixels, one number per axis of the network. An input with more
            spatial axes is a stack: its leading axes are sections, each run by itself.
        batch_size: tiles per network call.
        padding_mode: as of MONAI's ``SlidingWindowInferer``, so that a config made for that one which says other than
            "reflect" is refused, not mirrored all the same.
        margin, stride, valid_size: taken from the network unless given: the pixels that it loses on each side, its
            total pooling factor, and a function from ``n`` to the smallest input side of at least ``n`` pixels that it
            takes.
        context: pixels around each tile for a network that pads, see above; 128 for a U-Net++ of four poolings.
        device: where the network runs; None means where its parameters are. The input and the output stay
            where the input is.
        allow_inexact: accept layers that break exactness.
        progress: called with (tiles done, tiles in all) after each batch.

    Shapes: ``(B, C, *sections, *image)`` to ``(B, K, *sections, *image)``, any image of at least one pixel.

    Raises:
        ValueError: a network without ``margin`` or with margin 0 that needs several tiles, a tile too small for
            the network, an input with fewer axes than ``tile_shape``, a layer that breaks exactness, or a network
            that returns several tensors (:class:`medseg.networks.UNetPlusPlus` in training mode) or more or fewer
            pixels than its margin leaves of a tile.
    """

    def __init__(
        self,
        tile_shape: Sequence[int],
        batch_size: int = 1,
        padding_mode: str = "reflect",
        margin: int | None = None,
        stride: int | None = None,
        valid_size: Callable[[int], int] | None = None,
        context: int = 0,
        device: torch.device | str | None = None,
        allow_inexact: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        super().__init__()
        if padding_mode != "reflect":
            raise ValueError(f"padding_mode {padding_mode!r}: overlap-tile mirrors the image, use 'reflect'")
        if batch_size < 1 or any(t < 1 for t in tile_shape) or context < 0:
            raise ValueError(
                f"tile_shape {tuple(tile_shape)} and batch_size {batch_size} must be positive, context {context} not "
                "negative"
            )
        self.tile_shape, self.batch_size = tuple(tile_shape), batch_size
        self.margin, self.stride, self.valid_size, self.context = margin, stride, valid_size, context
        self.device, self.allow_inexact, self.progress = device, allow_inexact, progress

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """Output of ``network`` for the whole of ``inputs``; further arguments go to the network."""
        dims = len(self.tile_shape)
        if inputs.dim() < dims + 2:
            raise ValueError(
                f"input of shape {tuple(inputs.shape)} has fewer than {dims} spatial axes behind (B, C); put the batch "
                "axis in front of a single image (image[None])"
            )
        margin, stride, valid_size = (self._fact(network, name) for name in ("margin", "stride", "valid_size"))
        image_shape = inputs.shape[-dims:]
        plans = [
            plan_axis(n, t, margin, stride, valid_size, self.context)
            for n, t in zip(image_shape, self.tile_shape, strict=True)
        ]
        if any(len(p.origins) > 1 for p in plans):
            self._check_exact(network, margin)
        # (B, C, *sections, *image) -> (B * sections, C, *image), a view wherever there are no sections
        stack = convert_to_tensor(inputs, track_meta=False).movedim(1, -dims - 1)
        stack_shape = stack.shape[: -dims - 1]
        images = stack.reshape(-1, *stack.shape[-dims - 1 :])
        device = device_of(network, images, self.device)
        output = self._run_tiles(images, plans, margin, lambda x: network(x, *args, **kwargs), device)
        output = output.reshape(*stack_shape, *output.shape[1:]).movedim(-dims - 1, 1)
        return convert_to_dst_type(output, inputs, dtype=output.dtype)[0]

    def _run_tiles(
        self,
        images: Tensor,
        plans: list[AxisTiles],
        margin: int,
        network: Callable[[Tensor], Tensor],
        device: torch.device,
    ) -> Tensor:
        image_shape = images.shape[2:]
        places = list(itertools.product(range(len(images)), *(zip(p.origins, p.starts, strict=True) for p in plans)))
        left = [plan.size - 2 * margin for plan in plans]
        output: Tensor | None = None
        for done in range(0, len(places), self.batch_size):
            batch = places[done : done + self.batch_size]
            tiles = torch.cat([_read_tile(images, place, plans) for place in batch]).to(device)
            results = one_tensor(network(tiles), left, f"give the true margin of the network, not {margin}")
            if output is None:
                output = torch.empty(
                    (len(images), results.shape[1], *image_shape), dtype=results.dtype, device=images.device
                )
            for (item, *axes), result in zip(batch, results, strict=True):
                target, source = [], []
                for (origin, start), plan, n in zip(axes, plans, image_shape, strict=True):
                    used = slice(origin, min(origin + plan.step, n))
                    target.append(used)
                    source.append(slice(used.start - start - margin, used.stop - start - margin))
                output[item][(slice(None), *target)] = result[(slice(None), *source)].to(output.device)
            if self.progress is not None:
                self.progress(min(done + self.batch_size, len(places)), len(places))
        if output is None:
            raise ValueError(f"input of shape {tuple(images.shape)} holds no image")
        return output

    def _fact(self, network: Any, name: str) -> Any:
        own = getattr(self, name)
        if own is not None:
            return own
        unwrapped = getattr(network, "module", network)  # inside (Distributed)DataParallel
        if not hasattr(unwrapped, name):
            raise ValueError(
                f"{type(unwrapped).__name__} has no attribute {name!r}: overlap-tile needs a network of unpadded "
                f"convolutions such as medseg.networks.UNet(padding='valid'), or {name}=... given to the inferer"
            )
        return getattr(unwrapped, name)

    def _check_exact(self, network: Any, margin: int) -> None:
        pads = margin == 0 and self.context == 0
        reasons = (
            ["it pads its convolutions (margin 0), which puts zeros at tile borders: give context"] if pads else []
        )
        if isinstance(network, nn.Module):
            for name, layer in network.named_modules():
                kind = _class_of(layer)
                in_training = issubclass(kind, _BatchNorm) and layer.training and not issubclass(kind, _InstanceNorm)
                if issubclass(kind, _WHOLE_IMAGE_LAYERS) or in_training:
                    mode = " in training mode" if in_training else ""
                    reasons.append(f"{name} ({kind.__name__}{mode}) computes statistics over the tile")
                    break
                if issubclass(kind, nn.Upsample) and layer.align_corners:
                    reasons.append(f"{name} (Upsample) aligns the corners of the tile: its factor depends on the size")
                    break
        if not reasons:
            return
        message = f"tiles cannot equal the whole image for this network: {'; '.join(reasons)}"
        if not self.allow_inexact:
            raise ValueError(f"{message}. Use one tile, another network, or allow_inexact=True")
        warnings.warn(message, stacklevel=3)


def _read_tile(images: Tensor, place: tuple, plans: list[AxisTiles]) -> Tensor:
    """The (1, C, *size) tile at a place (image, (origin, start) of each axis), mirrored where it leaves the image."""
    tile = images[place[0]][None]
    for axis, ((_, start), plan) in enumerate(zip(place[1:], plans, strict=True), start=2):
        index = mirror_index(start, plan.size, images.shape[axis])
        tile = tile.index_select(axis, torch.from_numpy(index).to(tile.device))
    return tile


def _class_of(layer: nn.Module) -> type:
    """Class that a layer was written as; TorchScript keeps only its name."""
    if isinstance(layer, torch.jit.ScriptModule):
        return BatchNorm if layer.original_name == "BatchNorm" else getattr(nn, layer.original_name, type(layer))
    return type(layer)
