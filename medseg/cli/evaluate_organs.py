"""`medseg evaluate --organs`: Dice, surface Dice, HD95 and volume of each organ."""

from __future__ import annotations

from pathlib import Path

import typer

from medseg.cli.progress import progress
from medseg.errors import InputError

_OPTIONS = (
    "prediction", "reference", "prediction_ending", "reference_ending", "organs", "tolerance_mm", "json_", "csv",
    "report", "images", "overwrite", "quiet",
)  # fmt: skip


def refuse_options_of_images(context: typer.Context) -> None:
    """Refuse what was said on the command line and has no meaning for organs.

    Raises:
        InputError: an option of images.
    """
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name).name != "DEFAULT"
        if given and parameter.name not in _OPTIONS:
            raise InputError(f"{parameter.opts[0]} is for images and cells, not for --organs; leave one of them out")


def evaluate_organ_files(
    prediction: Path,
    reference: Path,
    organs: str,
    tolerance_mm: float | None,
    *,
    endings: dict[str, str | None],
    json: Path | None,
    csv: Path | None,
    report: Path | None,
    images: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Score two label volumes or two folders of them, print the table and write the files.

    Args:
        organs: see `medseg.workflow.organ_names.organ_names`.
        tolerance_mm: of the surface Dice; None for 2.
        endings: see `medseg.workflow.pairs.pair_files`.
        images: the CTs, for the report.

    Raises:
        InputError: names that cannot be used, nothing to compare, a file that exists.
        typer.Exit: with 1 where a pair failed.
    """
    with progress(quiet=quiet) as say:
        say.start("loading")
        from medseg.io.json_file import write_json
        from medseg.io.paths import VOLUME_SUFFIXES
        from medseg.metrics.organs import TOLERANCE_MM
        from medseg.report.organ_table import organ_table
        from medseg.workflow.evaluate_organs import evaluate_organs, write_organ_csv
        from medseg.workflow.organ_names import organ_names
        from medseg.workflow.pairs import match_images, pair_files

        names = organ_names(organs)
        pairs, notices = pair_files(prediction, reference, "labels", volumes=True, **endings)
        raw = match_images(images, [pair.stem for pair in pairs], VOLUME_SUFFIXES) if images else {}
        result = evaluate_organs(
            pairs,
            names,
            tolerance_mm=TOLERANCE_MM if tolerance_mm is None else tolerance_mm,
            progress=lambda pair: say.start(f"comparing {pair.stem}"),
        )
        for notice in (*notices, *result.notices):
            say.say(f"note: {notice}")
        say.say(organ_table(result))
        if json:
            write_json(json, result.as_json(), overwrite=overwrite)
            say.say(f"scores: {json}")
        if csv:
            write_organ_csv(csv, result, overwrite=overwrite)
            say.say(f"scores: {csv}")
        problems = list(result.failed.values())
        if report:
            from medseg.report.organ_report import write_organ_report

            say.start("drawing the report")
            problems += write_organ_report(report, result, pairs, images=raw, overwrite=overwrite)
            say.say(f"report: {report}")
        for problem in problems:
            say.fail(f"error: {problem}")
    if problems:
        raise typer.Exit(1)
