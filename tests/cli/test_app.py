import errno
import inspect
import io
import os
import sys
from types import SimpleNamespace

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


def test_a_name_that_is_no_text_is_printed_with_its_bytes_escaped(monkeypatch):
    naming = typer.Typer()
    naming.command()(lambda: print("caf\udce9.tif"))
    monkeypatch.setattr(sys.modules[main.__module__], "app", naming)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="utf-8", errors="strict"))
    monkeypatch.setattr(sys, "argv", ["medseg"])
    with pytest.raises(SystemExit, match="0"):
        main()
    sys.stdout.flush()
    assert written.getvalue() == b"caf\\udce9.tif\n"


def test_patterns_and_brackets_arrive_as_typed_on_windows(medseg, monkeypatch, tmp_path):
    """Typer would put the files that match in their place: x1.tif for x[1].tif, and nobody could name DICOM folders."""
    echoing = typer.Typer()
    echoing.command()(lambda words: typer.echo("|".join(words)))
    echoing.registered_commands[0].callback.__annotations__["words"] = list[str]
    monkeypatch.setattr(sys.modules[main.__module__], "app", echoing)
    monkeypatch.setattr(typer.core, "os", SimpleNamespace(name="nt", environ=os.environ, getenv=os.getenv))
    monkeypatch.chdir(tmp_path)
    for name in ("x1.tif", "x[1].tif", "p1"):
        (tmp_path / name).touch()
    monkeypatch.setenv("HOME", "home")
    monkeypatch.setenv("USERPROFILE", "home")
    assert medseg("x[1].tif", "p*", "*.tif", "~/x").out == "x[1].tif|p*|*.tif|home/x\n"


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


def test_no_command_has_a_default_for_its_context():
    """`= None` makes Python 3.10 read the annotation as optional, of which typer knows no type: no command starts."""
    for command in app.registered_commands:
        parameters = inspect.signature(command.callback).parameters.values()
        contexts = [p for p in parameters if p.annotation in ("typer.Context", typer.Context)]
        assert all(p.default is p.empty for p in contexts), command.callback.__name__
