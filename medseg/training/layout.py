"""The memory layout in which a network of convolutions trains fastest."""

from __future__ import annotations

import torch

from medseg.inferers.autocast import has_bfloat16


def training_layout(device: torch.device | str) -> torch.memory_format:
    """Layout of a 2D network and its batches in training: channels last where bfloat16 is at hand, else contiguous.

    A processor that computes in float32 takes longer for the gradients of a convolution's weights when channels lie
    side by side; for prediction that layout is the faster one there too (``benchmarks/training_layout.py`` prints
    both). Results differ by rounding only.
    """
    return torch.channels_last if has_bfloat16(device) else torch.contiguous_format
