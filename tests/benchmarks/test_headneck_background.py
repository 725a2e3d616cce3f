"""The background of a CT network is raised by what suits the training volumes best, and nothing else is changed."""

import re

import pytest
import torch

from data_tools.synth.dataset import write_synthetic
from medseg.catalog import find_bundle

pytestmark = pytest.mark.slow


def test_the_best_raise_is_written(benchmark, tmp_path, capsys):
    write_synthetic("ct", tmp_path / "data", count=2, shape=(48, 40, 24))
    bundle, out = find_bundle("headneck_ct_unet_transfer"), tmp_path / "raised.pt"
    arguments = (bundle.name, tmp_path / "data", "--weights", bundle.weights, "--out", out, "--raises", 60, 0, -8)
    benchmark("headneck_background", *arguments, "--every", 1).main()
    printed = capsys.readouterr().out
    scores = {float(v): float(d) for v, d in re.findall(r"background \+ (\S+): Dice (\S+),", printed)}
    best = max(scores, key=scores.get)
    assert scores[60.0] == 0, "where the background is certain nothing is found"
    assert f"{out}: background + {best}, of" in printed
    before, after = (torch.load(p, weights_only=True) for p in (bundle.weights, out))
    expected = before["head.bias"].clone()
    expected[0] += best
    torch.testing.assert_close(after.pop("head.bias"), expected)
    assert all(torch.equal(v, before[k]) for k, v in after.items())
