import numpy as np
import pytest
import torch
from monai.data.box_utils import box_iou as monai_iou

from medseg.networks.mask_rcnn.box_iou import box_iou, box_volume


@pytest.mark.parametrize("dims", [2, 3])
def test_equals_monai(dims):
    torch.manual_seed(dims)
    first, second = (torch.rand(n, dims) * 20 for n in (30, 40))
    first, second = (torch.cat([low, low + torch.rand_like(low) * 15], 1) for low in (first, second))
    given = first.clone(), second.clone()
    torch.testing.assert_close(box_iou(first, second), monai_iou(first, second))
    assert torch.equal(first, given[0])
    assert torch.equal(second, given[1])


def test_by_hand():
    boxes = torch.tensor([[0.0, 0, 2, 2], [1, 0, 3, 2], [2, 2, 3, 3], [5, 5, 5, 5]])
    assert np.allclose(box_iou(boxes, boxes), [[1, 1 / 3, 0, 0], [1 / 3, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    assert box_volume(torch.tensor([[0.0, 0, 0, 1, 2, 3]])).tolist() == [6]
