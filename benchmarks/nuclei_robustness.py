"""How nuclei_unetplusplus bears images unlike those it was trained on: of other size, blurred, noisy, shaded, inverted.

    python benchmarks/nuclei_robustness.py --data FOLDER [--weights FILE] [--tta] [--changes NAME ...]

FOLDER is the bundle's training folder. Its validation images are changed one way at a time, normalised anew and
scored as nuclei_scores.py does; labels follow the size. Noise and shading are relative to the range between the 1st
and the 99.8th percentile of an image.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from nuclei_scores import Sample, bundle_cells, bundle_parts, prepared_samples, probabilities, scores
from scipy.ndimage import gaussian_filter
from skimage.transform import resize

from medseg.transforms import PercentileNormalize

NORMALIZE = PercentileNormalize(upper=99.8, spatial_dims=2, together=True)
Change = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From an image ``(3, Y, X)`` and its labels ``(Y, X)`` to others."""


def resized(factor: float) -> Change:
    """Image and labels so many times as large; smoothed before it is made smaller."""

    def change(image: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = tuple(max(1, round(n * factor)) for n in labels.shape)
        image = resize(image, (3, *shape), order=1, anti_aliasing=factor < 1)
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


CHANGES: dict[str, Change] = {
    "none": lambda image, labels: (image, labels),
    "half the size": resized(0.5),
    "1.5 times the size": resized(1.5),
    "twice the size": resized(2.0),
    "three times the size": resized(3.0),
    "blur, sigma 1.5 px": of_pixels(lambda image: gaussian_filter(image, (0, 1.5, 1.5))),
    "blur, sigma 3 px": of_pixels(lambda image: gaussian_filter(image, (0, 3, 3))),
    "noise, 10 %": of_pixels(lambda image: noisy(image, 0.1)),
    "noise, 25 %": of_pixels(lambda image: noisy(image, 0.25)),
    "noise, 25 %, smoothed by sigma 1.5 px": of_pixels(
        lambda image: gaussian_filter(noisy(image, 0.25), (0, 1.5, 1.5))
    ),
    "shading": of_pixels(shaded),
    "inverted": of_pixels(lambda image: 1 - image),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--tta", action="store_true")
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=list(CHANGES), metavar="NAME")
    options = parser.parse_args()
    samples, cells = prepared_samples(options.data), bundle_cells()
    network, inferer = bundle_parts(options.weights, tta=options.tta)
    print("| change | fluorescence: IoU | AP50 | all: IoU | AP50 |\n" + "| --- " * 5 + "|", flush=True)
    for name in options.changes:
        changed = [after(CHANGES[name], sample) for sample in samples]
        rows = scores(probabilities(network, changed, inferer), changed, cells, topology=False)
        values = [rows[group][score] for group in ("all fluorescence", "all") for score in ("IoU", "AP50")]
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |", flush=True)


def after(change: Change, sample: Sample) -> Sample:
    """The changed sample, normalised anew."""
    image, labels = change(sample.image.numpy(), sample.labels)
    return Sample(torch.as_tensor(NORMALIZE(image.astype(np.float32))), labels, sample.kind)


if __name__ == "__main__":
    main()
