"""`medseg bundles`: what is there to predict with."""

from __future__ import annotations

import json

import typer


def bundles(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """List the bundles: dimensions, pruning levels, whether weights are there, task, licence of the training data."""
    from medseg.catalog import list_bundles

    found = [bundle.summary() for bundle in list_bundles()]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("bundle", "dim", "levels", "weights", "task", "training data"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "bundle")
    for b in found:
        weights = "yes" if b["weights"] else "none" if b["recipe"] else "missing"
        levels = f"{b['levels'][0]}-{b['levels'][-1]}" if b["levels"] else ""
        table.add_row(b["name"], f"{b['dimensions']}D", levels, weights, b["task"], b["data_licence"])
    Console().print(table)
