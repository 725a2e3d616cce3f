"""Time the topological warping error on 30 sections of 512 x 512, as the ISBI 2012 challenge computes it.

    python benchmarks/warping.py

Synthetic neuropil; with MEDSEG_DATA_DIR also the labels of the challenge. Proposals imitate a network: gaps,
strokes, elastic shifts, blur, smooth noise, 17 grey levels. The alternative is the challenge's own Java code;
it is not run here, its times are those published with the reference values (OpenJDK 17, one thread, two shared
vCPU of an AMD EPYC, which vary by a factor of two).
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numba
import numpy as np
import tifffile
from scipy.ndimage import binary_dilation, gaussian_filter, map_coordinates

from data_tools.synth.em import em_sections
from medseg.metrics.warping import topological_warping_error

JAVA_SECONDS = {"section": 0.130, "section, whole image": 2.510, "challenge": 113.0}


def network_like(label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Foreground probability, float32 with 17 levels, that errs about a binary section like a network."""
    height, width = label.shape
    image = label.astype(float)
    for kind, count in ((1.0, 12), (0.0, 8)):  # gaps in membranes, dark strokes through cells
        seeds = np.zeros(label.shape, bool)
        candidates = np.argwhere(label == (kind == 0))
        for y, x in candidates[rng.integers(len(candidates), size=count)]:
            dy, dx = rng.normal(size=2)
            steps = np.arange(3 if kind else 40)[:, None] * (dy, dx) / np.hypot(dy, dx)
            ys, xs = (np.array((y, x)) + steps).round().astype(int).T
            inside = (ys >= 0) & (ys < height) & (xs >= 0) & (xs < width)
            seeds[ys[inside], xs[inside]] = True
        image[binary_dilation(seeds, iterations=2)] = kind
    shift = [gaussian_filter(rng.normal(size=label.shape), 20) for _ in range(2)]
    grid = [g + 2 * s / s.std() for g, s in zip(np.indices(label.shape), shift, strict=True)]
    image = gaussian_filter(map_coordinates(image, grid, order=1, mode="nearest"), 1.5)
    noise = gaussian_filter(rng.normal(size=label.shape), 4)
    levels = np.rint(np.clip(image + 0.12 * noise / noise.std(), 0, 1) * 16) / 16
    return np.rint(levels * 255).astype(np.float32) / np.float32(255)


def seconds(call, repeats: int = 5) -> float:
    """Median wall time after one warm-up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def report(name: str, labels: np.ndarray) -> None:
    rng = np.random.default_rng(2012)
    proposals = np.stack([network_like(label, rng) for label in labels])
    error = topological_warping_error(proposals, labels)
    print(f"\n{name}: {len(labels)} x {labels.shape[1]} x {labels.shape[2]}, ", end="")
    print(f"warping error {error.value:.6f} at {error.threshold}, classic {error.classic_error:.6f}")
    one = {"prediction": proposals[0], "reference": labels[0], "threshold": 0.5, "threads": 1}
    row("section", "one section, one threshold, radius 20", seconds(lambda: topological_warping_error(**one)))
    whole = seconds(lambda: topological_warping_error(**one, radius=None))
    row("section, whole image", "one section, one threshold, whole image", whole)
    for threads in sorted({1, os.cpu_count() or 1}):
        sweep = seconds(lambda t=threads: topological_warping_error(proposals, labels, threads=t), 3)
        row("challenge", f"challenge: 10 thresholds, radius 20, {threads} thread(s)", sweep)
    volume = {"threshold": 0.5, "volumetric": True, "threads": 1}
    ours = seconds(lambda: topological_warping_error(proposals, labels, **volume), 3)
    print(f"  {'as one volume, 6/26, one threshold':48} {ours:8.3f} s")


def row(java: str, what: str, ours: float) -> None:
    theirs = JAVA_SECONDS[java]
    print(f"  {what:48} {ours:8.3f} s   Java (published) {theirs:8.3f} s   {theirs / ours:5.0f} x")


def cold_start() -> None:
    """First call of a fresh installation, which compiles the kernels, and of the next process."""
    call = (
        "import time, numpy as np; from medseg.metrics.warping import topological_warping_error as f;"
        "t = time.perf_counter(); f(np.zeros((9, 9)), np.eye(9, dtype=int)); print(time.perf_counter() - t)"
    )
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(Path(__file__).parents[1])}
        first, second = (
            float(subprocess.run([sys.executable, "-c", call], env=environment, check=True, capture_output=True).stdout)
            for _ in range(2)
        )
    print(f"first call of a fresh installation {first:.1f} s (compiles), in the next process {second:.2f} s")


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(f"numba {numba.__version__}, {os.cpu_count()} cores; the Java reference is not run: times as published")
    cold_start()
    report("synthetic neuropil", (em_sections((30, 512, 512), seed=1).labels > 0).astype(np.uint8))
    root = os.environ.get("MEDSEG_DATA_DIR")
    if root:
        labels = tifffile.imread(Path(root) / "isbi2012_em" / "train-labels.tif") > 0
        report("ISBI 2012 labels (20, and 10 of them mirrored)", np.concatenate([labels, labels[:10, ::-1]]))
    else:
        print("\nMEDSEG_DATA_DIR is not set: no real labels")


if __name__ == "__main__":
    main()
