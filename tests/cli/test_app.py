import errno
import sys

import pytest
import typer

from medseg import __version__
from medseg.cli import app, main


def test_help_and_version(medseg):
    for arguments in (["--help"], ["-h"]):
        done = medseg(*arguments)
        assert done.code == 0
        for command in app.registered_commands:
            assert command.callback.__name__ in done.out
        assert "Exit codes" in done.out
    assert medseg("--version").out == f"medseg {__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["predict"], ["predict", "x", "y"], ["bundles", "--jsn"]])
def test_wrong_usage_is_2(medseg, arguments):
    assert medseg(*arguments).code == 2


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "o/x.tif"), "error: o/x.tif: No space left on device\n"),
        (OSError("a codec says no"), "error: a codec says no\n"),
    ],
)
def test_errors_of_the_system_are_one_line_and_1(medseg, monkeypatch, error, line):
    failing = typer.Typer()

    @failing.command()
    def fail():
        raise error

    monkeypatch.setattr(sys.modules[main.__module__], "app", failing)
    done = medseg()
    assert (done.code, done.err) == (1, line)
