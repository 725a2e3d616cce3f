"""Checks of an image's pixels alone: constant, saturated; reading refuses NaN."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data_tools.check.findings import Finding, error, warning

SATURATED_FRACTION = 0.05


def check_image(file: str, image: np.ndarray) -> Iterator[Finding]:
    """One value everywhere, much of the image at the top of its type's range."""
    if image.min() == image.max():
        yield error("constant_image", file, f"every pixel is {image.flat[0]}; the export failed, export it again")
    elif image.dtype.kind == "u" and image.dtype.itemsize <= 2:
        top = np.iinfo(image.dtype).max
        saturated = float((image == top).mean())
        if saturated > SATURATED_FRACTION:
            yield warning(
                "saturated_image",
                file,
                f"{saturated:.0%} of the pixels are at {top}, the top of {image.dtype}; their contrast is lost, "
                "export from the raw data if there is more",
            )
