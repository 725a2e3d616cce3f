"""Border weight map against the usual loop of one distance transform per object.

    python benchmarks/border_weights.py

prints, for scattered round cells: the time of ``border_weight_map`` and of the loop, their ratio, the largest
difference of the two maps, and the time per pixel, which must not grow with the image or the number of cells.
The loop's time is proportional to the number of objects. For the large image it is timed on a few of them and
multiplied; a mark says so.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.ndimage import distance_transform_edt
from warping import seconds

from medseg.transforms import border_weight_map, separate_touching

W0, SIGMA = 10.0, 5.0


def round_cells(size: int, count: int) -> np.ndarray:
    """About ``count`` discs on a jittered grid, some of them touching, as a label image."""
    rng = np.random.default_rng(0)
    side = int(np.ceil(np.sqrt(count)))
    step = size / side
    labels = np.zeros((size, size), np.uint16)
    for cell in range(count):
        y, x = (np.array(divmod(cell, side)) + 0.5 + rng.uniform(-0.2, 0.2, 2)) * step
        radius = step * rng.uniform(0.35, 0.55)
        window = tuple(slice(max(0, int(c - radius)), int(c + radius) + 2) for c in (y, x))
        yy, xx = np.mgrid[window][0], np.mgrid[window][1]
        inside = (yy - y)[: labels[window].shape[0], : labels[window].shape[1]] ** 2
        inside = inside + (xx - x)[: labels[window].shape[0], : labels[window].shape[1]] ** 2 < radius**2
        labels[window][inside & (labels[window] == 0)] = cell + 1
    return labels


def one_transform_per_object(labels: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """The formula, keeping the two smallest distances while the loop runs."""
    d1 = np.full(labels.shape, np.inf)
    d2 = d1.copy()
    for i in ids:
        d = distance_transform_edt(labels != i)
        d2 = np.minimum(d2, np.maximum(d1, d))
        d1 = np.minimum(d1, d)
    return 1 + np.where(labels == 0, W0 * np.exp(-((d1 + d2) ** 2) / (2 * SIGMA**2)), 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sampled-objects", type=int, default=20, help="objects of the loop on the large image")
    sampled = parser.parse_args().sampled_objects
    header = ("image", 12), ("cells", 6), ("map", 9), ("per pixel", 10), ("loop", 10), ("ratio", 7)
    print(*(f"{word:>{width}}" for word, width in header), f"{'difference':>11}")
    for size, cells in ((512, 200), (1024, 800), (2048, 3000), (2048, 300)):
        labels = round_cells(size, cells)
        separated = separate_touching(labels)
        ids = np.unique(separated)[1:]
        ours = seconds(lambda: border_weight_map(labels, W0, SIGMA, class_balance=False), 9)  # noqa: B023
        if size == 512:
            start = time.perf_counter()
            expected = one_transform_per_object(separated, ids)
            loop, mark = time.perf_counter() - start, " "
            weights = border_weight_map(labels, W0, SIGMA, class_balance=False)
            difference = f"{np.abs(weights - expected).max():.1e}"
        else:
            start = time.perf_counter()
            one_transform_per_object(separated, ids[:sampled])
            loop, mark = (time.perf_counter() - start) * len(ids) / sampled, "*"
            difference = "-"
        print(
            f"{size:>6} x {size:<4}{len(ids):>6} {ours * 1e3:>6.1f} ms {ours / size**2 * 1e9:>7.1f} ns"
            f" {loop:>8.2f} s{mark}{loop / ours:>7.0f} {difference:>11}",
            flush=True,
        )
    print(f"* timed on {sampled} objects and multiplied by the number of objects")


if __name__ == "__main__":
    main()
