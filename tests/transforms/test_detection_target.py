import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.networks.mask_rcnn.targets import check_targets
from medseg.transforms import DetectionTarget, DetectionTargetd


def test_drawn_by_hand():
    labels = np.zeros((1, 5, 7), np.int32)
    labels[0, 0, 0] = 9  # one pixel, in the corner
    labels[0, 1:4, 2:7] = 4  # touches the border
    labels[0, 2, 3] = 0
    target = DetectionTarget()(labels)
    assert target["boxes"].tolist() == [[1, 2, 4, 7], [0, 0, 1, 1]]
    assert target["labels"].tolist() == [1, 1]
    assert (target["instances"] == 1).sum() == 14
    assert target["instances"][0, 0] == 2
    assert (target["boxes"].dtype, target["instances"].dtype) == (torch.float32, torch.int32)


@settings(max_examples=80)
@given(
    hnp.arrays(np.int64, hnp.array_shapes(min_dims=2, max_dims=3, max_side=6), elements=st.integers(0, 4)),
    st.sampled_from([1, 10**6, 2**45]),
    st.integers(1, 4),
)
def test_objects_are_numbered_as_their_boxes(labels, factor, min_size):
    target = DetectionTarget(min_size)(labels[None] * factor)
    ids = [k for k in np.unique(labels) if k and (labels == k).sum() >= min_size]
    assert len(target["boxes"]) == len(ids)
    for number, (k, box) in enumerate(zip(ids, target["boxes"].numpy(), strict=True), start=1):
        assert np.array_equal(target["instances"].numpy() == number, labels == k)
        where = np.argwhere(labels == k)
        assert np.array_equal(box, [*where.min(0), *(where.max(0) + 1)])
    assert target["instances"].max() == len(ids)
    check_targets([target], [labels.shape], 2, True, torch.zeros(()))


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 3, 4, 5)])
def test_no_object(shape):
    target = DetectionTarget()(torch.zeros(shape, dtype=torch.int32))
    assert target["boxes"].shape == (0, 2 * (len(shape) - 1))
    assert target["labels"].shape == (0,)
    assert target["instances"].sum() == 0


def test_more_objects_than_uint16_counts():
    labels = np.arange(1, 270 * 260 + 1, dtype=np.int32).reshape(1, 270, 260)
    target = DetectionTarget()(labels)
    assert len(target["boxes"]) == 270 * 260
    assert target["instances"].max() == 270 * 260


def test_dictionary_form_leaves_the_input():
    data = {"image": 1, "label": MetaTensor(torch.eye(4, dtype=torch.int32)[None])}
    result = DetectionTargetd("label")(data)
    assert set(result["label"]) == {"boxes", "labels", "instances"}
    assert all(type(value) is torch.Tensor for value in result["label"].values())
    assert isinstance(data["label"], MetaTensor)


def test_refuses_interpolated_labels():
    with pytest.raises(InputError, match=r"0\.5"):
        DetectionTarget()(torch.full((1, 3, 3), 0.5))


def test_a_dropped_object_of_a_huge_id_takes_no_memory():
    labels = np.zeros((1, 16, 16), np.int64)
    labels[0, :8, :8], labels[0, 12, 12] = 1, 10**12
    target = DetectionTarget(min_size=5)(labels)
    assert target["boxes"].tolist() == [[0, 0, 8, 8]]
    assert int(target["instances"].sum()) == 64


def test_a_mask_of_bools_is_one_object():
    mask = np.zeros((1, 5, 7), bool)
    mask[0, 1:4, 2:7] = True
    target = DetectionTarget()(mask)
    assert target["boxes"].tolist() == [[1, 2, 4, 7]]
    assert np.array_equal(target["instances"].numpy(), mask[0])
