import pytest
import torch

from medseg.losses import SumOfLosses

LOSSES = {"loss_a": torch.tensor(2.0), "loss_b": torch.tensor(3.0)}


def test_sum_and_weights():
    assert SumOfLosses()(LOSSES) == 5
    assert SumOfLosses({"loss_b": 0.5})(LOSSES, target=[]) == 3.5


def test_a_weight_of_nothing_is_refused():
    with pytest.raises(ValueError, match="loss_c"):
        SumOfLosses({"loss_c": 1.0})(LOSSES)
