"""Train a variant of nuclei_mask_rcnn on a small budget and print what it reaches: the ablations of the paper.

    python benchmarks/mask_rcnn_ablations.py sigmoid --data FOLDER -o RUN
    python benchmarks/mask_rcnn_ablations.py softmax --data FOLDER -o RUN
    python benchmarks/mask_rcnn_ablations.py boxes --data FOLDER -o RUN
    python benchmarks/mask_rcnn_ablations.py nearest --data FOLDER -o RUN

FOLDER is that of benchmarks/nuclei_training_folder.py; its fluorescence images are used. All variants see the same
crops in the same order. Box AP compares boxes, mask AP label images; both are tp / (tp + fp + fn).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from medseg.catalog import find_bundle
from medseg.metrics.instances import AP_IOU_THRESHOLDS
from medseg.metrics.matching import ObjectOverlap, match_objects
from medseg.metrics.overlap_metrics import InstanceAveragePrecisionMetric
from medseg.networks.mask_rcnn.box_iou import box_iou
from medseg.transforms import DetectionTarget, LabelsFromDetectionsd
from medseg.workflow.load import load_workflow

VARIANTS = {
    "sigmoid": {},
    "softmax": {"mask_head": "softmax"},
    "boxes": {"mask_head": None},
    "nearest": {"interpolation": "nearest"},
}
STRATA = ("fluorescence", "bbbc039")


def fluorescence_split(folder: Path, target: Path) -> Path:
    """The folder's split without other kinds of images, and with every fourth validation image."""
    split = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    parts = {part: [e for e in split[part] if e["stratum"] in STRATA] for part in ("training", "validation")}
    parts["validation"] = parts["validation"][::4]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(parts), encoding="utf-8")
    return target


def box_counts(found: torch.Tensor, truth: torch.Tensor) -> np.ndarray:
    """True positives, and all of either side, at each IoU."""
    iou = box_iou(truth, found).double().numpy()
    pairs = np.nonzero(iou > 0)
    sizes = np.zeros(0)
    overlap = ObjectOverlap(np.arange(len(truth)), sizes, np.arange(len(found)), sizes, *pairs, sizes, iou[pairs])
    hits = [len(match_objects(overlap, t).iou) for t in AP_IOU_THRESHOLDS]
    return np.array([(hit, len(truth) + len(found) - hit) for hit in hits])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--patch", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(1)
    split = fluorescence_split(options.data, options.output / "split.json")
    overrides = {"epochs": options.epochs, "val_interval": options.epochs + 1, "patch_size": options.patch}
    overrides |= {"split_file": str(split), "progress": True} | VARIANTS[options.variant]
    run = options.output / options.variant
    workflow = load_workflow(
        find_bundle("nuclei_mask_rcnn"), "train", overrides, dataset_dir=str(options.data), output_dir=str(run)
    )
    part = workflow.parser.get_parsed_content
    start = time.process_time()
    trainer = part("train::trainer")
    trainer.run()
    seconds = time.process_time() - start
    network, inferer = part("network").eval(), part("validate::inferer")
    paint = LabelsFromDetectionsd("pred", min_size=12, min_visible=0.3)
    metrics = [InstanceAveragePrecisionMetric(t, volumetric=False) for t in ((0.5,), AP_IOU_THRESHOLDS)]
    boxes = np.zeros((len(AP_IOU_THRESHOLDS), 2))
    for item in part("validate::dataset"):
        with torch.inference_mode():
            (found,) = inferer(item["image"][None], network)
        boxes += box_counts(found["boxes"], DetectionTarget()(item["label"])["boxes"])
        if "box_masks" in found:
            labels = paint({"image": item["image"], "pred": found})["pred"]
            for metric in metrics:
                metric([labels.as_tensor()], [item["label"].as_tensor()])
    result = {"variant": options.variant, "steps": trainer.state.iteration, "cpu_s": round(seconds)}
    ap = boxes[:, 0] / boxes[:, 1]
    result |= {"box AP50": round(float(ap[0]), 3), "box AP50:95": round(float(ap.mean()), 3)}
    if VARIANTS[options.variant].get("mask_head", "") is not None:
        names = ("mask AP50", "mask AP50:95")
        result |= {n: round(float(m.aggregate()), 3) for n, m in zip(names, metrics, strict=True)}
    (run / "scores.json").write_text(json.dumps(result) + "\n", encoding="utf-8")
    print(result)


if __name__ == "__main__":
    main()
