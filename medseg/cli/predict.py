"""`medseg predict`: images in, labelled cells out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.progress import Progress, progress
from medseg.errors import InputError

if TYPE_CHECKING:
    from medseg.catalog import Bundle

# keys of inference.json that options set; `--set` must not
_OPTIONS = {
    "save_probability": "--probabilities",
    "save_overlay": "--overlay",
    "save_coco": "--coco",
    "save_rois": "--rois",
    "overwrite": "--overwrite",
    "tta": "--tta or --no-tta",
    "level": "--level",
    "channel": "--channel",
    "device": "--device",
    "weights": "--weights",
    "output_dir": "-o",
    "dataset_dir": "INPUT",
    "datalist": "INPUT",
    "bundle_root": "BUNDLE",
}


def predict(
    bundle: Annotated[str, typer.Argument(help="Name of a bundle (see `medseg bundles`) or its folder.")],
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Images, volumes, folders, or patterns in quotes.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")],
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    tile: Annotated[
        str | None, typer.Option(metavar="Y,X", help="Largest tile in pixels; smaller tiles need less memory.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Number of tiles run at once.")] = None,
    tta: Annotated[
        bool | None,
        typer.Option(
            "--tta/--no-tta",
            help="Average over the 8 flips and quarter turns (8 times as long), in CT over the patient and the mirror "
            "image (twice as long). Default: as the bundle's config says.",
        ),
    ] = None,
    level: Annotated[
        int | None, typer.Option(help="Prune a U-Net++ to this level: 1 is the fastest (see `medseg bundles`).")
    ] = None,
    axes: Annotated[str | None, typer.Option(help="Axes of files that do not state them, for example ZYX.")] = None,
    channel: Annotated[
        int | None, typer.Option(min=0, help="Of images of several stains, segment this channel (from 0).")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Your own weights (model.pt from `medseg train`).")] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Also write <stem>_probability.tif.")] = False,
    overlay: Annotated[bool, typer.Option("--overlay", help="Also write <stem>_overlay.png.")] = False,
    rois: Annotated[
        bool, typer.Option("--rois", help="Also write <stem>_rois.zip: outlines for ImageJ's ROI Manager.")
    ] = False,
    coco: Annotated[
        bool, typer.Option("--coco", help="Also write <stem>_coco.json: whole masks and scores (detectors only).")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run: skip images that have all results.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the bundle's inference.json.")
    ] = None,
    json_report: Annotated[Path | None, typer.Option("--json", help="Write a report of the run.")] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="Write a CSV with one row per image: number of objects, their mean size and brightness."),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors and warnings only.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print warnings of the libraries too.")] = False,
) -> None:
    """Segment images with a bundle.

    For each image this writes <stem>_labels.tif and <stem>_objects.csv; for each CT volume (NIfTI, NRRD, MHA, or a
    DICOM folder) <stem>_labels.nii.gz, <stem>_structures.csv and <stem>_preview.png. A file that fails is named, the
    others are still processed, and the exit code is 1.
    """
    from medseg.catalog import find_bundle
    from medseg.cli.config_values import parse_settings, parse_shape
    from medseg.io import name_volumes
    from medseg.io.output_place import check_output_files, check_output_folder
    from medseg.io.paths import is_image, is_volume
    from medseg.report.image_summary import write_image_summary
    from medseg.workflow.inputs import (
        gather_inputs,
        left_out,
        left_out_of_volumes,
        name_images,
        not_renewed,
        refuse_existing,
        result_path,
        undone,
    )

    if overwrite and resume:
        raise InputError("--overwrite does all images again, --resume skips those that are done: choose one")
    found = find_bundle(bundle)
    overrides = parse_settings(set_, _OPTIONS)
    wanted = {"save_probability": probabilities, "save_overlay": overlay, "save_coco": coco, "save_rois": rois}
    wanted |= {key: value for key, value in (("tta", tta), ("channel", channel)) if value is not None}
    overrides |= _switches(found, wanted) | {"overwrite": overwrite or resume}
    if tile:
        overrides["tile_shape"] = parse_shape("--tile", tile, found.dimensions)
    if batch_size:
        overrides["tile_batch_size"] = batch_size
    if level is not None:
        found.check_level(level)
        overrides["level"] = level
    if axes:
        overrides["axes"] = axes
    if summary and found.takes_volumes:
        raise InputError(f"{found.name}: --summary counts objects of images; of volumes see <stem>_structures.csv")
    for option, path in (("--json", json_report), ("--summary", summary)):
        if path is None:
            continue
        if is_image(path) or is_volume(path):
            raise InputError(f"{path}: is named like an image; {option} needs a name of its own")
        if resume and path.is_file():
            raise InputError(f"{path}: exists already; use another name")
    check_output_files(json_report, summary, overwrite=overwrite)
    check_output_folder(output)
    files, problems = gather_inputs(inputs, name_volumes if found.takes_volumes else name_images)
    with progress(quiet=quiet) as say:
        for problem in problems:
            say.fail(f"error: {problem}")
        if not files:
            raise typer.Exit(2)
        for line in left_out_of_volumes(inputs, files) if found.takes_volumes else left_out(inputs):
            say.say(line)
        kinds = ["labels", "structures", "preview"] if found.takes_volumes else ["labels", "objects"]
        kinds += ["probability"] * probabilities + ["overlay"] * overlay + ["coco"] * coco + ["rois"] * rois
        ready, existing = refuse_existing(files, output, kinds, overwrite or resume, (json_report, summary))
        if resume:
            ready = undone(files, output, kinds)
            say.say(f"{len(files) - len(ready)} of {len(files)} have their results already")
        for problem in existing:
            say.fail(f"error: {problem}")
        renewed = {path: files[path] for path in ready}
        if not found.takes_volumes and (notice := not_renewed(renewed, output, kinds)):
            say.fail(f"warning: {notice}")
        failures = len(problems) + len(existing)
        done = set(files) - set(ready) if resume else set()
        if ready or json_report:
            report = _run(found, renewed, output, device, weights, overrides, say, verbose)
            failures += sum(r.status != "ok" for r in report.results)
            done |= {Path(r.input) for r in report.results if r.status == "ok"}
            if json_report:
                report.problems = problems + existing
                report.write(json_report)
                say.say(f"report: {json_report}")
        if summary:
            tables = {
                path: result_path(output, path, "objects", stem) if path in done else None
                for path, stem in files.items()
            }
            write_image_summary(summary, tables, overwrite=overwrite)
            say.say(f"summary: {summary}")
    if failures:
        raise typer.Exit(1)


def _switches(bundle: Bundle, wanted: dict[str, bool | int]) -> dict[str, bool | int]:
    """What is asked for, of what the bundle's config knows; what it does not know must not be asked for."""
    known = bundle.settings("inference")
    for key, asked in wanted.items():
        if asked is not False and key not in known:
            raise InputError(f"{bundle.name}: cannot do {_OPTIONS[key]}; leave it out")
    return {key: asked for key, asked in wanted.items() if key in known}


def _run(bundle: Bundle, files, output, device, weights, overrides, say: Progress, verbose: bool):
    from medseg.catalog import sha256
    from medseg.workflow.network_settings import with_network_settings

    if weights is None:
        bundle.check_weights()
        weights = bundle.weights
    overrides, notes = with_network_settings(weights, overrides)
    for note in notes:
        say.say(note)
    say.start("loading")
    from medseg.networks.encoders.checkpoint import read_state
    from medseg.workflow.device import pick_device
    from medseg.workflow.predict import Predictor
    from medseg.workflow.run_report import RunReport

    chosen = pick_device(device)
    read_state(weights)  # refuses what is none
    overrides |= {"device": chosen, "weights": str(weights)}
    predictor = Predictor(bundle, output, overrides, progress=say.update)
    report = RunReport.begin(bundle, chosen, weights, sha256(weights), overrides)
    for number, (path, stem) in enumerate(files.items(), start=1):
        say.start(f"{path.name if path.is_file() else stem} ({number}/{len(files)})")
        result = predictor(path, stem)
        report.results.append(result)
        if result.status != "ok":
            say.fail(f"error: {result.error if str(path) in (result.error or '') else f'{path}: {result.error}'}")
        else:
            found = "structures" if bundle.takes_volumes else "objects"
            say.say(f"{path}: {result.objects} {found} in {result.seconds:.1f} s")
            for kind, written in result.outputs.items():
                say.say(f"  {kind}: {written}")
        for notice in result.notices:
            say.fail(f"warning: {notice}")
        if verbose:
            for warning in result.warnings:
                say.say(f"  warning: {warning}")
    return report
