"""JPEG files, which decoders complete in silence when they are cut off."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np

from medseg.errors import InputError

_SCAN, _END = b"\xff\xda", b"\xff\xd9"  # cannot occur inside compressed pixels


def read_jpeg(path: Path) -> tuple[np.ndarray, str]:
    """Pixels ``(Y, X)`` or ``(Y, X, 3)``, uint8, as stored: a note that the camera was turned is not followed.

    Returns:
        The array and the letters of its axes.

    Raises:
        InputError: no JPEG, cut off, or in the four colours of print (CMYK).
    """
    data = path.read_bytes()
    try:
        array = imagecodecs.jpeg8_decode(data)
        if data.rfind(_END) < data.rfind(_SCAN):
            raise ValueError("its end is missing")
    except (imagecodecs.Jpeg8Error, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JPEG, it is damaged or cut off ({error})") from error
    if array.ndim == 3 and array.shape[2] != 3:
        raise InputError(f"{path}: a JPEG of {array.shape[2]} colours (CMYK); save it as RGB or gray")
    return array, "YXC"[: array.ndim]
