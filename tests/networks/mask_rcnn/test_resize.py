import pytest
import torch

from medseg.networks.mask_rcnn.resize import ResizeByFactor, ResizeShortSide


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((192, 256), (256, 341)),
        ((192, 242), (256, 322)),
        ((240, 200), (307, 256)),
        ((100, 1000), (51, 512)),
        ((256, 256), (256, 256)),
    ],
)
def test_shapes_and_boxes(shape, expected):
    resize = ResizeShortSide(256, 512, mean=(0.5,), std=(2.0,))
    instances = torch.zeros(shape, dtype=torch.int32)
    instances[: shape[0] // 2] = 1
    target = {"boxes": torch.tensor([[0, 0, shape[0] // 2, shape[1]]]), "labels": torch.ones(1), "instances": instances}
    (image,), (resized,) = resize([torch.full((1, *shape), 4.5)], [target])
    assert tuple(image.shape[1:]) == expected
    torch.testing.assert_close(image, torch.full_like(image, 2.0))
    assert resized["instances"].shape == expected
    assert resized["instances"].float().mean() == pytest.approx(0.5, abs=0.02)
    assert resized["boxes"][0].tolist() == pytest.approx([0, 0, expected[0] / 2, expected[1]])
    torch.testing.assert_close(resize.restore(resized["boxes"], expected, shape), target["boxes"].float())
    assert target["boxes"].dtype == torch.int64, "the given target is not changed"


def test_masks_as_the_label_image():
    resize = ResizeShortSide(20, 100)
    instances = torch.randint(0, 3, (13, 17))
    target = {
        "boxes": torch.zeros(2, 4),
        "instances": instances,
        "masks": torch.stack([instances == 1, instances == 2]),
    }
    _, (resized,) = resize([torch.zeros(1, 13, 17)], [target])
    assert torch.equal(resized["masks"][1], resized["instances"] == 2)


def test_refuses_volumes():
    with pytest.raises(ValueError, match="only 2D"):
        ResizeShortSide()([torch.zeros(1, 4, 4, 4)])


def test_a_crop_and_the_whole_image_show_cells_of_one_size():
    resize = ResizeByFactor(2.0, mean=(1.0,), std=(0.5,))
    target = {"boxes": torch.tensor([[2.0, 3, 7, 8]]), "instances": torch.eye(9, dtype=torch.int32)}
    (crop, whole), (resized, _) = resize([torch.full((1, 9, 9), 2.0), torch.zeros(1, 50, 41)], [target, target])
    assert (crop.shape, whole.shape) == ((1, 18, 18), (1, 100, 82))
    torch.testing.assert_close(crop, torch.full_like(crop, 2.0))
    assert resized["boxes"].tolist() == [[4, 6, 14, 16]]
    assert resized["instances"].shape == (18, 18)
    assert torch.equal(resize.restore(resized["boxes"], (18, 18), (9, 9)), target["boxes"])
    with pytest.raises(ValueError, match="above 0"):
        ResizeByFactor(0)
