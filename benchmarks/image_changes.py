"""Changes of images by which the robustness of a bundle is measured: size, blur, noise, shading, brightness."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from skimage.transform import resize

Change = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From an image ``(C, Y, X)`` of about 0 to 1 and its labels ``(Y, X)`` to others, not normalised."""


def changed(
    change: Change, image: np.ndarray, labels: np.ndarray, normalize: Callable[[np.ndarray], torch.Tensor]
) -> tuple[torch.Tensor, np.ndarray]:
    """A normalised image and its labels after a change, normalised anew."""
    image, labels = change(image, labels)
    return normalize(np.asarray(image, np.float32)), labels


def resized(factor: float) -> Change:
    """Image and labels so many times as large; smoothed before it is made smaller."""

    def change(image: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = tuple(max(1, round(n * factor)) for n in labels.shape)
        image = resize(image, (len(image), *shape), order=1, anti_aliasing=factor < 1)
        return image, resize(labels, shape, order=0, anti_aliasing=False, preserve_range=True).astype(labels.dtype)

    return change


def of_pixels(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    """A change of the image alone."""
    return lambda image, labels: (change(image), labels)


def noisy(image: np.ndarray, share: float) -> np.ndarray:
    """With Gaussian noise of that share of the image's range, alike in all channels."""
    return image + np.random.default_rng(0).normal(0, share, image.shape[1:]).astype(np.float32)


def shaded(image: np.ndarray) -> np.ndarray:
    """Brightness falls to 40 % from the left to the right border."""
    return image * np.linspace(1, 0.4, image.shape[2], dtype=np.float32)


def bent(image: np.ndarray, exponent: float) -> np.ndarray:
    """Cut to 0 to 1, then to the power of ``exponent``: below 1 it becomes lighter, above 1 darker."""
    return image.clip(0, 1) ** exponent


SIZES: dict[str, Change] = {
    "half the size": resized(0.5),
    "0.75 times the size": resized(0.75),
    "1.5 times the size": resized(1.5),
    "twice the size": resized(2.0),
    "three times the size": resized(3.0),
}
PIXELS: dict[str, Change] = {
    "blur, sigma 1.5 px": of_pixels(lambda image: gaussian_filter(image, (0, 1.5, 1.5))),
    "blur, sigma 3 px": of_pixels(lambda image: gaussian_filter(image, (0, 3, 3))),
    "noise, 10 %": of_pixels(lambda image: noisy(image, 0.1)),
    "noise, 25 %": of_pixels(lambda image: noisy(image, 0.25)),
    "noise, 25 %, smoothed by sigma 1.5 px": of_pixels(
        lambda image: gaussian_filter(noisy(image, 0.25), (0, 1.5, 1.5))
    ),
    "shading from 100 to 40 % of the brightness": of_pixels(shaded),
    "lighter, gamma 0.5": of_pixels(lambda image: bent(image, 0.5)),
    "darker, gamma 2": of_pixels(lambda image: bent(image, 2.0)),
    "inverted": of_pixels(lambda image: 1 - image),
}
CHANGES: dict[str, Change] = {"none": lambda image, labels: (image, labels), **SIZES, **PIXELS}
