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
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/ whose files have the same stems.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for checkpoint, weights and learning curve.")],
    epochs: Annotated[int | None, typer.Option(min=1, help="Total number of epochs.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in the output folder.")] = False,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Do not start from the bundle's weights.")
    ] = False,
    init_weights: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|BUNDLE",
            help="Start from these weights: a file, a bundle's, or a download the bundle knows (imagenet, coco).",
        ),
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="JSON with the lists training and validation.", show_default="dataset.json")
    ] = None,
    axes: Annotated[str | None, typer.Option(help="Axes of images that do not state them, for example ZYX.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    seed: Annotated[int | None, typer.Option(help="Seed of all random choices.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not run `medseg data check` first.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key of train.json.")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> None:
    """Train a bundle on your own images and label images, starting from its weights.

    Each epoch writes checkpoint.pt, history.json and learning_curve.png; model.pt holds the best weights, for
    `medseg predict --weights`.
    """
    from medseg.catalog import find_bundle
    from medseg.cli.config_values import parse_settings
    from medseg.io.output_place import check_output_folder

    check_output_folder(output)
    found = find_bundle(bundle)
    given = {"epochs": epochs, "seed": seed, "axes": axes, "split_file": None if split is None else str(split)}
    overrides = parse_settings(set_, _OPTIONS) | {"resume": resume}
    overrides |= {key: value for key, value in given.items() if value is not None}
    start_from = _weights_to_start_from(init_weights)
    if start_from is None and not from_scratch and found.weights.is_file():
        start_from = found.weights
    if start_from and overrides.get("encoder_weights") and not resume:
        raise InputError(
            f"the weights of {start_from} would replace encoder_weights={overrides['encoder_weights']}; "
            "add --from-scratch to start from these, or leave them out"
        )
    overrides["init_weights"] = str(start_from) if start_from else None
    with progress(quiet=quiet) as say:
        if resume:
            from medseg.workflow.network_settings import with_network_settings

            overrides, notes = with_network_settings(output / "checkpoint.pt", overrides)
            for note in notes:
                say.say(note)
        if not no_check:
            _check_data(data, overrides.get("split_file"), overrides.get("axes"), say)
        say.start("loading")
        from medseg.networks.encoders.checkpoint import read_state
        from medseg.workflow.device import pick_device
        from medseg.workflow.train import run_training

        if start_from and str(start_from) not in _DOWNLOADS:
            read_state(start_from)  # refuses what is none
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
