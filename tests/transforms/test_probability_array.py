import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import InstancesFromCore, InstancesFromProbability
from medseg.transforms.probability_array import probability_array


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.bfloat16, torch.float64])
def test_any_type(dtype):
    values = torch.tensor([[[0.0, 1.0, 1.0]]]).to(dtype)
    np.testing.assert_array_equal(probability_array(values, "X"), [[[0, 1, 1]]])


def test_rounding_may_overshoot():
    assert probability_array(np.array([-1e-6, 1 + 1e-6]), "X").max() > 1


@pytest.mark.parametrize(("value", "message"), [(-7.5, "from -7.5 to 1"), (255, "from 1 to 255"), (np.nan, "from nan")])
@pytest.mark.parametrize("transform", [InstancesFromProbability(), InstancesFromCore()])
def test_what_is_no_probability_is_named(transform, value, message):
    values = torch.ones(1 if isinstance(transform, InstancesFromProbability) else 2, 4, 5)
    assert transform(values.bfloat16()).max() == 1
    values[0, 1, 1] = value
    with pytest.raises(InputError, match=rf"{type(transform).__name__}: the probabilities of a\.tif run {message}"):
        transform(MetaTensor(values, meta={"filename_or_obj": "a.tif"}))
