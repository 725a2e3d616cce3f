import pytest
import torch
import typer
from typer.testing import CliRunner

from medseg.cli.export import export
from medseg.errors import InputError


@pytest.fixture
def run(tiny_bundle):
    app = typer.Typer()
    app.command()(export)
    return lambda *arguments: CliRunner().invoke(app, [str(tiny_bundle), *map(str, arguments)])


def test_help_names_the_extra(run):
    assert "medseg[export]" in run("--help").output


def test_says_what_was_written(run, tmp_path):
    done = run("-o", tmp_path / "net.ts")
    assert done.exit_code == 0, done.output
    assert "torchscript" in done.output
    assert "188 + 16 k pixels" in done.output
    assert "differs from the network by" in done.output
    image = torch.zeros(1, 1, 204, 188)
    assert torch.jit.load(str(tmp_path / "net.ts"))(image).shape == (1, 1, 20, 4)
    again = run("-o", tmp_path / "net.ts", "-q", "--overwrite")
    assert (again.exit_code, again.output) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--level", "2"], "no levels to prune to"),
        (["--weights", "missing.pt"], r"missing\.pt: no such file"),
        (["--set", "no_such_key=1"], "no key"),
        (["--set", "level=1"], "use --level for level"),
    ],
)
def test_wrong_arguments(run, tmp_path, arguments, message):
    done = run("-o", tmp_path / "net.ts", *arguments)
    assert isinstance(done.exception, InputError)  # `medseg` makes it one line and exit code 2
    with pytest.raises(InputError, match=message):
        raise done.exception
    assert not list(tmp_path.iterdir())


def test_a_network_that_computes_something_else_fails_with_1(run, tmp_path, monkeypatch):
    monkeypatch.setattr("medseg.workflow.export.TOLERANCE", -1.0)
    done = run("-o", tmp_path / "net.ts")
    assert (done.exit_code, "net.ts: not written, its outputs differ" in done.output) == (1, True)
    assert not list(tmp_path.iterdir())
