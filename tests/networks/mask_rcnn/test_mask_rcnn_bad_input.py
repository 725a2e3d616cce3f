"""What a Mask R-CNN refuses, and how it says so."""

import pytest
import torch
from small_mask_rcnn import instances, small

from medseg.networks.mask_rcnn import MaskRCNN
from medseg.networks.mask_rcnn.resize import ResizeShortSide


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spatial_dims": 4}, "spatial_dims"),
        ({"num_classes": 1}, "num_classes 1"),
        ({"mask_head": "relu"}, "relu"),
        ({"backbone": "resnet7"}, "resnet7"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaskRCNN(**{"spatial_dims": 2, "in_channels": 1, "num_classes": 2} | arguments)


def test_a_loss_that_is_not_finite_is_named():
    network = small().train()
    torch.nn.init.constant_(network.box_head.cls_score.bias, float("nan"))
    with pytest.raises(FloatingPointError, match="loss_classifier is nan"):
        network([torch.rand(1, 48, 48)], [instances(2, (3, 9))])


@pytest.mark.parametrize("preprocess", [None, ResizeShortSide(32, 64, mean=(0.5,), std=(0.5,))])
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(3, 32, 32), "image 0 has 3 channels, the network takes 1"),
        (torch.zeros(1, 32, 32, dtype=torch.uint8), r"image 0 is torch\.uint8"),
        (torch.zeros(1, 0, 32), "image 0 has shape"),
    ],
)
def test_refuses_images_before_they_are_resized(preprocess, image, message):
    with pytest.raises(ValueError, match=message):
        small(preprocess=preprocess).eval()([image])


@pytest.mark.parametrize("preprocess", [None, ResizeShortSide(32, 64)])
def test_refuses_targets_before_they_are_resized(preprocess):
    network, images = small(preprocess=preprocess).train(), torch.rand(2, 1, 48, 48)
    with pytest.raises(ValueError, match="2 images, targets: 1"):
        network(images, [instances(2, (3, 20))])
    with pytest.raises(ValueError, match="target 1: instances must be an integer image of shape"):
        network(images, [instances(2, (3, 20)), instances(2, (3, 20)) | {"instances": torch.zeros(40, 48).int()}])
