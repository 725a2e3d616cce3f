"""A small image, and masks of one square in its frame."""

import numpy as np

IMAGE = np.arange(48, dtype=np.uint8).reshape(6, 8)


def square(top: int, left: int, size: int = 2, value: int = 255) -> np.ndarray:
    """A square of `value` in a frame as large as `IMAGE`."""
    mask = np.zeros(IMAGE.shape, np.uint8)
    mask[top : top + size, left : left + size] = value
    return mask
