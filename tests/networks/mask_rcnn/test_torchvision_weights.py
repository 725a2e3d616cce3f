import re

import numpy as np
import pytest
import torch

from medseg.networks.mask_rcnn import EncoderFPN, MaskRCNN, paste_masks, torchvision_mask_rcnn
from medseg.networks.mask_rcnn.torchvision_weights import _rename

NETS = [
    ("maskrcnn_r18_c2", "maskrcnn_resnet18_fpn_c2", "resnet18", "frozen"),
    ("maskrcnn_r50_c91", "maskrcnn_resnet50_fpn", "resnet50", "batch"),
]


@pytest.fixture(scope="module", params=NETS, ids=[n[0] for n in NETS])
def loaded(request, stored_net, build_net):
    case, arch, backbone, norm = request.param
    stored = stored_net(case, arch)
    network = build_net(stored.meta, backbone, norm)
    assert network.load_torchvision(stored.state) == []
    return stored, network


def test_detections_and_masks_are_torchvisions(loaded, yx, unpack_masks):
    stored, network = loaded
    network.eval()
    with torch.inference_mode():
        results = network(stored.images)
    for i, (found, image) in enumerate(zip(results, stored.images, strict=True)):
        expected = yx(stored.arrays[f"img{i}_boxes"])
        assert found["boxes"].shape == expected.shape
        assert np.array_equal(found["labels"], stored.arrays[f"img{i}_labels"])
        assert (found["boxes"] - expected).abs().max() < 1e-2
        assert np.abs(found["scores"].numpy() - stored.arrays[f"img{i}_scores"]).max() < 1e-4
        pasted = paste_masks(found["box_masks"], found["boxes"], image.shape[1:], aligned=False).numpy()
        flips = (pasted > 0.5) != unpack_masks(stored.arrays[f"img{i}_mask_bits"], image.shape[-1])
        assert flips.sum(axis=(1, 2)).max() <= 2
        assert np.abs(pasted[:2] - stored.arrays[f"img{i}_mask_first2"]).max() < 1e-4


def test_losses_and_gradients_are_torchvisions(loaded):
    stored, network = loaded
    network.train()
    network.backbone.eval()  # nothing random: fixed statistics, and all anchors and proposals are sampled
    network.zero_grad()
    losses = network(stored.images, stored.targets)
    assert set(losses) == set(stored.meta["losses"])
    for name, expected in stored.meta["losses"].items():
        assert losses[name].item() == pytest.approx(expected, rel=1e-5)
    sum(losses.values()).backward()
    parameters = dict(network.named_parameters())
    norms = [parameters[_rename(key)].grad.norm().item() for key in stored.meta["grad_keys"]]
    # random weights amplify float32 rounding; in float64 the norms agree to 4e-7
    np.testing.assert_allclose(norms, stored.arrays["grad_norms"], rtol=3e-3)


def test_pyramid_is_torchvisions(loaded):
    stored, network = loaded
    network.eval()
    resized, _ = network.preprocess(stored.images)
    assert [list(image.shape[1:]) for image in resized] == stored.meta["resized"]
    batch = torch.zeros(stored.meta["batch_shape"])
    for row, image in zip(batch, resized, strict=True):
        row[:, : image.shape[1], : image.shape[2]] = image
    with torch.inference_mode():
        levels = network.backbone(batch)
    for level, name in zip(levels, ("0", "1", "2", "3", "pool"), strict=True):
        expected = stored.arrays[f"fpn_{name}_corner"]
        assert list(level.shape) == stored.meta["stats"][f"fpn_{name}"]["shape"]
        np.testing.assert_allclose(level[:, :4, :3, :3], expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_parameter_count(count_parameters):
    with torch.device("meta"):
        trainable, frozen = torchvision_mask_rcnn(norm="batch"), torchvision_mask_rcnn()
    assert (count_parameters(trainable), count_parameters(frozen)) == (44_454_513, 44_401_393)


@pytest.fixture(scope="module")
def r18(stored_net):
    return stored_net("maskrcnn_r18_c2", "maskrcnn_resnet18_fpn_c2").state


def old_format(state):
    """Names as in the published COCO file."""

    def rename(key):
        key = re.sub(r"(fpn\.\w+_blocks\.\d)\.0\.", r"\1.", key)
        key = key.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
        return re.sub(r"mask_head\.(\d)\.0\.", lambda m: f"mask_head.mask_fcn{int(m[1]) + 1}.", key)

    return {rename(k): v for k, v in state.items()}


def test_the_old_format_has_epsilon_zero(r18):
    old, new, saved = (torchvision_mask_rcnn("resnet18", 2) for _ in range(3))
    renamed = old_format(r18)
    assert set(renamed) != set(r18)
    tiny = "backbone.body.bn1.running_var"
    renamed[tiny] = torch.full_like(renamed[tiny], 1e-6)  # a tenth of the network's own epsilon
    old.load_torchvision(renamed)
    new.load_torchvision(r18 | {"backbone.body.bn1.num_batches_tracked": torch.tensor(0)})
    own = new.state_dict()
    assert all(torch.equal(own[k], v) for k, v in old.state_dict().items() if ".bn" not in k and ".downsample" not in k)
    x = torch.randn(1, 64, 5, 5, dtype=torch.float64)  # the results are thousands, of which float32 rounds each way
    old.double(), saved.double()
    bare = {k: renamed[f"backbone.body.bn1.{k}"].double() for k in ("running_mean", "running_var", "weight", "bias")}
    expected = torch.nn.functional.batch_norm(x, **bare, eps=0.0)
    torch.testing.assert_close(old.backbone.body.bn1(x), expected)
    saved.load_state_dict(old.state_dict())  # a state dict holds no epsilon
    torch.testing.assert_close(saved.backbone.body.bn1(x), expected)


def test_other_classes_anchors_and_channels(r18):
    network = MaskRCNN(2, 1, 4, EncoderFPN(2, 1, "resnet18", norm="frozen"), aspect_ratios=((1, 1),))
    before = {k: v.clone() for k, v in network.state_dict().items()}
    given = {k: v.clone() for k, v in r18.items()}
    fresh = network.load_torchvision(r18)
    heads = ("rpn.head.cls_logits", "rpn.head.bbox_pred", "box_head.cls_score", "box_head.bbox_pred")
    assert fresh == sorted(f"{n}.{leaf}" for n in (*heads, "mask_head.mask_fcn_logits") for leaf in ("bias", "weight"))
    assert all(torch.equal(network.state_dict()[k], before[k]) for k in fresh)
    assert all(torch.equal(r18[k], given[k]) for k in r18), "the checkpoint is not changed"
    # a grey image is worth the same as its three copies
    grey = torch.rand(1, 1, 32, 32)
    rgb = torch.nn.functional.conv2d(grey.repeat(1, 3, 1, 1), r18["backbone.body.conv1.weight"])
    torch.testing.assert_close(torch.nn.functional.conv2d(grey, network.backbone.body.conv1.weight), rgb)
    five = MaskRCNN(2, 5, 2, EncoderFPN(2, 5, "resnet18", norm="frozen"), mask_head=None)
    assert five.load_torchvision(r18) == []
    torch.testing.assert_close(five.backbone.body.conv1.weight[:, 3], 0.6 * r18["backbone.body.conv1.weight"][:, 0])


def test_what_cannot_be_loaded(r18):
    network = torchvision_mask_rcnn("resnet18", 2)
    with pytest.raises(ValueError, match="v2"):
        network.load_torchvision(r18 | {"rpn.head.conv.1.0.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="missing"):
        network.load_torchvision({k: v for k, v in r18.items() if "layer4" not in k})
    with pytest.raises(ValueError, match="unknown"):
        network.load_torchvision(r18 | {"classifier.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="has shape"):
        network.load_torchvision(r18 | {"rpn.head.conv.0.0.bias": torch.zeros(1)})
    with pytest.raises(ValueError, match="3D"):
        MaskRCNN(3, 1, 2).load_torchvision(r18)
