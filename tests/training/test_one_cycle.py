import json
from pathlib import Path

import pytest
import torch
from torch.optim.lr_scheduler import OneCycleLR

from medseg.training import OneCycle

CONFIGS = sorted(Path(__file__).parents[2].glob("bundles/*/configs/train.json"))
RATES = [0.01, 0.001]


def rates(kind, epochs: int, pct_start: float) -> torch.Tensor:
    """Learning rates of two parameter groups in each epoch, ``(epochs, 2)``."""
    optimizer = torch.optim.AdamW([{"params": torch.nn.Parameter(torch.ones(1)), "lr": rate} for rate in RATES])
    scheduler = kind(optimizer, max_lr=RATES, total_steps=epochs, pct_start=pct_start)
    seen = []
    for _ in range(epochs):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    assert scheduler.total_steps == epochs
    return torch.tensor(seen)


@pytest.mark.parametrize("pct_start", [0.1, 0.15])
@pytest.mark.parametrize("epochs", [3, 4, 6, 9, 10, 19, 20, 22])
def test_rises_to_the_peak_and_falls(epochs, pct_start):
    found = rates(OneCycle, epochs, pct_start)
    torch.testing.assert_close(found[0], torch.tensor(RATES) / 25)
    peak = found[:, 0].argmax()
    assert 1 <= peak <= max(1, round(pct_start * epochs))
    assert found[peak, 0] > 0.9 * RATES[0]
    assert (found[peak:].diff(dim=0) < 0).all()


@pytest.mark.parametrize("epochs", [1, 2])
def test_one_or_two_epochs_train_at_the_full_rate(epochs):
    torch.testing.assert_close(rates(OneCycle, epochs, 0.1), torch.tensor([RATES] * epochs))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.parts[-3])
def test_the_bundles_schedules_are_torchs(path):
    config = json.loads(path.read_text(encoding="utf-8"))
    scheduler = config["lr_scheduler"]
    assert scheduler["_target_"] != "torch.optim.lr_scheduler.OneCycleLR"
    if scheduler["_target_"] == "medseg.training.OneCycle":
        epochs, pct_start = config["epochs"], scheduler["pct_start"]
        assert torch.equal(rates(OneCycle, epochs, pct_start), rates(OneCycleLR, epochs, pct_start))
