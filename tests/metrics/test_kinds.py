"""Each kind has one dtype; what does not fit is refused by name."""

import numpy as np
import pytest
import torch
from skimage.measure import label

from medseg.errors import InputError
from medseg.metrics import InstanceAveragePrecisionMetric, average_precision
from medseg.metrics.kinds import as_kind, as_kinds, kind_of

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
        (np.array([[1, np.inf]]), "labels", "labels are whole numbers"),
        (np.array([[np.nan]]), "probability", "1 pixels are NaN"),
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


def volume(*ids):
    labels = np.zeros((6, 12, 12), np.int32)
    for number in ids:
        labels[:, 5 * number - 4 : 5 * number, 2:10] = number
    return labels


@pytest.mark.parametrize("found", [(), (1,), (2,)])
def test_integers_of_one_piece_or_none_are_labels_beside_labels(found):
    for pair in ((volume(*found), volume(1, 2)), (volume(1, 2), volume(*found))):
        sides = as_kinds(*pair)
        assert [kind_of(side) for side in sides] == ["labels", "labels"]
        assert all(np.array_equal(side, given) for side, given in zip(sides, pair, strict=True))  # ids as they are
    assert kind_of(as_kinds(volume(*found) > 0, volume(1, 2))[0]) == "binary"
    assert kind_of(as_kinds(volume(*found), volume(1, 2), "binary")[0]) == "binary"
    assert kind_of(as_kinds(np.minimum(volume(1, 2), 1), volume(1, 2))[0]) == "binary"  # two pieces: a mask
    assert kind_of(as_kinds(volume(*found), volume(1))[0]) == "binary"


@pytest.mark.parametrize("prediction", [BYTES > 60, BYTES // 255, BYTES / 255], ids=["bool", "bytes", "probability"])
def test_integers_of_one_piece_are_a_mask_beside_what_is_no_label_image(prediction):
    predicted, truth = as_kinds(prediction, BYTES // 255)
    assert kind_of(predicted) == ("probability" if prediction.dtype.kind == "f" else "binary")
    assert kind_of(truth) == "binary"


def test_cells_that_join_in_another_section_are_a_mask():
    joined = volume(1, 2) > 0
    joined[2] = True
    pieces = np.stack([label(section) + 2 * z * (section > 0) for z, section in enumerate(joined)])
    assert kind_of(as_kinds(np.uint8(255) * joined, pieces)[0]) == "binary"
    assert average_precision(np.uint8(255) * joined, pieces, iou_thresholds=(0.5,)).value == 1


def test_a_volume_in_which_little_was_found_is_compared_as_the_others():
    truth = np.stack([volume(1, 2)] * 3)[:, None]
    found = np.stack([volume(1, 2), volume(2), volume()])[:, None]
    metric = InstanceAveragePrecisionMetric((0.5,))
    metric(torch.from_numpy(found), torch.from_numpy(truth))
    assert float(metric.aggregate()) == 3 / 6
    assert metric.aggregate("none")[:, 0].tolist() == [1, 0.5, 0]


def test_whole_numbers_in_floats_are_told_how_to_be_labels():
    ids = np.array([[0, 3.0], [1, 2]], np.float32)
    for name in ("prediction", "reference"):
        with pytest.raises(InputError, match=rf'{name}_kind="labels", .*--{name}-kind labels'):
            as_kind(ids, name, "probability")
        with pytest.raises(InputError) as error:
            as_kind(ids + 0.5, name, "probability")
        assert "-kind labels" not in str(error.value)
    with pytest.raises(InputError, match="--prediction-kind labels"):
        as_kind(ids, "prediction")
