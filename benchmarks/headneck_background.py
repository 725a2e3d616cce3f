"""Raise the background of a CT bundle's network by what suits the training patients best.

    python benchmarks/headneck_background.py BUNDLE FOLDER --weights model.pt --out raised.pt [--every 4]

Dice loss makes networks draw organs too large where they are unsure. A constant added to the logit of the background
(the first bias of `head`) takes that back; of several, the one with the best mean Dice over every `--every`-th
training patient is kept. Validation patients are not looked at. FOLDER is that of headneck_training_folder.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from headneck_scores import score

from medseg.io import training_items
from medseg.io.atomic import atomic_target

RAISES = (0.0, 0.4, 0.8, 1.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", type=int, default=4, help="of the training patients")
    parser.add_argument("--raises", type=float, nargs="+", default=RAISES, metavar="LOGIT")
    options = parser.parse_args()
    items = training_items(options.folder, "training")[:: options.every]
    found = {}
    with TemporaryDirectory() as folder:
        for value in options.raises:
            weights = raised(options.weights, value, Path(folder) / "raised.pt")
            found[value] = score(options.bundle, items, weights)["mean"]
            dice, surface, hd95 = found[value]
            print(f"background + {value}: Dice {dice:.4f}, surface Dice {surface:.4f}, HD95 {hd95:.1f} mm", flush=True)
    best = max(found, key=lambda value: found[value][0])
    raised(options.weights, best, options.out)
    print(f"{options.out}: background + {best}, of {len(items)} training patients")


def raised(weights: Path, value: float, out: Path) -> Path:
    """The weights with ``value`` added to the background's bias, written to ``out``."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    state["head.bias"][0] += value
    with atomic_target(out, overwrite=True) as partial:
        torch.save(state, partial)
    return out


if __name__ == "__main__":
    main()
