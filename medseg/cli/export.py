"""`medseg export`: a bundle's network for other runtimes."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

_OPTIONS = {
    "weights": "--weights",
    "level": "--level",
    "bundle_root": "BUNDLE",
    "datalist": "`medseg predict`",
    "device": "the CPU, as export always does,",
}


class _Format(str, Enum):
    onnx = "onnx"
    torchscript = "torchscript"


def export(
    bundle: Annotated[str, typer.Argument(help="Name of a bundle (see `medseg bundles`) or its folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write: .onnx, or .ts for TorchScript.")],
    format_: Annotated[_Format | None, typer.Option("--format", help="If the suffix does not tell it.")] = None,
    level: Annotated[
        int | None, typer.Option(help="Prune a U-Net++ to this level first: 1 is the smallest and fastest.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Your own weights (model.pt of `medseg train`).")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the bundle's config.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> None:
    """Write a bundle's network as ONNX or TorchScript, and check that it computes the same.

    The exported network takes images of any size as the bundle's preprocessing returns them, and returns logits. ONNX
    needs medseg\\[export].
    """
    from medseg.catalog import find_bundle
    from medseg.cli.config_values import parse_settings
    from medseg.cli.progress import progress

    found, overrides = find_bundle(bundle), parse_settings(set_, _OPTIONS)
    if weights is None:
        found.check_weights()
    with progress(quiet=quiet) as say:
        say.start("exporting")
        from medseg.networks.encoders.checkpoint import read_state
        from medseg.workflow.export import ExportError, export_bundle
        from medseg.workflow.network_settings import with_network_settings

        read_state(weights or found.weights)  # refuses what is none
        overrides, notes = with_network_settings(weights or found.weights, overrides)
        for note in notes:
            say.say(note)
        try:
            result = export_bundle(
                found,
                output,
                format=format_.value if format_ else None,
                level=level,
                weights=weights,
                overrides=overrides,
                overwrite=overwrite,
            )
        except ExportError as error:
            say.fail(f"error: {error}")
            raise typer.Exit(1) from error
        say.say(f"{result.format}: {result.path} ({result.parameters:,} parameters)")
        say.say(f"  sides of {result.first_side} + {result.stride} k pixels, any batch")
        say.say(f"  differs from the network by {result.difference:.1e} of the largest logit")
