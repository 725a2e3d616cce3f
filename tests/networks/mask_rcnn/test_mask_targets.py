import numpy as np
import pytest
import torch

from medseg.networks.mask_rcnn.mask_targets import project_masks
from medseg.networks.mask_rcnn.targets import Objects


def objects(masks=None, instances=None):
    n = len(masks) if masks is not None else int(instances.max())
    return Objects(torch.zeros(n, 4), torch.ones(n), masks, instances, torch.arange(1, n + 1))


def test_torchvisions_projection(parts, yx, unpack_masks):
    masks = torch.from_numpy(unpack_masks(parts.arrays["project_gt_bits"], 64))
    boxes = yx(np.abs(parts.arrays["paste_boxes"]))
    index = torch.from_numpy(parts.arrays["project_idx"])
    projected = project_masks(objects(masks), index, boxes, 28, aligned=False)
    np.testing.assert_allclose(projected, parts.arrays["project_out"], atol=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_label_image_is_worth_its_masks(dims):
    torch.manual_seed(0)
    instances = torch.randint(0, 4, (16,) * dims, dtype=torch.int32)
    masks = torch.stack([instances == i for i in (1, 2, 3)])
    low = torch.rand(6, dims) * 10
    boxes, index = torch.cat([low, low + 5], 1), torch.tensor([0, 1, 2, 2, 1, 0])
    by_image = project_masks(objects(instances=instances), index, boxes, 4)
    assert torch.equal(by_image, project_masks(objects(masks), index, boxes, 4))
    assert 0 < by_image.mean() < 1


def test_a_pixel_in_its_own_box_fills_it():
    mask = torch.zeros(1, 5, 5, dtype=torch.bool)
    mask[0, 2, 3] = True
    box, first = torch.tensor([[2.0, 3, 3, 4]]), torch.zeros(1, dtype=torch.int64)
    filled = project_masks(objects(mask), first, box, 1)
    assert filled.item() == 1
    corner = mask.roll((2, 1), (1, 2))  # at the border: nothing beyond the image
    assert project_masks(objects(corner), first, torch.tensor([[4.0, 4, 5, 5]]), 1).item() == 1
