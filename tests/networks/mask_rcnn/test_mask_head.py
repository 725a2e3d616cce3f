import pytest
import torch

from medseg.networks.mask_rcnn.mask_head import MaskHead


@pytest.mark.parametrize("dims", [2, 3])
def test_shapes(dims):
    head = MaskHead(dims, 8, 3)
    assert head(torch.zeros(2, 8, *[5] * dims)).shape == (2, 3, *[10] * dims)
    assert head(torch.zeros(0, 8, *[5] * dims)).shape == (0, 3, *[10] * dims)


def test_sigmoid_masks_are_decoupled_from_the_other_classes():
    head = MaskHead(2, 8, 3)
    logits, labels = torch.randn(4, 3, 6, 6, requires_grad=True), torch.tensor([1, 2, 1, 2])
    head.loss(logits, labels, (torch.rand(4, 6, 6) > 0.5).float()).backward()
    touched = logits.grad.abs().sum(dim=(2, 3)) > 0
    assert touched.tolist() == [[False, True, False], [False, False, True]] * 2
    torch.testing.assert_close(head.probabilities(logits, labels)[1], logits[1, 2].sigmoid())


def test_softmax_masks_compete():
    head = MaskHead(2, 8, 3, "softmax")
    logits, labels = torch.randn(2, 3, 6, 6, requires_grad=True), torch.tensor([1, 2])
    masks = torch.zeros(2, 6, 6)
    masks[:, :3] = 1
    loss = head.loss(logits, labels, masks)
    loss.backward()
    assert (logits.grad.abs().sum(dim=(2, 3)) > 0).all()
    picked = logits.log_softmax(1)
    by_hand = torch.stack([picked[0, 1, :3], picked[1, 2, :3], picked[0, 0, 3:], picked[1, 0, 3:]])
    torch.testing.assert_close(loss, -by_hand.mean())
    torch.testing.assert_close(head.probabilities(logits, labels)[0], logits.softmax(1)[0, 1])


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_probabilities_of_half_precision_logits_are_float32(activation):
    logits, labels = torch.randn(3, 2, 6, 6).bfloat16(), torch.ones(3, dtype=torch.int64)
    head = MaskHead(2, 4, 2, activation)
    assert torch.equal(head.probabilities(logits, labels), head.probabilities(logits.float(), labels))


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_without_objects_the_loss_is_zero_and_trains(activation):
    head = MaskHead(2, 4, 2, activation)
    loss = head.loss(head(torch.zeros(0, 4, 5, 5)), torch.zeros(0, dtype=torch.int64), torch.zeros(0, 10, 10))
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is not None for p in head.parameters())


def test_refuses():
    with pytest.raises(ValueError, match="relu"):
        MaskHead(2, 4, 2, "relu")
