import pytest
import torch

from medseg.networks.mask_rcnn.image_batch import batch_images, check_images


def test_images_lie_at_the_origin_of_zeros():
    images = [torch.rand(2, 5, 9), torch.rand(2, 8, 3)]
    assert check_images(images, 2, 2) == [(5, 9), (8, 3)]
    batch = batch_images(images, 8)
    assert batch.tensor.shape == (2, 2, 8, 16)
    assert batch.shapes == [(5, 9), (8, 3)]
    assert torch.equal(batch.tensor[0, :, :5, :9], images[0])
    assert batch.tensor.sum() == pytest.approx(sum(i.sum() for i in images))


def test_gradients_reach_the_images():
    images = [torch.rand(2, 5, 9, requires_grad=True), torch.rand(2, 8, 3, requires_grad=True)]
    batch_images(images, 8).tensor.sum().backward()
    assert all((image.grad == 1).all() for image in images)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "no images"),
        ([torch.zeros(5, 9)], r"image 0 has shape \(5, 9\)"),
        ([torch.zeros(2, 5, 9), torch.zeros(3, 5, 9)], "image 1 has 3 channels, the network takes 2"),
        ([torch.zeros(2, 5, 9).index_fill(2, torch.tensor(3), float("nan"))], "image 0 contains NaN"),
        ([torch.zeros(2, 5, 9).index_fill(2, torch.tensor(3), float("inf"))], "image 0 contains NaN or infinite"),
        ([torch.zeros(2, 0, 9)], "shape"),
        ([torch.zeros(2, 5, 9, dtype=torch.uint8)], "image 0 is torch.uint8"),
    ],
)
def test_refuses(images, message):
    with pytest.raises(ValueError, match=message):
        check_images(images, 2, 2)
