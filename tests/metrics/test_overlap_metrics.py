"""The MONAI metrics equal the plain functions on all images as one stack."""

import warnings

import numpy as np
import pytest
import torch

from medseg.errors import InputError, InputWarning
from medseg.metrics.information import v_info, variation_of_information
from medseg.metrics.instances import average_precision, panoptic_quality
from medseg.metrics.overlap import as_one_stack, overlaps
from medseg.metrics.overlap_metrics import (
    InstanceAveragePrecisionMetric,
    PanopticQualityMetric,
    RandErrorMetric,
    VariationOfInformationMetric,
    VInfoMetric,
    VRandMetric,
)
from medseg.metrics.pixel import pixel_error
from medseg.metrics.pixel_metric import PixelErrorMetric
from medseg.metrics.rand import rand_error, rand_of, v_rand

RNG = np.random.default_rng(0)
REFERENCE = RNG.random((6, 1, 24, 24)) > 0.35
PREDICTION = (REFERENCE * 0.4 + RNG.random(REFERENCE.shape) * 0.6).astype(np.float32)
STACK = PREDICTION[:, 0], REFERENCE[:, 0]

EVERY = [
    (RandErrorMetric(), lambda p, r: rand_error(p, r).value),
    (
        RandErrorMetric(pairs="ordered", region="everything"),
        lambda p, r: rand_error(p, r, pairs="ordered", region="everything").value,
    ),
    (VRandMetric(), lambda p, r: v_rand(p, r).value),
    (VInfoMetric(), lambda p, r: v_info(p, r).value),
    (VariationOfInformationMetric(), lambda p, r: variation_of_information(p, r).value),
    (VariationOfInformationMetric("split"), lambda p, r: variation_of_information(p, r).best.split),
    (
        VariationOfInformationMetric("merge", threshold=0.5),
        lambda p, r: variation_of_information(p, r, threshold=0.5).best.merge,
    ),
    (PixelErrorMetric(), lambda p, r: pixel_error(p, r).value),
    (InstanceAveragePrecisionMetric(), lambda p, r: average_precision(p, r).value),
    (InstanceAveragePrecisionMetric((0.5,)), lambda p, r: average_precision(p, r, iou_thresholds=(0.5,)).value),
    (PanopticQualityMetric(), lambda p, r: panoptic_quality(p, r).value),
    (PanopticQualityMetric("sq"), lambda p, r: panoptic_quality(p, r).segmentation_quality),
    (PanopticQualityMetric("rq"), lambda p, r: panoptic_quality(p, r).recognition_quality),
]


@pytest.mark.parametrize(("metric", "function"), EVERY)
def test_batches_are_one_stack(metric, function):
    metric.reset()
    for batch in (slice(0, 4), slice(4, 6)):
        metric(torch.from_numpy(PREDICTION[batch]), torch.from_numpy(REFERENCE[batch]))
    assert metric.aggregate().item() == pytest.approx(function(*STACK), abs=1e-12)
    each = [function(p, r) for p, r in zip(*STACK, strict=True)]
    assert metric.aggregate("none")[:, 0].tolist() == pytest.approx(each, abs=1e-12)
    assert metric.aggregate("mean").item() == pytest.approx(np.mean(each), abs=1e-12)
    assert metric.undefined == 0


def test_masks_and_probabilities_in_one_epoch():
    """A mask counts at every threshold that a probability needs."""
    metric = RandErrorMetric()
    metric(list(torch.from_numpy(PREDICTION)), list(torch.from_numpy(REFERENCE)))
    metric(torch.from_numpy(REFERENCE), torch.from_numpy(REFERENCE))
    joined = as_one_stack([overlaps(*STACK), overlaps(STACK[1], STACK[1])])
    assert metric.aggregate().item() == pytest.approx(rand_of(joined, error=True).value, abs=1e-12)


def test_float_labels_of_a_loader_need_their_kind_named():
    labels = torch.from_numpy(RNG.integers(0, 4, (2, 1, 3, 8, 8)).astype(np.float32))
    metric = InstanceAveragePrecisionMetric(prediction_kind="labels", reference_kind="labels")
    metric(labels, labels)
    assert metric.aggregate() == 1
    with pytest.raises(InputError, match="0 to 1"):
        InstanceAveragePrecisionMetric()(labels, labels)


def test_undefined_sections_are_counted():
    reference = torch.zeros(2, 1, 3, 8, 8, dtype=torch.bool)
    reference[0, 0, 0, 2:6, 2:6] = True
    for metric in (VRandMetric(), VInfoMetric(), VariationOfInformationMetric(), InstanceAveragePrecisionMetric()):
        metric(reference, reference)
        assert metric.undefined == 5
        assert torch.isnan(metric.aggregate("none")).tolist() == [[False], [True]]
        assert not torch.isnan(metric.aggregate("mean"))
        metric.reset()
        metric(reference[1:], reference[1:])
        assert torch.isnan(metric.aggregate())


def test_refuses():
    metric = RandErrorMetric()
    with pytest.raises(ValueError, match="no image"):
        metric.aggregate()
    for other in (None, torch.zeros(1, 1, 4, 5)):
        with pytest.raises(InputError, match="one shape"):
            metric(torch.zeros(1, 1, 4, 4), other)
    with pytest.raises(InputError, match="B, C"):
        metric(torch.zeros(4, 4, 4), torch.zeros(4, 4, 4))
    metric(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
    with pytest.raises(ValueError, match="reduction"):
        metric.aggregate("median")
    with pytest.raises(ValueError, match="reduction"):
        RandErrorMetric(reduction="sum")
    for measure in (InstanceAveragePrecisionMetric, PanopticQualityMetric):
        with pytest.raises(InputError, match="threshold: None"):
            measure(threshold=None)


@pytest.mark.parametrize(
    ("metric", "function", "by_hand"),
    [
        (RandErrorMetric, rand_error, 0.334),
        (VRandMetric, v_rand, 0.667),
        (VInfoMetric, v_info, 0),
        (VariationOfInformationMetric, variation_of_information, np.log(2)),
    ],
)
def test_levels_above_a_grey_reference_do_not_take_part(metric, function, by_hand):
    reference = np.zeros((40, 60), np.float32)
    reference[5:35, 5:28] = reference[5:35, 32:55] = 0.9
    prediction = np.zeros_like(reference)
    prediction[5:35, 5:55] = 0.8  # both cells in one
    expected = function(prediction, reference, reference_kind="probability").value
    measure = metric(reference_kind="probability")
    measure(torch.from_numpy(prediction)[None, None], torch.from_numpy(reference)[None, None])
    assert float(measure.aggregate()) == pytest.approx(expected)
    assert expected == pytest.approx(by_hand, abs=1e-3)


def test_an_image_without_reference_is_no_part_of_the_mean_rand_error():
    prediction, reference = torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)
    prediction[0, 0, 2:6, 2:6] = prediction[1, 0, 2:4] = reference[1, 0, 2:6] = 1
    metric = RandErrorMetric(threshold=0.5)
    metric(prediction, reference)
    first, second = metric.aggregate("none")[:, 0].tolist()
    assert np.isnan(first)
    assert float(metric.aggregate("mean")) == second > 0
    assert metric.undefined == 1


@pytest.mark.parametrize("kind", [torch.float32, torch.bool, torch.uint8])
def test_one_hot_classes_are_warned_of(kind):
    mask = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    mask[..., 2:5, 2:5] = True
    one_hot = torch.cat([~mask, mask], dim=1).to(kind)
    with pytest.warns(InputWarning, match=r"PixelErrorMetric: y is one-hot.*its 2 channels.*y\[:, 1:\]"):
        PixelErrorMetric()(one_hot, one_hot)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PixelErrorMetric()(one_hot[:, 1:], one_hot[:, 1:])
        PixelErrorMetric()(torch.cat([mask, mask], dim=1), torch.cat([mask, mask.flip(-1)], dim=1))
