"""Dice, surface Dice at 2 mm and HD95 of each organ and bundle, and the seconds a volume takes.

    python benchmarks/headneck_scores.py FOLDER [--part validation] [--bundles NAME ...] [--weights FILE]
        [--common-slices]

FOLDER is that of headneck_training_folder.py. Labels are compared on the grid of the file, as `medseg predict` writes
them; a table in Markdown is printed. `--common-slices` leaves out of each organ the axial slices in which only one side
has it: what is left does not depend on where contouring began and ended.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from medseg.catalog import find_bundle
from medseg.cli.config_values import parse_settings
from medseg.io import training_items
from medseg.metrics.organs import score_organs
from medseg.workflow.evaluate_organs import read_label_pair
from medseg.workflow.network_settings import with_network_settings
from medseg.workflow.pairs import FilePair
from medseg.workflow.predict import Predictor

BUNDLES = ("headneck_ct_unet3d", "headneck_ct_unet_transfer", "headneck_ct_deeplabv3plus")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="validation", choices=("training", "validation"))
    parser.add_argument("--bundles", nargs="+", default=BUNDLES)
    parser.add_argument("--weights", type=Path, help="of the one bundle named, in place of its own")
    parser.add_argument("--common-slices", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    items = training_items(options.folder, options.part)
    settings, common = parse_settings(options.set, {}), options.common_slices
    results = {name: score(name, items, options.weights, settings, common) for name in options.bundles}
    print_table(results)


def score(
    name: str,
    items: list[dict],
    weights: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    common_slices: bool = False,
) -> dict[str, tuple]:
    """Mean Dice, surface Dice and HD95 of each organ and over all, by name, and the median CPU seconds of a volume.

    Undefined values are left out, as `medseg evaluate` does.
    """
    bundle = find_bundle(name)
    weights = weights or bundle.weights
    overrides = {"weights": str(weights), "save_preview": False, "save_structures": False} | (settings or {})
    overrides, notes = with_network_settings(weights, overrides)
    for note in notes:
        print(name, note)
    organs = list(bundle.metadata["network_data_format"]["outputs"]["pred"]["channel_def"].values())[1:]
    rows, seconds = [], []
    with TemporaryDirectory() as out:
        predictor = Predictor(bundle, Path(out), overrides)
        for item in items:
            start = time.process_time()
            result = predictor(Path(item["image"]))
            seconds.append(time.process_time() - start)
            if result.status != "ok":
                raise SystemExit(f"{name}: {result.error}")
            found, truth, space = read_label_pair(FilePair("", Path(result.outputs["labels"]), Path(item["label"])))
            if common_slices:
                found, truth = in_common_slices(found, truth)
            rows.append(compare(found, truth, space.spacing_mm, len(organs)))
            print(name, Path(item["image"]).name, np.round(rows[-1][0], 3), f"{seconds[-1]:.1f} s", flush=True)
    dice, surface, hd95 = np.moveaxis(np.array(rows), 0, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of an organ that no patient has
        means = {organ: tuple(np.nanmean(v[:, k]) for v in (dice, surface, hd95)) for k, organ in enumerate(organs)}
        means["mean"] = tuple(np.nanmean(list(means.values()), axis=0))
    return means | {"CPU seconds": (np.median(seconds),)}


def in_common_slices(found: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both ``(X, Y, Z)`` label volumes, each organ only in the slices (along Z) in which both have it."""
    found, truth = found.copy(), truth.copy()
    for organ in np.union1d(found, truth):
        common = (found == organ).any((0, 1)) & (truth == organ).any((0, 1))
        for labels in (found, truth):
            labels[(labels == organ) & ~common] = 0
    return found, truth


def compare(found: np.ndarray, truth: np.ndarray, spacing_mm: np.ndarray, organs: int) -> list[np.ndarray]:
    """Dice, surface Dice and HD95 of the organs; NaN is undefined: an organ that a side lacks has no HD95."""
    scores = score_organs(found, truth, spacing_mm, range(1, organs + 1)).values()
    return [np.array([getattr(s, name) for s in scores], dtype=float) for name in ("dice", "surface_dice", "hd95_mm")]


def print_table(results: dict[str, dict[str, tuple]]) -> None:
    print("\n| Dice / surface Dice at 2 mm / HD95 in mm | " + " | ".join(results) + " |")
    print("|---" * (len(results) + 1) + "|")
    for row in next(iter(results.values())):
        cells = []
        for values in results.values():
            v = values[row]
            cells.append(f"{v[0]:.1f}" if len(v) == 1 else f"{v[0]:.3f} / {v[1]:.3f} / {v[2]:.1f}")
        print(f"| {row} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
