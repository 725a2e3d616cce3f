"""`medseg bundles`: what is there to predict with."""

from __future__ import annotations

import json

import typer


def bundles(as_json: bool = typer.Option(False, "--json", help="Machine-readable.")) -> None:
    """List the bundles: task, dimensions, whether the weights are there, licence of the training data."""
    from medseg.catalog import list_bundles

    found = [bundle.summary() for bundle in list_bundles()]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("bundle", "dim", "weights", "task", "training data"):
        table.add_column(heading, overflow="fold")
    for b in found:
        weights = "yes" if b["weights"] else "missing"
        table.add_row(b["name"], f"{b['dimensions']}D", weights, b["task"], b["data_licence"])
    Console().print(table)
