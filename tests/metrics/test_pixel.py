"""Pixel measures against the reference values and drawings."""

import numpy as np
import pytest
import torch
from isbi2012_cases import each_case, load_case

from medseg.errors import InputError
from medseg.metrics.pixel import dice, iou, pixel_error


@each_case
def test_reference_cases(case_folder):
    case = load_case(case_folder)
    expected = case.expected["pixel"]
    result = pixel_error(case.proposal, case.label)
    assert result.value == pytest.approx(expected["pixel_error_challenge"], abs=1e-9)
    for score, wanted in zip(result.sweep, expected["per_threshold"], strict=True):
        counts = score.counts
        assert [counts.tp, counts.tn, counts.fp, counts.fn] == [wanted[k] for k in ("tp", "tn", "fp", "fn")]
        assert (counts.precision, counts.recall, counts.f_score, score.mismatch) == pytest.approx(
            [wanted[k] for k in ("precision", "recall", "f_score", "metric")], abs=1e-9
        )


def test_float32_decides_what_exceeds_a_threshold():
    """51 / 255 in float32 is above 0.2 in double."""
    prediction = np.full((1, 4), 51, np.float32) / np.float32(255)
    assert pixel_error(prediction, np.ones((1, 4), bool), threshold=0.2).best.counts.tp == 4
    assert pixel_error(torch.from_numpy(prediction), torch.ones(1, 4) > 0, threshold=0.2).value == 0


def test_dice_and_iou():
    reference, prediction = np.array([[1, 1, 1, 0]]), np.array([[0, 1, 1, 1]])
    assert dice(prediction, reference).value == pytest.approx(4 / 6)
    assert iou(prediction, reference).value == pytest.approx(2 / 4)
    assert iou(prediction * np.float32(0.4), reference).value == 0
    assert np.isnan(dice(reference * 0, reference * 0).value)


def test_touching_labels_are_whole_for_dice_and_parted_for_the_pixel_error():
    labels, mask = np.array([[1, 1, 2, 2, 3, 3]]), np.ones((1, 6), np.uint8)
    assert dice(labels, mask).value == 1
    assert pixel_error(labels, mask).best.counts.fn == 2
    assert pixel_error(labels, labels).value == 0


@pytest.mark.parametrize(
    ("prediction", "reference", "message"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2), bool), "same pixels"),
        (np.full((2, 2), np.nan), np.zeros((2, 2), bool), "NaN"),
        (np.zeros(4), np.zeros(4, bool), "axes"),
    ],
)
def test_refuses(prediction, reference, message):
    with pytest.raises(InputError, match=message):
        pixel_error(prediction, reference)


@pytest.mark.parametrize("threshold", [None, (0.1, 0.5), 5, float("nan")])
@pytest.mark.parametrize("measure", [dice, iou])
def test_one_level_only(measure, threshold):
    with pytest.raises(InputError, match="threshold"):
        measure(np.full((4, 4), 0.7), np.ones((4, 4), bool), threshold=threshold)
