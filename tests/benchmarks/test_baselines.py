"""The yardsticks run from their commands to their tables, on a few synthetic images and one step."""

import json

import pytest

from data_tools.synth.dataset import write_synthetic
from medseg.catalog import find_bundle

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("task", "kind", "rows"), [("em", "em", "pixel error"), ("cells", "phase-contrast", "AP50")])
def test_basic_unet(benchmark, tmp_path, capsys, task, kind, rows):
    write_synthetic(kind, tmp_path / "data", count=2, shape=(260, 270))
    arguments = (task, "--data", tmp_path / "data", "--steps", 1, "--batch-size", 1)
    benchmark("unet_recipe_baseline", *arguments, "--elsewhere", tmp_path / "data").main()
    assert capsys.readouterr().out.count(rows) == 2


@pytest.mark.parametrize("network", ["stock", "bundle"])
def test_3d_unet(benchmark, tmp_path, capsys, network):
    write_synthetic("ct", tmp_path / "data", count=2, shape=(40, 32, 24))
    quick = {"epochs": 1, "val_interval": 1, "patch_size": [16, 16, 16], "crop_size": [20, 20, 20]}
    quick["side_pairs"] = [[3, 4]]  # the phantom's kidneys
    settings = [part for key, value in quick.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    run = tmp_path / "run"
    arguments = (tmp_path / "data", run, "--minutes", 0.001, "--network", network, *settings)
    benchmark("headneck_baseline", *arguments).main()
    assert f"| Dice / surface Dice at 2 mm / HD95 in mm | {network} |" in capsys.readouterr().out
    named = {json.loads(p.read_text())["network_def"]["_target_"] for p in (run / "bundle/configs").glob("[ti]*.json")}
    shipped = json.loads(find_bundle("headneck_ct_unet3d").config("train").read_text())["network_def"]["_target_"]
    assert named == {"monai.networks.nets.UNet" if network == "stock" else shipped}
    assert (run / "model.pt").is_file()
