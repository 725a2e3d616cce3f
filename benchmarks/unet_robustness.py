"""How the U-Net bundles bear images unlike those they were trained on: of other size, blurred, noisy, shaded, lighter.

    python benchmarks/unet_robustness.py BUNDLE --data FOLDER [--split FILE] [--weights FILE] [--set gamma=2]
        [--changes NAME ...]

BUNDLE is em_membrane_unet or phase_contrast_cells_unet, FOLDER its training folder. Its validation images are changed
one way at a time, normalised anew and scored together; labels follow the size. Noise and brightness are relative to
the range between the 1st and the 99th percentile of an image. `--set` is that of `medseg predict`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from image_changes import CHANGES, changed

from medseg.catalog import find_bundle
from medseg.cli.config_values import parse_settings
from medseg.io import training_items
from medseg.metrics import average_precision, iou, pixel_error, topological_warping_error, v_rand
from medseg.transforms import InstancesFromCore, LoadSectiond, PercentileNormalize, PercentileNormalized
from medseg.workflow.load import load_workflow

Images = list[np.ndarray]


def membranes(logits: list[torch.Tensor], labels: Images, _: dict) -> dict[str, float]:
    """Measures of the probability of lying inside a neurite."""
    found, truth = np.stack([x[0].sigmoid().numpy() for x in logits]), np.stack(labels) > 0
    return {
        "pixel error": pixel_error(found, truth).value,
        "V_Rand": v_rand(found, truth).value,
        "warping error": topological_warping_error(found, truth).value,
    }


def cells(logits: list[torch.Tensor], labels: Images, config: dict) -> dict[str, float]:
    """Measures of the cells."""
    keys = ("core_threshold", "cell_threshold", "min_core", "min_size", "max_size", "min_confidence")
    split = InstancesFromCore(**{key: config[key] for key in keys})
    found, truth = np.stack([split(x.softmax(0))[0].numpy() for x in logits]), np.stack(labels)
    ap50 = average_precision(found, truth, iou_thresholds=(0.5,), volumetric=False).value
    return {"IoU": np.mean([iou(f > 0, t > 0).value for f, t in zip(found, truth, strict=True)]), "AP50": ap50}


SCORES: dict[str, Callable[..., dict[str, float]]] = {"em_membrane_unet": membranes, "phase_contrast_cells_unet": cells}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", choices=SCORES)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="key of inference.json")
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=list(CHANGES), metavar="NAME")
    options = parser.parse_args()
    bundle = find_bundle(options.bundle)
    settings = {"device": "cpu", "weights": str(options.weights or bundle.weights), "datalist": [{"image": ""}]}
    settings |= parse_settings(options.set, {})
    config = load_workflow(bundle, "inference", settings).parser
    network, inferer = config.get_parsed_content("network").eval(), config.get_parsed_content("inferer")
    load, scale = LoadSectiond(), PercentileNormalized("image", spatial_dims=2)
    items = training_items(options.data, "validation", split_file=options.split)
    samples = [(data["image"].numpy(), data["label"][0].numpy()) for data in (scale(load(item)) for item in items)]
    normalize = PercentileNormalize(spatial_dims=2, gamma=config.get("gamma", 1.0))
    for name in options.changes:
        logits, labels = [], []
        for sample in samples:
            image, truth = changed(CHANGES[name], *sample, normalize)
            with torch.inference_mode():
                logits.append(inferer(image[None], network)[0].float())
            labels.append(truth)
        values = SCORES[options.bundle](logits, labels, config)
        if name == options.changes[0]:
            print(f"| change | {' | '.join(values)} |\n" + "| --- " * (len(values) + 1) + "|")
        row = [f"{value:.5f}" if "warping" in score else f"{value:.3f}" for score, value in values.items()]
        print(f"| {' | '.join([name, *row])} |", flush=True)


if __name__ == "__main__":
    main()
