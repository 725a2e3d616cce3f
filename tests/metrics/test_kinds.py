"""Each kind has one dtype; what does not fit is refused by name."""

import numpy as np
import pytest
import torch

from medseg.errors import InputError
from medseg.metrics.kinds import as_kind, kind_of

BYTES = np.array([[0, 51, 255]], np.uint8)


def test_integer_probabilities_are_divided_in_float32():
    probability = as_kind(BYTES, "prediction", "probability")
    assert (probability.dtype, kind_of(probability)) == (np.float32, "probability")
    assert float(probability[0, 1]) == float(np.float32(51) / np.float32(255))
    sixteen = as_kind(np.array([[65535]], np.uint16), "prediction", "probability")
    assert sixteen[0, 0] == 1


def test_auto():
    assert kind_of(as_kind(BYTES / 255, "prediction")) == "probability"
    assert kind_of(as_kind(BYTES, "prediction")) == "labels"
    assert kind_of(as_kind(BYTES == 255, "reference")) == "binary"
    assert kind_of(as_kind(torch.ones(2, 2, dtype=torch.uint8) * 7, "reference")) == "binary"
    assert as_kind(np.array([[0.0, 3.0]]), "prediction", "labels").dtype == np.int64
    assert as_kind(np.array([[0.0, 1.0]]), "reference").dtype == bool
    assert not as_kind(np.zeros((3, 3), np.uint8), "reference").any()


@pytest.mark.parametrize(
    ("image", "kind", "message"),
    [
        (BYTES, "binary", "several"),
        (np.array([[0.5]]), "labels", "whole"),
        (np.array([[np.nan]]), "labels", "NaN"),
        (np.array([[np.nan]]), "probability", "never NaN"),
        (np.array([[2.0]]), "probability", "0 to 1"),
        (np.array([[-1, 3]]), "labels", "-1"),
        (np.array([[-1, 3]]), "probability", "-1"),
        (np.array([[0, -1]]), "binary", "several"),
        (BYTES, "mask", "not known"),
        (np.array([[0, np.nan]]), "binary", "several"),
        (np.zeros((0, 3)), "binary", "no pixels"),
        (np.array([["a"]]), None, "dtype"),
    ],
)
def test_refuses(image, kind, message):
    with pytest.raises(InputError, match=message):
        as_kind(image, "prediction", kind)


def test_inputs_stay_as_they_are():
    for kind in ("probability", "labels"):
        before = BYTES.copy()
        as_kind(before, "prediction", kind)
        np.testing.assert_array_equal(before, BYTES)
