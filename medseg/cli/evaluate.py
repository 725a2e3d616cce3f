"""`medseg evaluate`: how good is a segmentation, and where is it wrong?"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.progress import progress
from medseg.errors import InputError


class _Kind(str, Enum):
    auto = "auto"
    labels = "labels"
    binary = "binary"
    probability = "probability"


class _Objects(str, Enum):
    auto = "auto"
    sections = "sections"
    volume = "volume"


def evaluate(
    prediction: Annotated[
        Path, typer.Argument(metavar="PREDICTION", help="Label image, mask, probability or stack, or a folder of them.")
    ],
    reference: Annotated[
        Path, typer.Argument(metavar="REFERENCE", help="The truth: a file, or a folder of files with the same stems.")
    ],
    prediction_kind: Annotated[
        _Kind, typer.Option(help="What the predictions are; auto looks at the pixels.")
    ] = _Kind.auto,
    reference_kind: Annotated[
        _Kind, typer.Option(help="What the references are; auto looks at the pixels.")
    ] = _Kind.auto,
    prediction_ending: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Ending of the predictions' names, such as _cp_masks.")
    ] = None,
    reference_ending: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Ending of the references' names, such as _masks.")
    ] = None,
    metrics: Annotated[str | None, typer.Option(metavar="NAME,...", help="Compute only these scores.")] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Cut probabilities here instead of at the challenge's levels."),
    ] = None,
    thin_borders: Annotated[
        bool, typer.Option("--thin-borders", help="Thin the predicted borders for all scores of segments.")
    ] = False,
    objects: Annotated[
        _Objects, typer.Option(help="Whether objects continue through the sections of a stack.")
    ] = _Objects.auto,
    axes: Annotated[str | None, typer.Option(help="Axes of files that do not state them, for example ZYX.")] = None,
    organs: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Score organs in volumes: a bundle, NAME=VALUE,..., a file, or 'labels'."),
    ] = None,
    tolerance_mm: Annotated[
        float | None, typer.Option(min=0, help="Tolerance of the surface Dice of organs.", show_default="2")
    ] = None,
    spacing: Annotated[
        str | None, typer.Option(metavar="[Z,]Y,X", help="Pixel size in µm, for the positions of errors.")
    ] = None,
    json_: Annotated[Path | None, typer.Option("--json", help="Write the scores as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the scores as CSV.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write an HTML page that shows the errors.")] = None,
    errors: Annotated[
        Path | None, typer.Option("--errors", help="Write a CSV of every topological error and its position.")
    ] = None,
    matches: Annotated[
        Path | None,
        typer.Option("--matches", help="Write a CSV of what became of every object."),
    ] = None,
    images: Annotated[Path | None, typer.Option("--images", help="The raw images, shown in the report.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
    *,
    context: typer.Context,
) -> None:
    """Compare segmentations with their references: topology, segments, objects, pixels.

    Give two files, or two folders whose files are paired by stem: x.tif, x_labels.tif or x_probability.tif with x.tif.
    If other tools named the files, --prediction-ending and --reference-ending say what to remove first.
    Predictions without a reference are named and not scored; a reference without a prediction is an error.
    The total treats all sections of all images as one stack. A pair that fails is named, the others are still
    compared, and the exit code is 1.

    For label volumes of organs (NIfTI, NRRD, MHA), use --organs: Dice, surface Dice, HD95 and volume of each organ.
    """
    from medseg.io.output_place import check_output_files

    if images is not None and report is None:
        raise InputError("--images are shown on the page of --report; name one, or leave --images out")
    endings = {"prediction_ending": prediction_ending, "reference_ending": reference_ending}
    if organs is not None:
        from medseg.cli.evaluate_organs import evaluate_organ_files, refuse_options_of_images

        refuse_options_of_images(context)
        check_output_files(json_, csv, report, overwrite=overwrite)
        files = {"json": json_, "csv": csv, "report": report, "images": images, "overwrite": overwrite}
        evaluate_organ_files(prediction, reference, organs, tolerance_mm, endings=endings, **files, quiet=quiet)
        return
    if tolerance_mm is not None:
        raise InputError("--tolerance-mm is for organs: say which value is which organ with --organs")
    check_output_files(json_, csv, errors, matches, report, overwrite=overwrite)
    spacing_um = _parse_spacing(spacing) if spacing else None
    with progress(quiet=quiet) as say:
        say.start("loading")
        from medseg.io.json_file import write_json
        from medseg.metrics.evaluation_options import METRICS, EvaluationOptions
        from medseg.report.score_table import score_table
        from medseg.workflow.evaluate import evaluate_files, write_csv
        from medseg.workflow.pairs import match_images, pair_files

        kinds = [None if kind == _Kind.auto else kind.value for kind in (prediction_kind, reference_kind)]
        options = EvaluationOptions(
            metrics=tuple(name.strip() for name in metrics.split(",")) if metrics else METRICS,
            threshold=threshold,
            thin_borders=thin_borders,
            prediction_kind=kinds[0],
            reference_kind=kinds[1],
        )
        pairs, notices = pair_files(prediction, reference, kinds[0], **endings)
        raw = match_images(images, [pair.stem for pair in pairs]) if images else {}
        say.announce("comparing (the first run compiles the metrics)")
        result = evaluate_files(
            pairs,
            options,
            axes=axes,
            objects=objects.value,
            progress=lambda pair: say.start(f"comparing {pair.stem} (the first run compiles the metrics)"),
        )
        result = replace(result, notices=(*notices, *result.notices))
        for notice in result.notices:
            say.say(f"note: {notice}")
        say.say(score_table(result))
        if json_:
            write_json(json_, result.as_json(), overwrite=overwrite)
            say.say(f"scores: {json_}")
        if csv:
            write_csv(csv, result, overwrite=overwrite)
            say.say(f"scores: {csv}")
        if matches:
            from medseg.report.match_table import write_match_table

            say.start("matching the objects")
            counts = write_match_table(matches, result, axes=axes, objects=objects.value, overwrite=overwrite)
            say.say(f"objects: {matches} ({', '.join(f'{n} {name}' for name, n in counts.items() if n) or 'none'})")
        problems = list(result.failed.values())
        for problem in problems:
            say.fail(f"error: {problem}")
        if errors or report:
            from medseg.report.error_table import listed_errors
            from medseg.report.pair_errors import errors_of_pairs

            say.start("drawing the report" if report else "listing the errors")
            found = errors_of_pairs(result, axes=axes, objects=objects.value, spacing_um=spacing_um)
            if errors:
                found = listed_errors(errors, found, overwrite=overwrite)
            if report:
                from medseg.report.evaluation_report import write_report

                not_shown = write_report(report, result, found, images=raw, axes=axes, overwrite=overwrite)
                for problem in not_shown:
                    say.fail(f"error: {problem}")
                problems += not_shown
            for _ in found:
                pass  # the table is written as they go by
            for name, path in (("errors", errors), ("report", report)):
                if path:
                    say.say(f"{name}: {path}")
    if problems:
        raise typer.Exit(1)


def _parse_spacing(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (2, 3) or not all(0 < value < float("inf") for value in values):
        raise InputError(f"--spacing {text}: give Y,X or Z,Y,X in µm, for example 0.004,0.004")
    return values
