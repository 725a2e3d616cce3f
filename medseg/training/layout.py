"""The memory layout in which a network of convolutions trains fastest."""

from __future__ import annotations

import torch

from medseg.inferers.autocast import has_bfloat16


def training_layout(device: torch.device | str) -> torch.memory_format:
    """Layout of a 2D network and its batches in training: channels last where bfloat16 is at hand, else contiguous.

    GPUs and processors with bfloat16 want their channels side by side. One that computes in float32 takes several
    times as long for the gradients of a convolution's weights in that layout (``benchmarks/training_layout.py``);
    inference is as fast in either. Results differ by rounding only.
    """
    return torch.channels_last if has_bfloat16(device) else torch.contiguous_format
