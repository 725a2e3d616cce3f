import numpy as np
import pytest
import torch

from medseg.errors import InputError
from medseg.transforms.label_array import label_array


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_whole_numbers_of_any_float_type_are_ids(dtype):
    labels = label_array(torch.tensor([[[0, 3], [7, 255]]], dtype=dtype), "X")
    assert (labels.dtype, labels.tolist()) == (np.int64, [[0, 3], [7, 255]])
    with pytest.raises(InputError, match=r"hold 1\.5"):
        label_array(torch.tensor([[[0, 1.5]]], dtype=dtype), "X")


def test_ids_that_bfloat16_cannot_tell_apart_are_refused():
    with pytest.raises(InputError, match=r"torch\.bfloat16 tells ids apart only below 256"):
        label_array(torch.tensor([[[0, 256]]], dtype=torch.bfloat16), "X")
