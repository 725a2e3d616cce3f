"""Where a section lies in a time series: sections are counted through all times, tables name both."""

from __future__ import annotations

import numpy as np


def time_and_plane(section: int, axes: str, shape: tuple[int, ...]) -> tuple[int | None, int]:
    """The time of a section, None without a T axis, and its number among the sections of that time.

    Args:
        section: counted from 0 through all axes in front of ``YX``.
        axes: one letter per axis of the image, such as ``TZYX``.
        shape: of the image.
    """
    if "T" not in axes:
        return None, section
    in_order = np.moveaxis(np.arange(np.prod(shape[:-2])).reshape(shape[:-2]), axes.index("T"), 0)
    time, plane = np.argwhere(in_order.reshape(len(in_order), -1) == section)[0].tolist()
    return time, plane
