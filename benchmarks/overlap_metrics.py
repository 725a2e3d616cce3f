"""Time Rand, information and object measures against scikit-image and a dense matrix, and the V_Rand sweep.

    python benchmarks/overlap_metrics.py

Both sides get the same label images; their values are compared before the times are. The V_Rand sweep is set
against the times published for the challenge's own Java code (OpenJDK 17, one thread, two shared vCPU of an
AMD EPYC, which vary by a factor of two), which is not run here. Real labels are used with MEDSEG_DATA_DIR.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import skimage
import tifffile
from scipy.ndimage import distance_transform_edt
from scipy.optimize import linear_sum_assignment
from skimage.metrics import adapted_rand_error, variation_of_information
from warping import network_like, seconds

from data_tools.synth.em import em_sections
from medseg.kernels.components import label_components
from medseg.kernels.in_threads import default_threads
from medseg.metrics import information
from medseg.metrics.instances import AP_IOU_THRESHOLDS, average_precision
from medseg.metrics.rand import rand_error, v_rand

JAVA_V_RAND = 70.5
LABELS = {"prediction_kind": "labels", "reference_kind": "labels"}


def voronoi(shape: tuple[int, ...], number: int, seed: int) -> np.ndarray:
    """Label image of the cells nearest to random points."""
    rng = np.random.default_rng(seed)
    empty = np.ones(shape, bool)
    empty.flat[rng.choice(empty.size, number, replace=False)] = False
    labels = np.zeros(shape, np.int32)
    labels[~empty] = np.arange(1, number + 1)
    nearest = distance_transform_edt(empty, return_distances=False, return_indices=True)
    return labels[tuple(nearest)]


def dense_average_precision(prediction: np.ndarray, reference: np.ndarray) -> float:
    """AP50:95 with the matrix of all pairs and an assignment per threshold, as is common."""
    rows, columns = int(reference.max()) + 1, int(prediction.max()) + 1
    pairs = reference.ravel().astype(np.int64) * columns + prediction.ravel()
    shared = np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    iou = (shared / np.maximum(union, 1))[1:, 1:]
    iou = iou[shared[1:].sum(axis=1) > 0][:, shared[:, 1:].sum(axis=0) > 0]
    scores = []
    for threshold in AP_IOU_THRESHOLDS:
        cost = -(iou >= threshold).astype(float) - iou / (2 * min(iou.shape))
        chosen = linear_sum_assignment(cost)
        tp = int((iou[chosen] >= threshold).sum())
        scores.append(tp / (sum(iou.shape) - tp))
    return float(np.mean(scores))


def compare(what: str, ours: Callable[[], object], theirs: Callable[[], object], repeats: int = 5) -> None:
    """Print medians of wall and processor time and their ratios, after making sure that the values are equal."""
    np.testing.assert_allclose(ours(), theirs(), rtol=1e-12, atol=1e-12)
    here, there = times(ours, repeats), times(theirs, repeats)
    print(
        f"  {what:28} {here[0]:7.3f} s (processor {here[1]:6.3f})   alternative {there[0]:7.3f} s ({there[1]:6.3f})   "
        f"{there[0] / here[0]:5.1f} x ({there[1] / here[1]:.1f})"
    )


def times(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall and processor time; on a machine that others use, the second says more."""
    found = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        call()
        found.append((time.perf_counter() - wall, time.process_time() - processor))
    return tuple(np.median(found, axis=0).tolist())


def against_scikit_image(name: str, prediction: np.ndarray, reference: np.ndarray) -> None:
    """Rand and information of two label volumes, background an ordinary segment on both sides."""
    objects = np.unique(reference).size, np.unique(prediction).size
    print(f"\n{name}: {prediction.shape}, {objects[0]} and {objects[1]} ids")
    compare(
        "Rand error",
        lambda: rand_error(prediction, reference, region="everything", **LABELS).value,
        lambda: adapted_rand_error(reference, prediction, ignore_labels=())[0],
    )

    def ours() -> list[float]:
        best = information.variation_of_information(prediction, reference, region="everything", **LABELS).best
        return [best.split / np.log(2), best.merge / np.log(2)]

    compare("variation of information", ours, lambda: list(variation_of_information(reference, prediction)))


def section_labels(stack: np.ndarray) -> np.ndarray:
    """Components of each section, their ids unique in the stack."""
    labels, last = np.zeros(stack.shape, np.int32), 0
    for z, section in enumerate(stack):
        ids, number = label_components(section, 4)
        labels[z] = np.where(ids > 0, ids + last, 0)
        last += number
    return labels


def em_stack(name: str, reference: np.ndarray) -> None:
    """30 sections: segments against scikit-image, and the challenge's sweep."""
    rng = np.random.default_rng(2012)
    proposals = np.stack([network_like(section, rng) for section in reference])
    against_scikit_image(name, section_labels(proposals > 0.5), section_labels(reference))
    result = v_rand(proposals, reference)
    ours = seconds(lambda: v_rand(proposals, reference), 3)
    print(f"  V_Rand {result.value:.6f} at {result.best.threshold:g}")
    what = "V_Rand, 11 thresholds"
    print(f"  {what:44} {ours:8.3f} s   Java (published) {JAVA_V_RAND:6.1f} s   {JAVA_V_RAND / ours:4.0f} x")


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(f"numba {numba.__version__}, scikit-image {skimage.__version__}, {os.cpu_count()} cores, ", end="")
    print(f"{default_threads()} thread(s) in medseg, 1 in the alternatives")
    em_stack("synthetic neuropil", (em_sections((30, 512, 512), seed=1).labels > 0).astype(np.uint8))
    root = os.environ.get("MEDSEG_DATA_DIR")
    if root:
        labels = tifffile.imread(Path(root) / "isbi2012_em" / "train-labels.tif") > 0
        mirrored = np.concatenate([labels, labels[:10, ::-1]]).astype(np.uint8)
        em_stack("ISBI 2012 labels (20, and 10 of them mirrored)", mirrored)
    else:
        print("\nMEDSEG_DATA_DIR is not set: no real labels")
    shape = (128, 512, 512)
    against_scikit_image("two Voronoi volumes", voronoi(shape, 100_000, 1), voronoi(shape, 100_000, 2))
    reference = voronoi((1024, 1024), 1000, 3)
    prediction = np.roll(reference, (2, 3), axis=(0, 1))
    print("\n1000 objects against 1000, 1024 x 1024")
    compare(
        "AP50:95",
        lambda: average_precision(prediction, reference, **LABELS).value,
        lambda: dense_average_precision(prediction, reference),
    )


if __name__ == "__main__":
    main()
