"""Checks of an image's pixels alone: NaN, constant, saturated."""

from __future__ import annotations

import numpy as np

from data_tools.check.findings import Finding, error, warning

SATURATED_FRACTION = 0.05


def check_image(file: str, image: np.ndarray) -> list[Finding]:
    """NaN or infinite pixels, one value everywhere, much of the image at the top of its type's range."""
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        bad = int(image.size - np.isfinite(image).sum())
        return [error("nan", file, f"{bad} pixels are NaN or infinite; replace them or leave the image out")]
    if image.min() == image.max():
        return [error("constant_image", file, f"every pixel is {image.flat[0]}; the export failed, export it again")]
    if image.dtype.kind == "u" and image.dtype.itemsize <= 2:
        top = np.iinfo(image.dtype).max
        saturated = float((image == top).mean())
        if saturated > SATURATED_FRACTION:
            return [
                warning(
                    "saturated_image",
                    file,
                    f"{saturated:.0%} of the pixels are at {top}, the top of {image.dtype}; their contrast is "
                    "lost, export from the raw data if there is more",
                )
            ]
    return []
