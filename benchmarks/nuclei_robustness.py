"""How nuclei_unetplusplus bears images unlike those it was trained on: of other size, blurred, noisy, shaded.

    python benchmarks/nuclei_robustness.py --data FOLDER [--weights FILE] [--tta] [--changes NAME ...]

FOLDER is the bundle's training folder. Its validation images are changed one way at a time, normalised anew and
scored as nuclei_scores.py does; labels follow the size. Noise and shading are relative to the range between the 1st
and the 99.8th percentile of an image.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from image_changes import CHANGES, Change
from nuclei_scores import Sample, bundle_cells, bundle_parts, prepared_samples, probabilities, scores

from medseg.transforms import PercentileNormalize

NORMALIZE = PercentileNormalize(upper=99.8, spatial_dims=2, together=True)


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
