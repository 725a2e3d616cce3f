"""Elastic deformation of image and label against elasticdeform and MONAI, in one run.

    pip install --no-binary elasticdeform elasticdeform
    python benchmarks/elastic.py

The same work for all: linear interpolation of the image, nearest for the labels, reflected borders.
elasticdeform (control grid, cubic spline between the points) computes the very same thing, so the largest
difference of the two images is printed too. MONAI's transforms draw other deformations; the two-dimensional
one is given our grid spacing, and a finer one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from monai.transforms import Rand2DElasticd, Rand3DElasticd

from medseg.transforms import RandElasticDeformationd

KEYS, MODES = ["image", "label"], ["bilinear", "nearest"]


def milliseconds(functions: dict[str, Callable], repeats: int) -> dict[str, float]:
    """Median time of each function; they take turns, so that other load on the machine hits them alike."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if turn:
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: median(values) for name, values in times.items()}


def report(title: str, times: dict[str, float]) -> None:
    print(title)
    for name, value in times.items():
        print(f"  {name:<34}{value:>9.1f} ms {value / times['medseg']:>8.1f} x")


def pair(shape: tuple[int, ...]) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(0)
    label = np.kron(rng.integers(0, 200, [n // 16 for n in shape]), np.ones([16] * len(shape)))[None]
    image = label + rng.normal(0, 5, label.shape)
    return {"image": torch.from_numpy(image).float(), "label": torch.from_numpy(label).to(torch.uint8)}


def with_elasticdeform(data: dict[str, torch.Tensor], control: np.ndarray) -> Callable:
    import elasticdeform

    images = [data[key][0].numpy() for key in KEYS]
    return lambda: elasticdeform.deform_grid(images, control, order=[1, 0], mode="mirror")


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(f"torch threads: {torch.get_num_threads()}")
    for shape, repeats in (((512, 512), 21), ((96, 96, 96), 7)):
        data, ndim = pair(shape), len(shape)
        ours = RandElasticDeformationd(KEYS, prob=1, mode=MODES).set_random_state(0)
        result = ours(data)
        functions = {"medseg": lambda: ours(data)}  # noqa: B023
        try:
            functions["elasticdeform"] = with_elasticdeform(data, ours.deform.control)
        except ImportError:
            print("elasticdeform is not installed, or was built for another numpy; left out")
        if ndim == 2:
            for spacing in (255, 32):
                options = {"spacing": (spacing,) * 2, "magnitude_range": (1, 2), "padding_mode": "reflection"}
                monai = Rand2DElasticd(KEYS, prob=1, mode=MODES, **options)
                functions[f"MONAI Rand2DElasticd, spacing {spacing}"] = lambda monai=monai: monai(data)  # noqa: B023
        else:
            options = {"sigma_range": (5, 7), "magnitude_range": (50, 100), "padding_mode": "reflection"}
            monai = Rand3DElasticd(KEYS, prob=1, mode=MODES, **options)
            functions["MONAI Rand3DElasticd"] = lambda monai=monai: monai(data)  # noqa: B023
        if "elasticdeform" in functions:
            image, label = functions["elasticdeform"]()
            difference = np.abs(image - result["image"][0].numpy()).max()
            same = (label == result["label"][0].numpy()).mean()
            print(f"elasticdeform: image differs by {difference:.1e} at most, labels equal in {same:.4%}")
        report(f"{' x '.join(map(str, shape))}, image and label", milliseconds(functions, repeats))


if __name__ == "__main__":
    main()
