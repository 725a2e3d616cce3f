"""The atrous rule: keep resolution by dilating instead of striding (Chen et al., arXiv 1706.05587)."""

from __future__ import annotations

from collections.abc import Sequence


def atrous_plan(strides: Sequence[int], output_stride: int, start: int = 1) -> list[tuple[int, int]]:
    """Stride and rate of each block of a backbone that stops shrinking at ``output_stride``.

    Once the wanted stride is reached, a block's stride becomes 1. That block still uses the rate so far; the
    blocks behind it see its lost stride as a larger rate.

    Args:
        strides: of the blocks as published.
        output_stride: input pixels per feature pixel at the end.
        start: stride reached in front of the first block.

    Returns:
        (stride, rate) of each block.

    >>> atrous_plan([1, 2, 1, 2, 1], output_stride=8, start=8)
    [(1, 1), (1, 1), (1, 2), (1, 2), (1, 4)]
    """
    plan, reached, rate = [], start, 1
    for stride in strides:
        if reached * stride <= output_stride:
            plan.append((stride, rate))
            reached *= stride
        else:
            plan.append((1, rate))
            rate *= stride
    return plan


def check_output_stride(output_stride: int, name: str) -> None:
    """Refuse anything but 8, 16 and 32.

    Raises:
        ValueError: another stride.
    """
    if output_stride not in (8, 16, 32):
        raise ValueError(f"{name}: output_stride is 8, 16 or 32, not {output_stride}")
