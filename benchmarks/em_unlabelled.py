"""Add sections that nobody labelled to what em_membrane_unet is trained on, with probabilities as their labels.

    medseg predict em_membrane_unet test-volume.tif -o looks --tta --probabilities
    python benchmarks/em_unlabelled.py EM test-volume.tif looks/test-volume_probability.tif --cache sections.pt
    python benchmarks/timed_training.py em_membrane_unet EM --cache sections.pt --init MODEL --out model.pt

EM is the folder of em_training_folder.py, test-volume.tif the challenge's test sections, whose truth was never
published. Eight views agreed on the probabilities, so they are worth more than one look of the network they came from.
Each pixel of them weighs 1, or as in labelled sections by `--border-weight 5`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from monai.utils import convert_to_tensor
from timed_training import configuration, prepared
from torch import Tensor

from medseg.catalog import find_bundle
from medseg.errors import InputError
from medseg.io import read_image
from medseg.transforms import BorderWeightMap, PercentileNormalize

BUNDLE = "em_membrane_unet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("images", type=Path, help="a stack of sections")
    parser.add_argument("probabilities", type=Path, help="that of cell interior, as `medseg predict` writes it")
    parser.add_argument("--border-weight", type=float, default=0.0, help="w0 of the border weights of these sections")
    parser.add_argument("--cache", type=Path, required=True, help="the file to write, for timed_training.py --cache")
    options = parser.parse_args()
    unlabelled = soft_items(options.images, options.probabilities, options.border_weight)
    settings = argparse.Namespace(bundle=BUNDLE, data=options.data, split=None, set=[], cache=None, workers=1)
    labelled = prepared(settings, configuration(settings, torch.device("cpu")))
    for item in labelled:
        item["label"] = item["label"].half()
    torch.save(labelled + unlabelled, options.cache)
    print(f"{len(labelled)} labelled sections and {len(unlabelled)} with probabilities: {options.cache}")


def soft_items(images: Path, probabilities: Path, border_weight: float = 0.0) -> list[dict[str, Tensor]]:
    """Each section of a stack with probabilities as its label and weights, ``(1, Y, X)`` in half precision."""
    sections, soft = read_image(images)[0], read_image(probabilities)[0]
    if sections.shape != soft.shape or sections.ndim != 3:
        raise InputError(
            f"{images} has the shape {sections.shape}, {probabilities} {soft.shape}; both are stacks alike."
        )
    if soft.dtype.kind in "ui":
        soft = soft / np.iinfo(soft.dtype).max
    normalize = PercentileNormalize(spatial_dims=2)
    return [
        {
            "image": convert_to_tensor(normalize(section[None]), track_meta=False).half(),
            "label": torch.from_numpy(probability[None].astype(np.float16)),
            "weight": torch.from_numpy(_weights(probability > 0.5, border_weight)[None].astype(np.float16)),
        }
        for section, probability in zip(sections, soft, strict=True)
    ]


def _weights(interior: np.ndarray, border_weight: float) -> np.ndarray:
    """As train.json weighs labelled sections, or 1."""
    if not border_weight:
        return np.ones(interior.shape)
    train = json.loads(find_bundle(BUNDLE).config("train").read_text(encoding="utf-8"))["train"]
    (step,) = (s for s in train["deterministic_transforms"] if s["_target_"].endswith(".BorderWeightMapd"))
    settings = {key: value for key, value in step.items() if key not in ("_target_", "keys")} | {"w0": border_weight}
    return BorderWeightMap(**settings)(interior[None].astype(np.int32))[0].numpy()


if __name__ == "__main__":
    main()
