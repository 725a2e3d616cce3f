"""`medseg train`: fine-tune or train a bundle on one's own images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.progress import Progress, progress
from medseg.errors import InputError

# keys of train.json that options set; `--set` must not
_OPTIONS = {
    "resume": "--resume",
    "init_weights": "--init-weights or --from-scratch",
    "device": "--device",
    "dataset_dir": "--data",
    "output_dir": "-o",
    "bundle_root": "BUNDLE",
    "progress": "-q",
}
_DOWNLOADS = ("imagenet", "coco")  # of bundles whose config knows them


def train(
    bundle: Annotated[str, typer.Argument(help="Name of a bundle (see `medseg bundles`) or its folder.")],
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/ of matching stems.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run: checkpoint, weights, curve.")],
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs in all.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in the folder stopped.")] = False,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Do not start from the bundle's weights.")
    ] = False,
    init_weights: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|BUNDLE",
            help="Start from these weights instead: a file, a bundle's, or what the bundle downloads (imagenet, coco).",
        ),
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="JSON with training and validation lists; default dataset.json.")
    ] = None,
    axes: Annotated[str | None, typer.Option(help="Axes of images that do not state them, for example ZYX.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not run `medseg data check` first.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key of train.json.")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Errors only.")] = False,
) -> None:
    """Train a bundle's network, starting from its weights, on a folder of images and label images.

    Each epoch writes checkpoint.pt, history.json and learning_curve.png; model.pt holds the best weights, for
    `medseg predict --weights`.
    """
    from medseg.catalog import find_bundle
    from medseg.cli.config_values import parse_settings

    found = find_bundle(bundle)
    overrides = parse_settings(set_, _OPTIONS) | {"resume": resume}
    if epochs is not None:
        overrides["epochs"] = epochs
    if seed is not None:
        overrides["seed"] = seed
    if axes is not None:
        overrides["axes"] = axes
    if split is not None:
        overrides["split_file"] = str(split)
    start_from = _weights_to_start_from(init_weights)
    if start_from is None and not from_scratch and found.weights.is_file():
        start_from = found.weights
    overrides["init_weights"] = str(start_from) if start_from else None
    with progress(quiet=quiet) as say:
        if not no_check:
            _check_data(data, overrides.get("split_file"), axes, say)
        say.start("loading")
        from medseg.workflow.device import pick_device
        from medseg.workflow.load import check_weights_file
        from medseg.workflow.train import run_training

        if start_from and str(start_from) not in _DOWNLOADS:
            check_weights_file(start_from)
        overrides["device"] = pick_device(device)
        failure = run_training(found, data, output, overrides, say.start, say.update, say.say)
        if failure:
            say.fail(f"error: {failure}")
            raise typer.Exit(1)
        say.say(f"weights: {output / 'model.pt'}")
        say.say(f"learning curve: {output / 'learning_curve.png'}")


def _weights_to_start_from(given: str | None) -> Path | None:
    """A file, or a download that the bundle knows, as it is; else the weights of the bundle of that name."""
    from medseg.catalog import find_bundle

    if given is None:
        return None
    if given in _DOWNLOADS or Path(given).is_file():
        return Path(given)
    try:
        bundle = find_bundle(given)
    except InputError as error:
        raise InputError(f"{given}: no such file of weights; {error}") from None
    bundle.check_weights()
    return bundle.weights


def _check_data(data: Path, split: str | None, axes: str | None, say: Progress) -> None:
    """Print what `medseg data check` finds; errors end the command, warnings do not."""
    from data_tools.check.run import check_dataset

    say.start("checking the data")
    report = check_dataset(data, split_file=split, axes=axes, progress=say.update)
    for finding in report.findings:
        (say.fail if finding.level == "error" else say.say)(str(finding))
    if not report.ok:
        raise InputError(f"{data}: mend the errors above, or train all the same with --no-check")
