import pytest
import torch
from monai.apps.detection.utils.box_coder import BoxCoder

from medseg.networks.mask_rcnn.box_training import box_losses, sample_proposals
from medseg.networks.mask_rcnn.settings import DetectionSettings
from medseg.networks.mask_rcnn.targets import Objects

OBJECTS = Objects(
    torch.tensor([[0.0, 0, 10, 10], [20, 20, 21, 21]]), torch.tensor([2, 1]), None, None, torch.tensor([1, 2])
)


def test_objects_are_proposals_too_and_positives_come_first():
    proposals = torch.tensor([[50.0, 50, 60, 60], [1, 0, 10, 10], [0, 0, 4, 4]])
    samples = sample_proposals(proposals, OBJECTS, DetectionSettings(sampled=20, positive_fraction=0.5))
    assert samples.labels.tolist() == [2, 2, 1, 0, 0]
    assert samples.positives == 3
    assert samples.object_index[:3].tolist() == [0, 0, 1]
    assert samples.boxes[2].tolist() == [20, 20, 21, 21]


def test_losses_by_hand():
    coder = BoxCoder((10.0, 10, 5, 5))
    samples = sample_proposals(torch.tensor([[0.0, 0, 10, 8], [40, 40, 50, 50]]), OBJECTS, DetectionSettings())
    logits = torch.randn(4, 3)
    deltas = torch.zeros(4, 3, 4)
    wanted = coder.encode_single(OBJECTS.boxes[[0, 0, 1]], samples.boxes[:3])
    deltas[[0, 1, 2], samples.labels[:3]] = wanted
    losses = box_losses(logits, deltas.flatten(1), [samples], [OBJECTS], coder)
    assert losses["loss_box_reg"] == 0
    assert losses["loss_classifier"] == pytest.approx(
        -logits.log_softmax(1)[range(4), samples.labels.tolist()].mean().item()
    )
    other = box_losses(logits, deltas.roll(1, 1).flatten(1), [samples], [OBJECTS], coder)
    difference = wanted.abs()  # the own class's deltas are now zero; smooth L1 of beta 1/9
    by_hand = torch.where(difference < 1 / 9, 4.5 * difference**2, difference - 1 / 18).sum() / 4
    assert other["loss_box_reg"] == pytest.approx(by_hand.item())
