"""`medseg evaluate` by itself, with its own errors raised."""

import typer
from typer.testing import CliRunner

from medseg.cli.evaluate import evaluate
from medseg.errors import InputError

app = typer.Typer()
app.command()(evaluate)


def run(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(result.exception, InputError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result
