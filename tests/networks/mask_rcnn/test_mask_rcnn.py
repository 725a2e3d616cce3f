import sys

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from small_mask_rcnn import instances, small

from medseg.networks.mask_rcnn import (
    DetectionSettings,
    EncoderFPN,
    MaskRCNN,
    PoolingSettings,
    ProposalSettings,
    label_image,
)
from medseg.networks.mask_rcnn.paste import crop_masks


@pytest.mark.parametrize("mask_head", ["sigmoid", "softmax", None])
@pytest.mark.parametrize("dims", [2, 3])
def test_hard_targets_train_and_every_parameter_learns(dims, mask_head):
    torch.manual_seed(0)
    network = small(dims, mask_head).train()
    # a 1-pixel object, one at each border, one cropped to nothing; and an image without any object
    targets = [instances(dims, (20, 21), (0, 9), (40, 48), (30, 30)), instances(dims)]
    losses = network([torch.rand(1, *[48] * dims) for _ in targets], targets)
    names = {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"}
    assert set(losses) == names | ({"loss_mask"} if mask_head else set())
    assert all(value.isfinite() and value > 0 for value in losses.values())
    sum(losses.values()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_only_empty_images():
    network = small().train()
    losses = network(torch.rand(2, 1, 40, 40), [instances(2) | {"instances": torch.zeros(40, 40).long()}] * 2)
    assert losses["loss_mask"] == losses["loss_box_reg"] == losses["loss_rpn_box_reg"] == 0
    sum(losses.values()).backward()


@pytest.mark.parametrize("dims", [2, 3])
def test_any_image_size_and_no_detection(dims):
    network = small(dims).eval()
    with torch.inference_mode():
        found = network([torch.rand(1, *[n] * dims) for n in (1, 33, 50)])
        for side, one in zip((1, 33, 50), found, strict=True):
            assert one["box_masks"].shape == (len(one["boxes"]), *[8] * dims)
            assert one["boxes"].min() >= 0
            assert one["boxes"].max() <= side
            assert (one["scores"].diff() <= 0).all()
            assert label_image(one, [side] * dims).shape == (side,) * dims
        network.settings = DetectionSettings(score_threshold=1.0)
        (none,) = network(torch.rand(1, 1, *[20] * dims))
    assert none["boxes"].shape == (0, 2 * dims)
    assert none["box_masks"].shape == (0, *[8] * dims)
    assert label_image(none, [20] * dims).sum() == 0


def test_more_than_a_hundred_objects():
    network = small(num_classes=2).eval()
    network.settings = DetectionSettings(score_threshold=0.0, nms_threshold=1.0)
    network.rpn.settings = ProposalSettings(nms_threshold=1.0)
    with torch.inference_mode():
        (found,) = network(torch.rand(1, 1, 128, 128))
    assert len(found["boxes"]) > 1000


def test_boxes_in_parts_as_in_one(monkeypatch):
    torch.manual_seed(1)
    network, image = small().eval().double(), torch.rand(1, 1, 64, 64).double()
    with torch.inference_mode():
        (whole,) = network(image)
        monkeypatch.setattr(sys.modules["medseg.networks.mask_rcnn.mask_rcnn"], "_ROIS_AT_ONCE", 7)
        (parts,) = network(image)
    assert len(whole["boxes"]) > 7
    for key, value in whole.items():
        torch.testing.assert_close(parts[key], value)


def test_a_batch_is_worth_its_images():
    torch.manual_seed(1)
    network = small().eval().double()  # so exact that rounding cannot swap two detections of nearly one score
    images = [torch.rand(1, 64, 64).double(), torch.rand(1, 64, 64).double()]
    with torch.inference_mode():
        together = network(images)
        alone = [network([image])[0] for image in images]
    for one, other in zip(together, alone, strict=True):
        for key in ("boxes", "scores", "box_masks"):
            torch.testing.assert_close(one[key], other[key], rtol=1e-3, atol=1e-3)


def test_learns_to_outline_two_kinds_of_cells():
    """Discs of two sizes on one image: after a few steps they are found, told apart and outlined."""
    torch.manual_seed(0)
    grid = torch.stack(torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij"))
    labels, image = torch.zeros(64, 64, dtype=torch.int64), torch.zeros(1, 64, 64)
    for i, (y, x, radius) in enumerate([(14, 14, 10), (44, 18, 10), (16, 48, 5), (46, 48, 5)]):
        disc = (grid - torch.tensor([y, x])[:, None, None] - 0.0).pow(2).sum(0) < radius**2
        labels[disc], image[0][disc] = i + 1, 1.0
    where = [torch.nonzero(labels == i + 1) for i in range(4)]
    boxes = torch.stack([torch.cat([w.amin(0), w.amax(0) + 1]) for w in where])
    target = {"boxes": boxes, "labels": torch.tensor([1, 1, 2, 2]), "instances": labels}
    network = small()
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    # without a decay the last steps still jump, and what they end on depends on the rounding of the machine
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, total_iters=800)
    for _ in range(800):
        loss = sum(network([image], [target]).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
    with torch.inference_mode():
        (found,) = network.eval()([image])
    sure = found["scores"] > 0.5
    assert sorted(found["labels"][sure].tolist()) == [1, 1, 2, 2]
    for label, box, (window, crop) in zip(
        found["labels"][sure],
        found["boxes"][sure],
        crop_masks(found["box_masks"][sure], found["boxes"][sure], (64, 64)),
        strict=True,
    ):
        nearest = (boxes - box).abs().sum(1).argmin()
        assert target["labels"][nearest] == label
        mask = torch.zeros(64, 64, dtype=torch.bool)
        mask[window] = crop > 0.5
        truth = labels == nearest + 1
        assert (mask & truth).sum() / (mask | truth).sum() > 0.75


@pytest.mark.parametrize("mask_head", ["sigmoid", "softmax", None])
def test_the_ablations_are_a_line_of_a_bundles_config(mask_head):
    package = "medseg.networks.mask_rcnn"
    config = {
        "network": {
            "_target_": f"{package}.MaskRCNN",
            "spatial_dims": 2,
            "in_channels": 1,
            "num_classes": 2,
            "backbone": {"_target_": f"{package}.EncoderFPN", "spatial_dims": 2, "in_channels": 1, "out_channels": 8},
            "mask_head": mask_head,
            "pooling": {"_target_": f"{package}.PoolingSettings", "interpolation": "nearest", "hidden": 8},
        }
    }
    network = ConfigParser(config).get_parsed_content("network")
    assert (network.mask_head and network.mask_head.activation) == mask_head
    assert network.box_pooling.interpolation == "nearest"


def test_levels_finer_than_the_anchors_are_pooled_from():
    backbone = EncoderFPN(2, 1, out_channels=8, finest_stride=2, coarsest_stride=16)
    network = MaskRCNN(2, 1, 2, backbone, anchor_sizes=(8, 16, 32), pooling=PoolingSettings(hidden=8))
    assert network.rpn.strides == (8, 16, 32)
    assert network.box_pooling.strides == (2, 4, 8, 16)
    sum(network([torch.rand(1, 48, 48)], [instances(2, (3, 20))]).values()).backward()
    assert network.backbone.fpn.layer_blocks[0].weight.grad.abs().sum() > 0  # of stride 2
    (found,) = network.eval()(torch.rand(1, 1, 48, 48))
    assert found["boxes"].shape[1] == 4


def test_masks_begin_undecided():
    losses = small()([torch.rand(1, 48, 48)], [instances(2, (3, 20))])
    assert losses["loss_mask"].item() == pytest.approx(0.693, abs=0.01)


def test_metadata_of_images_and_targets_stays_outside():
    network, target = small(), instances(2, (3, 20))
    given = {k: MetaTensor(v) for k, v in target.items()}
    losses = network([MetaTensor(torch.rand(1, 48, 48))], [given])
    (found,) = network.eval()(MetaTensor(torch.rand(1, 1, 48, 48)))
    assert {type(v) for v in (*losses.values(), *found.values())} == {torch.Tensor}
    assert {type(v) for v in given.values()} == {MetaTensor}


def test_half_precision_trains_and_detects():
    network = small()
    with torch.autocast("cpu", torch.bfloat16):
        losses = network([torch.rand(1, 48, 48)], [instances(2, (3, 20))])
        (found,) = network.eval()(torch.rand(1, 1, 48, 48))
    sum(losses.values()).backward()
    assert all(v.dtype == torch.float32 for k, v in found.items() if k != "labels")


def test_nearest_pooling_is_another_network():
    torch.manual_seed(0)
    networks = [small(interpolation=kind).eval() for kind in ("linear", "nearest")]
    networks[1].load_state_dict(networks[0].state_dict())
    image = torch.rand(1, 1, 48, 48)
    with torch.inference_mode():
        linear, nearest = (network(image)[0]["scores"] for network in networks)
    assert linear.shape != nearest.shape or (linear != nearest).any()


def test_an_image_of_one_cell_trains_with_batch_norm():
    network = MaskRCNN(2, 1, 2, pooling=PoolingSettings(hidden=16)).train()
    losses = network([torch.rand(1, 20, 20)], [instances(2, (3, 9)) | {"instances": torch.eye(20).long()}])
    sum(losses.values()).backward()


def test_label_images_of_16_bits_train():
    target = instances(2, (3, 20))
    unsigned = target | {"instances": target["instances"].to(torch.uint16)}
    network, image = small().train(), [torch.rand(1, 48, 48)]
    losses = []
    for one in (target, unsigned):
        torch.manual_seed(0)
        losses.append(network(image, [one])["loss_mask"])
    assert losses[0] == losses[1]
