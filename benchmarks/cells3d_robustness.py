"""How cells3d_mask_rcnn bears volumes unlike those of training: turned, of other size, with fewer sections, noisy.

    python benchmarks/cells3d_robustness.py FOLDER [--split FILE] [--weights FILE] [--tta] [--changes NAME ...]

FOLDER is the bundle's training folder. Its validation volumes are changed one way at a time and normalised anew;
labels follow the geometry. AP50, AP50:95 and the IoU of the foreground are printed. Noise is relative to the range
between the 1st and the 99.8th percentile.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from image_changes import Change, bent, changed, noisy, of_pixels, resized
from scipy.ndimage import gaussian_filter, rotate, zoom

from medseg.catalog import find_bundle
from medseg.io import read_image, read_labels, volume_items
from medseg.metrics import iou
from medseg.metrics.instances import average_precision_of
from medseg.metrics.overlap import overlaps
from medseg.transforms import LabelsFromDetectionsd, PercentileNormalize
from medseg.workflow.load import load_workflow

BUNDLE = "cells3d_mask_rcnn"
Volume = tuple[np.ndarray, np.ndarray]


def turned(image: np.ndarray, labels: np.ndarray) -> Volume:
    """By 30 degrees in the plane of a section, whose corners are lost; what comes in from outside is dark."""
    turn = partial(rotate, angle=30, reshape=False)
    return turn(image, axes=(2, 3), order=1), turn(labels, axes=(1, 2), order=0)


def with_fewer_sections(image: np.ndarray, labels: np.ndarray) -> Volume:
    """Two sections in place of three."""
    return zoom(image, (1, 2 / 3, 1, 1), order=1), zoom(labels, (2 / 3, 1, 1), order=0)


CHANGES: dict[str, Change] = {
    "none": lambda image, labels: (image, labels),
    "turned by 30 degrees": turned,
    "0.75 times the size": resized(0.75),
    "1.33 times the size": resized(4 / 3),
    "two thirds of the sections": with_fewer_sections,
    "blur, sigma 1.5 px": of_pixels(lambda image: gaussian_filter(image, (0, 1.5, 1.5, 1.5))),
    "noise, 10 %": of_pixels(partial(noisy, share=0.1)),
    "noise, 25 %": of_pixels(partial(noisy, share=0.25)),
    "lighter, gamma 0.5": of_pixels(partial(bent, exponent=0.5)),
    "darker, gamma 2": of_pixels(partial(bent, exponent=2.0)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--tta", action="store_true")
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=list(CHANGES), metavar="NAME")
    options = parser.parse_args()
    bundle = find_bundle(BUNDLE)
    settings = {"device": "cpu", "weights": str(options.weights or bundle.weights), "tta": options.tta}
    config = load_workflow(bundle, "inference", settings, datalist=[{"image": ""}]).parser
    network, inferer = config.get_parsed_content("network").eval(), config.get_parsed_content("inferer")
    paint = LabelsFromDetectionsd("pred", min_size=config["min_size"], min_visible=config["min_visible"])
    normalize = PercentileNormalize(upper=99.8, spatial_dims=3)
    items = volume_items(options.folder, "validation", split_file=options.split)
    volumes = [
        (normalize(read_image(item["image"])[0][None].astype(np.float32)).numpy(), read_labels(item["label"])[0])
        for item in items
    ]
    print("| change | AP50 | AP50:95 | IoU |\n" + "| --- " * 4 + "|")
    for name in options.changes:
        tables, covered = [], []
        for volume in volumes:
            image, truth = changed(CHANGES[name], *volume, normalize)
            with torch.inference_mode():
                detections = inferer(image[None], network)[0]
            found = paint({"image": image, "pred": detections})["pred"][0].numpy()
            kinds = {"prediction_kind": "labels", "reference_kind": "labels"}
            tables += overlaps(found, truth, volumetric=True, **kinds).tables[0]
            covered.append(iou(found > 0, truth > 0).value)
        ap = average_precision_of(tables)
        print(
            f"| {name} | {ap.scores[0].average_precision:.3f} | {ap.value:.3f} | {np.mean(covered):.3f} |", flush=True
        )


if __name__ == "__main__":
    main()
