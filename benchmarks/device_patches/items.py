"""A bundle's training images, read and normalised as its `train.json` says, ready for the device."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from monai.transforms import Compose
from torch import Tensor

from medseg.io import training_items
from medseg.training import balanced_weights
from medseg.transforms import BorderWeightMapd, CoreClassesd

_SKIPPED = ("SpatialPadd", "BorderPadd", "ClassesToIndicesd")  # patches are read anywhere, mirrored at the edge


def training_images(bundle: str, parser: Any, workers: int) -> list[dict[str, Tensor]]:
    """Images (half precision), labels and weights of the training part, each ``(C, *spatial)``."""
    value = parser.get_parsed_content
    steps = value("load_volumes") if bundle.startswith("headneck") else value("train::deterministic_transforms")
    steps = [step for step in steps if type(step).__name__ not in _SKIPPED]
    if bundle == "phase_contrast_cells_unet":
        share, sigma = value("cell_share"), value("border_sigma")
        steps.append(BorderWeightMapd(keys="label", w0=value("border_weight"), sigma=sigma, class_balance=share))
        steps.append(CoreClassesd(keys="label", depth=value("core_depth")))
    items = training_items(Path(value("dataset_dir")), "training", split_file=value("split_file"))
    with get_context("fork").Pool(workers) as pool:
        done = pool.map(_Prepared(Compose(steps)), items)
    images = [{k: torch.from_numpy(v) for k, v in item.items()} for item in done]
    if bundle.startswith("nuclei"):
        crowded = bundle == "nuclei_unetplusplus" and value("border_weight") > 0
        for image, chance in zip(images, balanced_weights(items), strict=True):
            image["chance"] = torch.tensor(chance * (crowding(image["weight"]) if crowded else 1.0))
    return images


def crowding(weight: Tensor) -> float:
    """How often an image is drawn for the sake of its close neighbours: by its side and its mean border weight."""
    return weight[0].numel() ** 0.5 * (0.06 + float(weight.float().mean() - 1))


class _Prepared:
    def __init__(self, steps: Callable[[dict], dict]) -> None:
        self.steps = steps

    def __call__(self, item: dict) -> dict:
        torch.set_num_threads(1)
        done = self.steps(dict(item))
        arrays = {k: torch.as_tensor(done[k]).numpy() for k in ("image", "label", "weight") if k in done}
        integers = {"label": "int32" if arrays["label"].max() > 255 else "uint8"}
        return {k: v.astype(integers.get(k, "float16")) for k, v in arrays.items()}
