import pytest
import torch

from medseg.training import layout, training_layout


@pytest.mark.parametrize(("has", "expected"), [(True, torch.channels_last), (False, torch.contiguous_format)])
def test_channels_last_goes_with_bfloat16(monkeypatch, has, expected):
    monkeypatch.setattr(layout, "has_bfloat16", lambda device: has)
    assert training_layout("cpu") is expected
