"""Choose the watershed of phase_contrast_cells_unet on its validation fields.

    python benchmarks/phase_contrast_watershed.py --data FOLDER [--split FILE] [--weights FILE] [--tta]

Prints IoU of the cells, AP50, AP50:95 and the number of cells for each pair of thresholds, and AP50 of each field at
the thresholds of the bundle; reads the validation fields only.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch

from medseg.catalog import find_bundle
from medseg.io import training_items
from medseg.metrics import average_precision, iou
from medseg.transforms import InstancesFromCore, LoadSectiond, PercentileNormalized
from medseg.workflow.load import load_workflow

CORES = (0.4, 0.5, 0.6, 0.7, 0.8)
CELLS = (0.4, 0.5, 0.6)
KEPT = ("min_core", "min_size", "max_size", "min_confidence")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--tta", action="store_true")
    options = parser.parse_args()
    bundle = find_bundle("phase_contrast_cells_unet")
    settings = {"device": "cpu", "weights": str(options.weights or bundle.weights), "tta": options.tta}
    config = load_workflow(bundle, "inference", settings, datalist=[{"image": ""}]).parser
    network, inferer = config.get_parsed_content("network").eval(), config.get_parsed_content("inferer")
    load, normalize = LoadSectiond(), PercentileNormalized("image", spatial_dims=2)
    found, truth = [], []
    items = training_items(options.data, "validation", split_file=options.split)
    for item in items:
        data = normalize(load(item))
        with torch.inference_mode():
            found.append(inferer(data["image"][None].as_tensor(), network)[0].softmax(0))
        truth.append(data["label"][0].numpy())
    truth = np.stack(truth)

    def scores(core: float, cell: float) -> tuple[np.ndarray, str]:
        split = InstancesFromCore(core, cell, **{key: config[key] for key in KEPT})
        cells = np.stack([split(p)[0].numpy() for p in found])
        ap = average_precision(cells, truth, volumetric=False)
        return cells, f"{iou(cells > 0, truth > 0).value:.3f}  {ap.scores[0].average_precision:.3f}  {ap.value:.3f}"

    print(f"{len(truth)} fields, {sum(len(np.unique(t)) - 1 for t in truth)} cells in the truth")
    print("core  cell  IoU    AP50   AP50:95  cells")
    for core, cell in itertools.product(CORES, CELLS):
        cells, line = scores(core, cell)
        print(f"{core:4.2f}  {cell:4.2f}  {line}    {sum(len(np.unique(c)) - 1 for c in cells)}")
    cells, line = scores(config["core_threshold"], config["cell_threshold"])
    print(f"the bundle's: {line}")
    for item, c, t in zip(items, cells, truth, strict=True):
        ap50 = average_precision(c, t, iou_thresholds=(0.5,)).value
        print(f"{Path(item['image']).stem}: IoU {iou(c > 0, t > 0).value:.3f}, AP50 {ap50:.3f}")


if __name__ == "__main__":
    main()
