import pytest
import torch
import typer
from typer.testing import CliRunner

from medseg.cli.export import export
from medseg.errors import InputError
from medseg.networks import UNet

CONFIG = """{
  "device": "cpu",
  "weights": "$@bundle_root + '/models/model.pt'",
  "dataset_dir": ".",
  "bundle_root": ".",
  "datalist": [],
  "network_def": {"_target_": "medseg.networks.UNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 1,
                  "channels": [2, 3]},
  "network": "$@network_def.to(@device)",
  "initialize": ["$@network.load_state_dict(torch.load(@weights, weights_only=True))"],
  "run": []
}"""
METADATA = """{"version": "0.1.0", "task": "test", "network_data_format":
  {"inputs": {"image": {"spatial_shape": ["18+2*n", "18+2*n"]}}, "outputs": {}}}"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    for name, text in (("configs/inference.json", CONFIG), ("configs/metadata.json", METADATA)):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    (root / "models").mkdir()
    torch.save(UNet(2, 1, 1, channels=(2, 3)).state_dict(), root / "models" / "model.pt")
    return root


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(export)
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def test_help_names_the_extra(run):
    assert "medseg[export]" in run("--help").output


def test_says_what_was_written(bundle, run, tmp_path):
    done = run(bundle, "-o", tmp_path / "net.ts")
    assert done.exit_code == 0, done.output
    assert "torchscript" in done.output
    assert "18 + 2 k pixels" in done.output
    image = torch.zeros(1, 1, 20, 18)
    assert torch.jit.load(str(tmp_path / "net.ts"))(image).shape == (1, 1, 4, 2)
    again = run(bundle, "-o", tmp_path / "net.ts", "-q", "--overwrite")
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
def test_wrong_arguments(bundle, run, tmp_path, arguments, message):
    done = run(bundle, "-o", tmp_path / "net.ts", *arguments)
    assert isinstance(done.exception, InputError)  # `medseg` makes it one line and exit code 2
    with pytest.raises(InputError, match=message):
        raise done.exception
    assert not list(tmp_path.iterdir())


def test_a_network_that_computes_something_else_fails_with_1(bundle, run, tmp_path, monkeypatch):
    monkeypatch.setattr("medseg.workflow.export.TOLERANCE", -1.0)
    done = run(bundle, "-o", tmp_path / "net.ts")
    assert done.exit_code == 1
    assert not list(tmp_path.iterdir())
