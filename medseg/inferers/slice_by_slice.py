"""A 2D network through a volume, slice by slice, with neighbouring slices as channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type, convert_to_tensor
from torch import Tensor

from medseg.inferers.one_tensor import one_tensor
from medseg.transforms.neighbouring_slices import neighbouring_slices

_PADDED = "each slice needs a network whose output has the size of its input (padded convolutions)"


class SliceBySliceInferer(Inferer):
    """Apply a 2D network to every slice of a volume along its last axis.

    MONAI's ``SliceInferer`` shows the network one slice at a time; this one also shows it the neighbours, as
    :class:`medseg.transforms.NeighbouringSlicesd` does in training.

    Args:
        offsets: slices that become the network's channels; beyond the volume the outermost one is repeated.
        batch_size: slices at once.
        divisor: slices are extended at their ends with the value 0 to multiples of this, and the result is cut back.
        progress: called with (slices done, slices in all).

    Raises:
        ValueError: an input of another shape than ``(B, 1, X, Y, Z)``, or a network that returns several tensors, or
            another size than that of the slices.
    """

    def __init__(
        self,
        offsets: Sequence[int] = (-1, 0, 1),
        batch_size: int = 8,
        divisor: int = 32,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        super().__init__()
        if batch_size < 1 or divisor < 1:
            raise ValueError(f"batch_size {batch_size} and divisor {divisor} must be at least 1")
        self.offsets, self.batch_size, self.divisor = tuple(offsets), batch_size, divisor
        self.progress = progress

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """``(B, 1, X, Y, Z)`` to the network's ``(B, C, X, Y, Z)``, with the affine of the input if it has one."""
        if inputs.dim() != 5 or 0 in inputs.shape:
            raise ValueError(f"input of shape {tuple(inputs.shape)}: expected (B, 1, X, Y, Z) with at least one voxel")
        x, y, depth = inputs.shape[2:]
        plain = convert_to_tensor(inputs, track_meta=False)  # a slice has no place in the volume's affine
        padded = F.pad(plain, (0, 0, 0, -y % self.divisor, 0, -x % self.divisor))
        result: Tensor | None = None
        for b, volume in enumerate(padded):
            for start in range(0, depth, self.batch_size):
                slices = torch.arange(start, min(start + self.batch_size, depth), device=inputs.device)
                output = network(neighbouring_slices(volume, slices, self.offsets), *args, **kwargs)
                output = one_tensor(output, padded.shape[2:4], _PADDED)[..., :x, :y]
                if result is None:
                    result = output.new_empty(len(inputs), output.shape[1], x, y, depth)
                result[b, ..., start : start + len(slices)] = output.movedim(0, -1)
                if self.progress is not None:
                    self.progress(b * depth + start + len(slices), len(inputs) * depth)
        assert result is not None
        return convert_to_dst_type(result, inputs, dtype=result.dtype)[0]


def check_around_slices(inferer: Any, spatial_dims: int, turns: bool = False) -> None:
    """Refuse to turn, scale or measure other axes than those of the volume that is cut into slices inside ``inferer``.

    Raises:
        ValueError: a :class:`SliceBySliceInferer` inside, and ``spatial_dims`` other than 3, or turns of the last axes.
    """
    while inferer is not None and not isinstance(inferer, SliceBySliceInferer):
        inferer = getattr(inferer, "inferer", None)
    if inferer is not None and (spatial_dims != 3 or turns):
        raise ValueError(
            "SliceBySliceInferer cuts volumes (X, Y, Z) along Z: around it give spatial_dims=3"
            + (', and symmetries="flips" or "sides", since quarter turns exchange Y and Z' if turns else "")
        )
