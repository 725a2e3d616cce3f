import pytest
import torch

from medseg.networks.mask_rcnn.anchors import anchor_shapes, grid_anchors
from medseg.networks.mask_rcnn.image_batch import ImageBatch
from medseg.networks.mask_rcnn.rpn import ProposalHead, RegionProposalNetwork
from medseg.networks.mask_rcnn.settings import ProposalSettings
from medseg.networks.mask_rcnn.targets import Objects


def objects(boxes):
    boxes = torch.as_tensor(boxes, dtype=torch.float32)
    return Objects(boxes, torch.ones(len(boxes), dtype=torch.int64), None, None, torch.arange(len(boxes)) + 1)


def test_under_autocast_logits_are_ranked_in_float32():
    torch.manual_seed(0)
    head = ProposalHead(2, 8, 3)
    torch.nn.init.normal_(head.cls_logits.weight)
    with torch.autocast("cpu", torch.bfloat16):
        (logits,), (deltas,) = head([torch.randn(1, 8, 32, 32)])
    assert logits.dtype == deltas.dtype == torch.float32
    assert len(logits.unique()) > 0.95 * logits.numel()  # in bfloat16 most anchors share their logit with another
    assert head.bfloat16()([torch.zeros(1, 8, 4, 4, dtype=torch.bfloat16)])[0][0].dtype == torch.bfloat16


@pytest.mark.parametrize("dims", [2, 3])
def test_one_confident_anchor_becomes_one_proposal(dims):
    shapes = anchor_shapes([8, 16], (((0.5, 1), (1, 1)) if dims == 2 else ((1, 1, 1), (0.5, 1, 1))))
    network = RegionProposalNetwork(dims, 4, shapes, ProposalSettings(per_level=3, per_image=4), (4, 8)).eval()
    for layer in (network.head.conv, network.head.cls_logits, network.head.bbox_pred):
        torch.nn.init.zeros_(layer.weight)
    network.head.cls_logits.bias.data = torch.tensor([-9.0, 9.0])
    side = (8, 6, 4)[:dims]
    features = [torch.zeros(1, 4, *side), torch.zeros(1, 4, *[n // 2 for n in side])]
    image = ImageBatch(torch.zeros(1, 1, *[4 * n for n in side]), [tuple(4 * n - 3 for n in side)])
    (proposals,), losses = network(features, image)
    assert losses == {}
    assert 0 < len(proposals) <= 4
    limit = torch.tensor(image.shapes[0] * 2)
    # with zero deltas each proposal is an anchor of the second shape, clipped to the image without its padding
    anchors = torch.cat(
        [
            grid_anchors(s[1:], f.shape[2:], (t,) * dims, torch.zeros(()))
            for s, f, t in zip(shapes, features, (4, 8), strict=True)
        ]
    )
    clipped = torch.minimum(anchors.clamp(min=0), limit)
    assert all((clipped == p).all(dim=1).any() for p in proposals)


def test_the_last_level_has_its_true_stride():
    shapes = anchor_shapes([8], ((1, 1),))
    features, image = [torch.zeros(1, 4, 6, 5)], ImageBatch(torch.zeros(1, 1, 352, 320), [(352, 320)])
    for strides, last in (((64,), 320), (None, 5 * (352 // 6))):
        network = RegionProposalNetwork(2, 4, shapes, strides=strides)
        (anchors,) = network._anchors(features, image)
        assert anchors[-1].tolist() == [last - 4, 252, last + 4, 260]


def test_training_makes_the_object_the_best_proposal():
    torch.manual_seed(0)
    network = RegionProposalNetwork(2, 4, anchor_shapes([16], ((1, 1),)), strides=(4,)).train()
    features, image = [torch.randn(1, 4, 16, 16)], ImageBatch(torch.zeros(1, 1, 64, 64), [(64, 64)])
    features[0][0, :, 7, 9] = 6
    target = [objects([[20, 28, 36, 44]])]
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(60):
        _, losses = network(features, image, target)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    (proposals,), _ = network.eval()(features, image)
    assert (proposals[0] - torch.tensor([20.0, 28, 36, 44])).abs().max() < 1


def test_no_object_trains_the_background():
    network = RegionProposalNetwork(2, 4, anchor_shapes([16], ((1, 1),)), strides=(4,)).train()
    _, losses = network(
        [torch.randn(1, 4, 8, 8)], ImageBatch(torch.zeros(1, 1, 32, 32), [(32, 32)]), [objects(torch.zeros(0, 4))]
    )
    assert losses["loss_objectness"] > 0
    assert losses["loss_rpn_box_reg"] == 0
    sum(losses.values()).backward()


def test_refuses():
    with pytest.raises(ValueError, match="as many on each"):
        RegionProposalNetwork(2, 4, [[(8, 8)], [(8, 8), (4, 4)]])
    with pytest.raises(ValueError, match="too small"):
        RegionProposalNetwork(2, 4, anchor_shapes([1], ((1, 1),)))
    network = RegionProposalNetwork(2, 4, anchor_shapes([8, 16], ((1, 1),)))
    with pytest.raises(ValueError, match="1 pyramid levels but anchors for 2"):
        network([torch.zeros(1, 4, 8, 8)], ImageBatch(torch.zeros(1, 1, 32, 32), [(32, 32)]))
