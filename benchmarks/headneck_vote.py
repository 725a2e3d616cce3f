"""Dice of the majority vote of the three head and neck bundles, beside that of each.

    python benchmarks/headneck_vote.py FOLDER

FOLDER is that of headneck_training_folder.py; its validation patients are scored on the grid of the file. A voxel gets
the label that at least two bundles give it, else that of headneck_ct_unet3d.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from headneck_scores import BUNDLES, compare

from medseg.catalog import find_bundle
from medseg.io import training_items
from medseg.workflow.evaluate_organs import read_label_pair
from medseg.workflow.pairs import FilePair
from medseg.workflow.predict import Predictor

ORGANS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    items = training_items(parser.parse_args().folder, "validation")
    with TemporaryDirectory() as out:
        predictors = [_predictor(name, Path(out) / name) for name in BUNDLES]
        dice = np.array([patient(predictors, Path(item["image"]), Path(item["label"])) for item in items])
    for name, values in zip((*BUNDLES, "vote"), dice.mean(axis=0), strict=True):
        print(f"{name}: Dice {values.mean():.4f}, of the organs {values.round(3)}")


def patient(predictors: list[Predictor], image: Path, label: Path) -> list[np.ndarray]:
    """Dice of each organ by each bundle, and by their vote."""
    found = []
    for predictor in predictors:
        result = predictor(image)
        if result.status != "ok":
            raise SystemExit(f"{image}: {result.error}")
        labels, truth, space = read_label_pair(FilePair("", Path(result.outputs["labels"]), label))
        found.append(labels)
    return [compare(labels, truth, space.spacing_mm, ORGANS)[0] for labels in (*found, vote(*found))]


def vote(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    """The label that two or three agree on, else the first one's."""
    return np.where(second == third, second, first)


def _predictor(name: str, out: Path) -> Predictor:
    bundle = find_bundle(name)
    return Predictor(bundle, out, {"weights": str(bundle.weights), "save_preview": False, "save_structures": False})


if __name__ == "__main__":
    main()
