"""What each part of the U-Net recipe is worth: train a bundle again with one part left out.

    python benchmarks/unet_recipe_ablation.py BUNDLE --data FOLDER -o RUNS --epochs 60 [--row full ...]

All rows have the same seed, number of steps and size of what comes out of the network; each is scored on the
validation part by the bundle's evaluate.json with the weights of its last epoch. Prints a Markdown table, and leaves
each row's run and RUNS/table.md. A row that is there is not trained again. `--set` gives every row the same other
value, for example a narrower network: --set network_def::channels=[16,32,64,128,256]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow

from medseg.catalog import Bundle, find_bundle
from medseg.cli.config_values import parse_settings
from medseg.networks import UNet
from medseg.workflow.train import run_training

ROWS = {
    "full": "full recipe",
    "no_elastic": "no elastic deformation",
    "no_border_weights": "no border weights",
    "same_padding": "padded convolutions",
}


def overrides_of(row: str, config: dict[str, Any]) -> dict[str, Any]:
    """What a row sets differently in the bundle's train.json."""
    if row == "no_elastic":
        names = [t["_target_"] for t in config["train"]["random_transforms"]]
        return {f"train::random_transforms::{names.index('medseg.transforms.RandElasticDeformationd')}::prob": 0.0}
    if row == "no_border_weights":
        return {"border_weight": 0.0}
    if row == "same_padding":
        # crops as large as what the unpadded network puts out, on the padded one's grid
        network = config["network_def"]
        unpadded = UNet(2, 1, 1, network["channels"], "valid")
        outside = config["patch_size"] - 2 * unpadded.margin
        return {"network_def::padding": "same", "patch_size": outside - outside % unpadded.stride}
    return {}


def train_row(bundle: Bundle, data: Path, run: Path, settings: dict[str, Any]) -> None:
    """Train in ``run`` unless that has been done."""
    start = time.perf_counter()
    if (run / "minutes.json").exists():
        return
    settings = settings | {"resume": (run / "checkpoint.pt").exists(), "device": "cpu"}
    failure = run_training(bundle, data, run, settings, lambda _: None, lambda *_: None, print)
    if failure:
        raise SystemExit(f"{run}: {failure}")
    (run / "minutes.json").write_text(json.dumps((time.perf_counter() - start) / 60))


def score_row(bundle: Bundle, data: Path, run: Path, settings: dict[str, Any]) -> dict[str, float]:
    """Metrics of the run's weights by the bundle's evaluate.json."""
    configs = bundle.root / "configs"
    workflow = ConfigWorkflow(
        config_file=[str(configs / "train.json"), str(configs / "evaluate.json")],
        meta_file=str(configs / "metadata.json"),
        logging_file=False,
        workflow_type="train",
        bundle_root=str(bundle.root),
        dataset_dir=str(data),
        output_dir=str(run),
        weights=str(run / "model.pt"),
        device="cpu",
        **settings,
    )
    workflow.initialize()
    evaluator = workflow.parser.get_parsed_content("validate::evaluator")
    evaluator.run()
    return {name: float(value) for name, value in evaluator.state.metrics.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--row", action="append", choices=ROWS)
    parser.add_argument("--set", action="append", metavar="KEY=VALUE")
    options = parser.parse_args()
    bundle = find_bundle(options.bundle)
    common = {"split_file": str(options.split) if options.split else None} | parse_settings(options.set, {})
    config = json.loads(bundle.config("train").read_text(encoding="utf-8"))
    config["network_def"]["channels"] = common.get("network_def::channels", config["network_def"]["channels"])
    config["patch_size"] = common.get("patch_size", config["patch_size"])
    lines: list[str] = []
    for row in options.row or ROWS:
        run = options.output / row
        settings = common | overrides_of(row, config)
        # one validation, after the last epoch: no row may choose its best
        train_row(bundle, options.data, run, settings | {"epochs": options.epochs, "val_interval": options.epochs})
        scores = score_row(bundle, options.data, run, settings)
        if not lines:
            lines += [f"| | {' | '.join(scores)} |", "|---" * (len(scores) + 1) + "|"]
        lines.append(f"| {ROWS[row]} | {' | '.join(f'{value:.4f}' for value in scores.values())} |")
        (options.output / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
