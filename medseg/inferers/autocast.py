"""Mixed precision on any device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from monai.inferers import Inferer, SimpleInferer
from torch import Tensor


class AutocastInferer(Inferer):
    """Run the network in bfloat16 where that pays, and return float32.

    MONAI's ``amp`` option is for CUDA only; bfloat16 needs no loss scaling and makes training on a CPU that has it
    about twice as fast. A CPU that has not emulates it: with AVX-512 about
    twice as slow as float32, with AVX2 only many times slower, in 3D out of use.

    Args:
        enabled: True and False always and never; None: where :func:`has_bfloat16` says so.
        inferer: how the network is applied, MONAI's ``SlidingWindowInferer`` for example; None: to the whole input.
    """

    def __init__(self, enabled: bool | None = None, inferer: Inferer | None = None) -> None:
        super().__init__()
        self.enabled, self.inferer = enabled, inferer or SimpleInferer()

    def __call__(
        self, inputs: Tensor | Sequence[Tensor], network: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """``network(inputs)`` under autocast: a tensor, or a list, (named) tuple or dictionary of tensors."""
        first = inputs if isinstance(inputs, Tensor) else inputs[0]
        enabled = has_bfloat16(first.device) if self.enabled is None else self.enabled
        with torch.autocast(first.device.type, dtype=torch.bfloat16, enabled=enabled):
            output = self.inferer(inputs, network, *args, **kwargs)
        return _in_float32(output)


def has_bfloat16(device: torch.device | str) -> bool:
    """Whether convolutions in bfloat16 run on instructions made for it, not in emulation."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if torch.device(device).type != "cpu":
        return True
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)  # torch's own test, without a public name
    return torch.backends.mkldnn.is_available() and supported is not None and supported() and not _avx512_emulates()


def _avx512_emulates() -> bool:
    # torch's test says yes to all of AVX-512, but Skylake and Ice Lake lack the instructions: oneDNN emulates them
    return torch.cpu._is_avx512_supported() and not torch.cpu._is_avx512_bf16_supported()


def _in_float32(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output.float() if output.is_floating_point() else output
    if isinstance(output, Mapping):
        return {key: _in_float32(value) for key, value in output.items()}
    if isinstance(output, list | tuple):
        values = [_in_float32(value) for value in output]
        if hasattr(output, "_fields"):  # a named tuple takes its values one by one
            return type(output)(*values)
        return tuple(values) if isinstance(output, tuple) else values
    return output
