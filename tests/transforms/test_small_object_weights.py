"""Small objects weigh as much as larger ones."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medseg.errors import InputError
from medseg.transforms import BorderWeightMapd, SmallObjectWeightd, small_object_weights


def test_an_object_below_the_area_weighs_as_much_as_one_of_that_area():
    labels = np.zeros((20, 40), np.int32)
    labels[5:10, 5:9], labels[5:15, 25:35] = 3, 8  # 20 and 100 pixels
    weights = small_object_weights(labels, area=60)
    assert weights.dtype == np.float32
    assert weights[labels == 3].sum() == 60
    assert weights[labels == 8].sum() == 100


def test_the_surroundings_of_a_small_object_weigh_the_same_and_no_others():
    labels = np.zeros((9, 9), np.int32)
    labels[4, 4] = 1
    weights = small_object_weights(labels, area=5, reach=2)
    distance = np.hypot(*(np.indices(labels.shape) - 4))
    assert (weights == np.where(distance <= 2, 5, 1)).all()


def test_no_weight_is_above_the_most():
    labels = np.zeros((3, 3, 3), np.int32)
    labels[1, 1, 1] = 1
    assert small_object_weights(labels, area=1000, most=4).max() == 4


@given(arrays(np.int32, (7, 8), elements=st.integers(0, 5)), st.floats(1, 50), st.floats(1, 10), st.floats(1, 3))
def test_each_pixel_has_the_weight_of_the_nearest_object_within_reach(labels, area, most, reach):
    weights = small_object_weights(labels, area, most, reach)
    places = np.indices(labels.shape).reshape(2, -1).T
    for place in places:
        allowed = {1.0}
        if labels[tuple(place)]:
            near = [labels[tuple(place)]]
        else:
            objects = places[labels.reshape(-1) > 0]
            distance = np.hypot(*(objects - place).T)
            near = labels[tuple(objects[distance <= min(reach, distance.min(initial=np.inf)) + 1e-6].T)]
        if len(near):
            allowed = {np.float32(np.clip(area / (labels == i).sum(), 1, most)) for i in near}
        assert np.isclose(weights[tuple(place)], list(allowed)).any()


def test_border_weights_stay_where_they_are_larger():
    labels = torch.zeros(1, 12, 12, dtype=torch.int32)
    labels[0, 2:4, 2:4], labels[0, 2:4, 6:8] = 1, 2
    data = BorderWeightMapd("label", w0=50.0, class_balance=False)({"label": labels})
    raised = SmallObjectWeightd("label", area=12)(data)
    small = torch.from_numpy(small_object_weights(labels[0].numpy(), 12))[None]
    assert torch.equal(torch.as_tensor(raised["weight"]), torch.maximum(torch.as_tensor(data["weight"]), small))
    assert torch.as_tensor(raised["weight"])[0, 2, 2] == 3  # 12 / 4 pixels, where there is no border
    assert torch.as_tensor(data["weight"])[0, 2, 2] == 1  # the input is as it was


@pytest.mark.parametrize("area", [None, 0])
def test_without_an_area_nothing_is_raised(area):
    data = {"label": torch.ones(1, 3, 3, dtype=torch.int32)}
    assert SmallObjectWeightd("label", area=area)(data) == data


@pytest.mark.parametrize("wrong", [{"area": -1.0}, {"area": 9, "most": 0.5}, {"area": 9, "reach": 0}, {"area": np.nan}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=f"small_object_weights: {list(wrong)[-1]}="):
        small_object_weights(np.ones((3, 3), np.int32), **wrong)


def test_without_weights_the_small_ones_are_the_weights():
    labels = torch.zeros(1, 9, 9, dtype=torch.int32)
    labels[0, 4, 4] = 1
    weight = SmallObjectWeightd("label", area=5)({"label": labels})["weight"]
    assert torch.equal(torch.as_tensor(weight), torch.from_numpy(small_object_weights(labels[0].numpy(), 5))[None])


def test_weights_of_another_shape_are_refused():
    data = {"label": torch.ones(1, 3, 3, dtype=torch.int32), "weight": torch.ones(1, 4, 4)}
    with pytest.raises(InputError, match=r"'weight' has the shape \(1, 4, 4\), the labels \(1, 3, 3\)"):
        SmallObjectWeightd("label", area=12)(data)
