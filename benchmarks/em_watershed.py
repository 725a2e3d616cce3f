"""Choose the watershed of em_membrane_unet on its validation sections.

    python benchmarks/em_watershed.py --data FOLDER [--weights FILE]

FOLDER is the bundle's training folder (see bundles/em_membrane_unet/docs/README.md). Prints AP50, the adapted Rand
score of the label images and their number of cells for each pair of thresholds; reads the validation sections only.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch
from skimage.measure import label

from medseg.catalog import find_bundle
from medseg.inferers import OverlapTileInferer
from medseg.io import training_items
from medseg.metrics import average_precision, rand_error
from medseg.transforms import InstancesFromProbability, LoadSectiond, PercentileNormalized
from medseg.workflow.load import load_workflow

SEEDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
MIN_SIZE = 30


def probabilities(folder: Path, weights: Path | None) -> tuple[np.ndarray, np.ndarray]:
    bundle = find_bundle("em_membrane_unet")
    settings = {"device": "cpu", "weights": str(weights or bundle.weights), "datalist": [{"image": ""}]}
    network = load_workflow(bundle, "inference", settings).parser.get_parsed_content("network").eval()
    load, normalize = LoadSectiond(), PercentileNormalized("image", spatial_dims=2)
    found, truth = [], []
    for item in training_items(folder, "validation"):
        data = normalize(load(item))
        with torch.inference_mode():
            logits = OverlapTileInferer((700, 700))(data["image"][None].as_tensor(), network)
        found.append(torch.sigmoid(logits)[0, 0].numpy())
        truth.append(label(data["label"][0].numpy(), connectivity=1))
    return np.stack(found), np.stack(truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    found, truth = probabilities(options.data, options.weights)
    print(f"{len(truth)} sections, {sum(t.max() for t in truth)} cells in the truth")
    print("seed  threshold  AP50   1 - Rand error  cells")
    for seed, threshold in itertools.product(SEEDS, THRESHOLDS):
        if seed < threshold:
            continue
        cells = np.asarray(InstancesFromProbability(seed, threshold, MIN_SIZE)(found[None]))[0]
        ap50 = average_precision(cells, truth, iou_thresholds=(0.5,), volumetric=False).value
        rand = 1 - rand_error(cells, truth, volumetric=False).value
        print(f"{seed:4.2f}  {threshold:9.2f}  {ap50:.3f}  {rand:14.4f}  {len(np.unique(cells)) - 1}")


if __name__ == "__main__":
    main()
