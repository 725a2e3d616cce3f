import numpy as np
import pytest
import torch

from medseg.networks.mask_rcnn.paste import crop_masks, label_image, paste_masks


def test_torchvisions_pasting(parts, yx):
    masks = torch.from_numpy(parts.arrays["paste_masks"])[:, 0]
    pasted = paste_masks(masks, yx(parts.arrays["paste_boxes"]), (48, 64), aligned=False)
    np.testing.assert_allclose(pasted, parts.arrays["paste_out"][:, 0], atol=1e-5)


@pytest.mark.parametrize("bins", [1, 4, 28])
def test_a_full_mask_is_the_box_pixel_by_pixel(bins):
    boxes = torch.tensor([[2.0, 3, 3, 4], [0, 0, 9, 12], [4, 5, 8, 11], [-3, 10, 2, 20]])
    full = torch.ones(len(boxes), bins, bins)
    for box, mask in zip(boxes.long(), paste_masks(full, boxes, (9, 12)) > 0.5, strict=True):
        expected = torch.zeros(9, 12, dtype=torch.bool)
        expected[max(0, box[0]) : box[2], max(0, box[1]) : box[3]] = True
        assert torch.equal(mask, expected)


@pytest.mark.parametrize("dims", [2, 3])
def test_bins_as_large_as_pixels_are_copied(dims):
    mask = torch.rand(1, *(3, 4, 5)[:dims])
    low = torch.tensor([2.0, 1, 3][:dims])
    boxes = torch.cat([low, low + torch.tensor(mask.shape[1:])])[None]
    shape = (8, 7, 9)[:dims]
    pasted = paste_masks(mask, boxes, shape)[0]
    inside = tuple(slice(int(a), int(a) + n) for a, n in zip(low, mask.shape[1:], strict=True))
    torch.testing.assert_close(pasted[inside], mask[0])
    assert pasted.sum() == pytest.approx(mask.sum().item())


@pytest.mark.parametrize("aligned", [True, False])
def test_a_box_outside_has_no_pixel(aligned):
    ((_, crop),) = crop_masks(torch.ones(1, 4, 4), torch.tensor([[-20.0, 0, -10, 8]]), (9, 9), aligned)
    assert crop.numel() == 0
    assert paste_masks(torch.ones(1, 4, 4), torch.tensor([[50.0, 0, 60, 8]]), (9, 9), aligned).sum() == 0


def test_pixels_of_several_objects_go_to_the_best():
    found = {
        "boxes": torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6], [3, 3, 4, 4]]),
        "scores": torch.tensor([0.5, 0.9, 0.7]),
        "box_masks": torch.ones(3, 7, 7),
    }
    labels = label_image(found, (6, 6))
    assert labels.dtype == torch.int32
    expected = np.zeros((6, 6), int)
    expected[:4, :4] = 1
    expected[2:, 2:] = 2
    assert np.array_equal(labels, expected)
    with pytest.raises(ValueError, match="mask_head=None"):
        label_image({k: v for k, v in found.items() if k != "box_masks"}, (6, 6))


def test_equal_scores_go_to_the_first():
    found = {"boxes": torch.tensor([[0.0, 0, 2, 2]] * 2), "scores": torch.ones(2), "box_masks": torch.ones(2, 3, 3)}
    assert label_image(found, (2, 2)).unique().tolist() == [1]
    assert label_image(found, (2, 2), threshold=1.0).sum() == 0  # above, not at


def test_gradients_reach_the_masks():
    masks = torch.rand(2, 4, 4, requires_grad=True)
    paste_masks(masks, torch.tensor([[1.0, 1, 5, 5], [2.0, 0, 6, 4]]), (8, 8)).sum().backward()
    assert (masks.grad == 1).all()  # bins as large as pixels


@pytest.mark.parametrize("aligned", [True, False])
def test_outlines_are_the_same_under_autocast(aligned):
    masks, boxes = torch.rand(1, 7, 7), torch.tensor([[3.2, 4.7, 40.1, 33.9]])
    ((window, crop),) = crop_masks(masks, boxes, (50, 50), aligned)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ((again, half),) = crop_masks(masks, boxes, (50, 50), aligned)
    assert again == window
    assert torch.equal(half, crop)
