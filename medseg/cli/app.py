"""The `medseg` program: its commands and its exit codes."""

from __future__ import annotations

import os
import sys

import typer

from data_tools.cli import app as data
from medseg import __version__
from medseg.cli.bundles import bundles
from medseg.cli.demo import demo
from medseg.cli.evaluate import evaluate
from medseg.cli.export import export
from medseg.cli.predict import predict
from medseg.cli.train import train
from medseg.errors import InputError

app = typer.Typer(
    name="medseg",
    help="Segment cells and organs with MONAI bundles, and check whether the topology is right.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 something failed while running, 2 wrong arguments.",
)
for command in (predict, evaluate, train, export, bundles, demo):
    app.command()(command)
app.add_typer(data, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medseg {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Show the version."),
) -> None:
    pass


def main() -> None:
    """Entry point: errors of the user's are one line on stderr, not a traceback."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text of the terminal's encoding
    # by itself Typer, on Windows, would put the files that match in the place of a pattern, x1.tif in that of x[1].tif
    words = [os.path.expanduser(word) for word in sys.argv[1:]]
    try:
        app(words)
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"error: {where}{error.strerror or error}", err=True)
        sys.exit(1)
