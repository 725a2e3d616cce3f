"""The MONAI metric: batches, reductions, buffers."""

import numpy as np
import torch
from monai.data import MetaTensor

from medseg.metrics.warping import CHALLENGE_THRESHOLDS, topological_warping_error
from medseg.metrics.warping_metric import WarpingErrorMetric

RNG = np.random.default_rng(0)
Y_PRED = torch.tensor(RNG.random((3, 2, 24, 26), np.float32))
Y = torch.tensor(RNG.random((3, 2, 24, 26)) > 0.4)


def each_image(**options):
    pairs = zip(Y_PRED.flatten(0, 1), Y.flatten(0, 1), strict=True)
    values = [topological_warping_error(p, t, **options).value for p, t in pairs]
    return torch.tensor(values, dtype=torch.float64).reshape(3, 2)


def test_all_images_are_one_stack():
    metric = WarpingErrorMetric()
    for y_pred, y in zip(Y_PRED, Y, strict=True):  # three iterations of one image
        metric(y_pred[None], y[None])
    stack = topological_warping_error(Y_PRED.reshape(6, 24, 26), Y.reshape(6, 24, 26))
    assert metric.aggregate().item() == stack.value
    assert metric.aggregate().dtype == torch.float64
    assert metric.result().sweep == stack.sweep
    assert metric.get_buffer().shape == (3, 2, 10, 16)
    metric.reset()
    metric(Y_PRED, Y)
    assert metric.aggregate().item() == stack.value


def test_values_of_single_images():
    metric = WarpingErrorMetric(radius=None, threshold=(0.3, 0.5))
    metric([*Y_PRED], [*Y])
    expected = each_image(radius=None, threshold=(0.3, 0.5))
    torch.testing.assert_close(metric.aggregate("none"), expected, rtol=0, atol=0)
    torch.testing.assert_close(metric.aggregate("mean"), expected.mean(), rtol=0, atol=1e-15)


def test_images_of_different_size_weigh_by_their_pixels():
    metric = WarpingErrorMetric(threshold=0.5)
    small = Y_PRED[:1, :1, :8, :9], Y[:1, :1, :8, :9]
    metric(Y_PRED[:1, :1], Y[:1, :1])
    metric(*small)
    parts = [topological_warping_error(p[0, 0], t[0, 0], threshold=0.5) for p, t in (small, (Y_PRED, Y))]
    wrong = sum(p.pixels.split + p.pixels.merge for p in parts)
    assert metric.aggregate().item() == wrong / (8 * 9 + 24 * 26)


def test_sections_and_volumes():
    y_pred, y = Y_PRED.reshape(1, 1, 6, 24, 26), Y.reshape(1, 1, 6, 24, 26)
    for volumetric in (False, True):
        metric = WarpingErrorMetric(volumetric=volumetric, threshold=0.5)
        metric(MetaTensor(y_pred), MetaTensor(y))
        expected = topological_warping_error(y_pred[0, 0], y[0, 0], volumetric=volumetric, threshold=0.5)
        assert metric.aggregate().item() == expected.value


def test_masks_and_probabilities_in_one_run():
    metric = WarpingErrorMetric()
    metric(Y_PRED[:1], Y[:1])
    metric((Y_PRED[1:] > 0.5), Y[1:])
    sweep = metric.result().sweep
    assert [score.threshold for score in sweep] == list(CHALLENGE_THRESHOLDS)
    probability = [topological_warping_error(p, t).sweep for p, t in zip(Y_PRED[0], Y[0], strict=True)]
    masks = [
        topological_warping_error(p > 0.5, t).sweep[0]
        for p, t in zip(Y_PRED[1:].flatten(0, 1), Y[1:].flatten(0, 1), strict=True)
    ]
    for k, score in enumerate(sweep):
        assert score.pixels.merge == sum(s.pixels.merge for s in [*masks, *(p[k] for p in probability)])


def test_images_without_objects_count():
    metric = WarpingErrorMetric(reduction="mean")
    y = torch.zeros(2, 1, 9, 9, dtype=torch.bool)
    y[1, 0, 1:8, 1:8] = True
    y_pred = y.clone()
    y_pred[1, 0, :, 4] = False
    metric(y_pred, y)
    assert metric.aggregate("none").tolist() == [[0.0], [1 / 81]]
    assert metric.aggregate().item() == 0.5 / 81
    assert metric.undefined == 0
