"""`medseg data`: list, fetch, convert, synth, split, check and preview training data."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.errors import InputError

if TYPE_CHECKING:
    from data_tools.convert.build import Conversion

app = typer.Typer(name="data", help="Get, convert, draw, split, check and preview training data.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Folder with images/, labels/ and perhaps dataset.json.")]
Axes = Annotated[str | None, typer.Option(help="Axes of images that do not state them, for example ZYX.")]


class LabelKind(str, Enum):
    """What the numbers in label images mean."""

    instances = "instances"
    classes = "classes"


@app.command("list")
def list_sets(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the public data sets and the formats that `fetch` and `convert` know."""
    from data_tools.catalogue import SETS
    from data_tools.convert.formats import FORMATS

    if as_json:
        sets = {name: public.as_json() for name, public in SETS.items()}
        typer.echo(json.dumps({"sets": sets, "formats": {n: f.source for n, f in FORMATS.items()}}, indent=1))
        return
    typer.echo("Public data sets (fetch, convert):")
    for name, public in SETS.items():
        way = "fetch" if public.downloads else "by hand"
        typer.echo(f"  {name:16} {public.title}\n  {'':16} {way}; licence: {public.description.licence}")
    typer.echo("\nFormats (convert):")
    for name, form in FORMATS.items():
        typer.echo(f"  {name:16} {form.source}")


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A data set from `medseg data list`.")],
    folder: Annotated[Path, typer.Argument(help="Where to put it.")],
    raw_only: Annotated[bool, typer.Option("--raw-only", help="Download and unpack, but do not convert.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
) -> None:
    """Download a public data set and convert it to FOLDER/dataset, ready to train on.

    Its licence is shown and recorded first. An interrupted download continues where it stopped.
    """
    from data_tools.catalogue import public_set
    from data_tools.fetch.errors import FetchError
    from data_tools.fetch.run import fetch_set
    from medseg.cli.progress import progress

    public = public_set(name)
    typer.echo(f"{public.title}\nlicence: {public.description.licence}\nplease cite: {public.citation}")
    try:
        with progress(quiet=quiet) as say:

            def report(filename: str) -> object:
                say.start(filename)
                return lambda done, total: say.update(done, total or 0)

            fetched = fetch_set(name, public, folder, convert=not raw_only, progress=report)
    except FetchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    if fetched.conversion is not None:
        _report(fetched.conversion)
    else:
        typer.echo(f"in {fetched.raw if raw_only else folder / 'dataset'}")


@app.command()
def convert(
    form: Annotated[str, typer.Argument(metavar="SET|FORMAT", help="One of `medseg data list`, or to-coco.")],
    src: Annotated[Path, typer.Argument(help="What to convert.")],
    dst: Annotated[Path, typer.Argument(help="New folder (for to-coco: new JSON file).")],
    labels: Annotated[Path | None, typer.Option(help="Where the labels are, for formats that need it.")] = None,
    interior: Annotated[int | None, typer.Option(help="For stack: the value that marks cell interiors.")] = None,
    axes: Axes = None,
    name: Annotated[str, typer.Option(help="Name of the data set.")] = "",
    modality: Annotated[str, typer.Option(help="For example fluorescence, ssTEM, CT.")] = "",
    licence: Annotated[str, typer.Option(help="Terms of the data, for whoever uses it next.")] = "",
    label_kind: Annotated[LabelKind | None, typer.Option(help="One id per object, or one value per class.")] = None,
) -> None:
    """Convert a public data set, or labels in another format, to images/, labels/ and dataset.json."""
    from data_tools.catalogue import SETS
    from data_tools.convert.build import build_dataset
    from data_tools.convert.formats import FORMATS, Extra
    from data_tools.convert.sets import CONVERTERS
    from data_tools.layout import Description

    if form == "to-coco":
        _write_coco(src, dst)
        return
    if axes and not (form in FORMATS and FORMATS[form].takes_axes):
        raise InputError(f"--axes is for {', '.join(n for n, f in FORMATS.items() if f.takes_axes)}, not for {form}")
    if not src.exists():
        raise InputError(f"{src}: no such file or folder")
    if form in CONVERTERS:
        _report(build_dataset(dst, CONVERTERS[form](src), SETS[form].description))
        return
    if form not in FORMATS:
        known = ", ".join([*CONVERTERS, *FORMATS, "to-coco"])
        raise InputError(f"{form!r} is no data set or format known here; known: {known}")
    kind = label_kind.value if label_kind else FORMATS[form].label_kind
    description = Description(name or dst.name, modality, licence=licence, label_kind=kind)
    _report(build_dataset(dst, FORMATS[form].sources(src, Extra(labels, interior, axes)), description))


@app.command()
def synth(
    kind: Annotated[str, typer.Argument(help="em, nuclei, phase-contrast or ct.")],
    dst: Annotated[Path, typer.Argument(help="New folder.")],
    count: Annotated[int, typer.Option(help="Number of images; the last fifth is for validation.")] = 10,
    shape: Annotated[
        str | None, typer.Option(metavar="Y,X|Z,Y,X", help="Size of each image (ct: X,Y,Z); default by kind.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first image; the next image takes the next seed.")] = 0,
) -> None:
    """Draw synthetic images with exact labels."""
    from data_tools.synth.dataset import write_synthetic

    _report(write_synthetic(kind, dst, count=count, shape=_shape(shape), seed=seed))


@app.command()
def split(
    folder: Folder,
    fraction: Annotated[float, typer.Option(help="Share of the images for validation.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random choice.")] = 0,
    by_sections: Annotated[
        bool, typer.Option("--by-sections", help="Split the sections of each stack instead of the images.")
    ] = False,
    axes: Axes = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the split in dataset.json.")] = False,
) -> None:
    """Split a data set into training and validation and write dataset.json.

    Images of one group and near-duplicates stay together; strata are balanced.
    """
    from data_tools.layout import read_dataset, with_checksums, write_dataset_json
    from data_tools.split import split_dataset, split_sections

    dataset = read_dataset(folder)
    if dataset.validation and not overwrite:
        raise InputError(f"{folder / 'dataset.json'}: has a split already; replace it with --overwrite")
    if by_sections:
        result = split_sections(dataset, fraction=fraction)
    else:
        result = split_dataset(dataset, fraction=fraction, seed=seed, axes=axes)
    write_dataset_json(with_checksums(result.dataset), overwrite=overwrite or bool(dataset.checksums))
    for one, other, correlation in result.duplicates:
        typer.echo(f"near-duplicates kept together: {one}, {other} (correlation {correlation:.3f})")
    _count(result.dataset.training, result.dataset.validation, folder)


@app.command()
def check(
    folder: Folder,
    axes: Axes = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
) -> None:
    """Check a training folder; the exit code is 1 if there are errors, 0 if there are only warnings."""
    from data_tools.check.run import check_dataset
    from medseg.cli.progress import progress

    with progress(quiet=quiet or as_json) as say:
        say.start("checking")
        report = check_dataset(folder, axes=axes, progress=say.update)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=1))  # ASCII: a pipe on Windows is not of UTF-8
    else:
        for finding in report.findings:
            typer.echo(str(finding))
        errors = sum(f.level == "error" for f in report.findings)
        typer.echo(
            f"{folder}: {errors} errors, {len(report.findings) - errors} warnings; "
            f"{report.summary['training']} for training, {report.summary['validation']} for validation"
        )
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def preview(
    folder: Folder,
    output: Annotated[Path, typer.Option("-o", "--output", help="PNG file to write.")] = Path("preview.png"),
    count: Annotated[int, typer.Option(help="Number of images to show.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random choice.")] = 0,
    axes: Axes = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing PNG.")] = False,
) -> None:
    """Draw a contact sheet of random images with the outlines of their labels."""
    from data_tools.layout import read_dataset
    from data_tools.preview import write_preview

    shown = write_preview(read_dataset(folder), output, count=count, seed=seed, axes=axes, overwrite=overwrite)
    typer.echo(f"{len(shown)} images in {output}")


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--shape is {text!r}; give whole numbers, such as 256,256") from None


def _report(conversion: Conversion) -> None:
    """Say what was converted; leave with 1 where something was left out."""
    for note in conversion.notes:
        typer.echo(f"note: {note}")
    for problem in conversion.problems:
        typer.echo(f"left out: {problem}", err=True)
    dataset = conversion.dataset
    _count(dataset.training, dataset.validation, dataset.root)
    if conversion.problems:
        raise typer.Exit(1)


def _count(training: tuple, validation: tuple, folder: Path) -> None:
    typer.echo(f"{len(training)} for training, {len(validation)} for validation in {folder}")


def _write_coco(src: Path, dst: Path) -> None:
    from data_tools.convert.coco import write_coco
    from data_tools.layout import read_dataset

    content = write_coco(read_dataset(src), dst)
    typer.echo(f"{len(content['annotations'])} objects on {len(content['images'])} images in {dst}")
