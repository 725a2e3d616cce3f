"""Batches give what the functions give."""

import numpy as np
import pytest
import torch

from medseg.metrics import BettiErrorMetric, CenterlineDiceMetric, betti_error, cl_dice

RNG = np.random.default_rng(5)
PREDICTION, REFERENCE = (np.kron(RNG.random((2, 1, 8, 8)) > 0.5, np.ones((4, 4))) > 0 for _ in "ab")


def batches(metric):
    for prediction, reference in zip(PREDICTION, REFERENCE, strict=True):
        metric(y_pred=torch.from_numpy(prediction[None]), y=torch.from_numpy(reference[None]))
    return metric


@pytest.mark.parametrize("window", [None, 10])
def test_betti_error(window):
    metric = batches(BettiErrorMetric(window=window))
    wanted = betti_error(PREDICTION[:, 0], REFERENCE[:, 0], window=window)
    assert metric.result() == wanted
    assert metric.aggregate().item() == pytest.approx(wanted.value)
    assert metric.undefined == 0
    images = [betti_error(p[0], r[0], window=window).value for p, r in zip(PREDICTION, REFERENCE, strict=True)]
    assert metric.aggregate("none").flatten().tolist() == pytest.approx(images)


def test_cl_dice():
    metric = batches(CenterlineDiceMetric())
    wanted = cl_dice(PREDICTION[:, 0], REFERENCE[:, 0])
    assert metric.result() == wanted
    assert metric.aggregate().item() == pytest.approx(wanted.value)
    nothing = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    metric(y_pred=nothing, y=nothing)
    assert metric.undefined == 1
    assert metric.aggregate().item() == pytest.approx(wanted.value)
    assert metric.aggregate("none").isnan().sum() == 1
