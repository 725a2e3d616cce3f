import pytest
import torch

from medseg.networks.mask_rcnn.backbone import EncoderFPN
from medseg.networks.mask_rcnn.frozen_norm import FrozenBatchNorm


@pytest.mark.parametrize("norm", ["frozen", "batch", ("group", {"num_groups": 8})])
@pytest.mark.parametrize("dims", [2, 3])
def test_pyramid(dims, norm):
    network = EncoderFPN(dims, 2, norm=norm, out_channels=16)
    levels = network(torch.zeros(2, 2, *[64] * dims))
    assert [tuple(level.shape) for level in levels] == [(2, 16, *[n] * dims) for n in (16, 8, 4, 2, 1)]
    kinds = {type(m).__name__ for m in network.body.modules() if "Norm" in type(m).__name__}
    expected = {"frozen": "FrozenBatchNorm", "batch": "BatchNorm"}.get(norm if isinstance(norm, str) else "")
    assert kinds == {expected or "GroupNorm"}


def test_frozen_is_batch_norm_in_evaluation():
    norm = torch.nn.BatchNorm3d(4, eps=0.1).eval()
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        tensor.copy_(torch.rand(4))
    frozen = FrozenBatchNorm(4, eps=0.1)
    frozen.load_state_dict(norm.state_dict())
    x = torch.randn(2, 4, 3, 3, 3)
    torch.testing.assert_close(frozen.train()(x), norm(x))
    assert list(frozen.parameters()) == []
    assert frozen(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("encoder", ["vgg16_bn", "mobilenet_v2", "resnet50"])
def test_any_encoder(encoder):
    network = EncoderFPN(2, 3, encoder, out_channels=8).eval()
    assert network.strides == (4, 8, 16, 32)
    sides = [level.shape[2] for level in network(torch.zeros(1, 3, 64, 64))]
    assert sides == [16, 8, 4, 2, 1]


@pytest.mark.parametrize("dims", [2, 3])
def test_finer_and_without_the_last_stage(dims):
    network = EncoderFPN(dims, 1, out_channels=8, finest_stride=2, coarsest_stride=16).eval()
    assert network.strides == (2, 4, 8, 16)
    assert [level.shape[2] for level in network(torch.zeros(1, 1, *[32] * dims))] == [16, 8, 4, 2, 1]
    assert not any(name.startswith("body.layer4") for name in network.state_dict())
    whole = EncoderFPN(dims, 1, out_channels=8)
    assert sum(p.numel() for p in network.parameters()) < sum(p.numel() for p in whole.parameters()) / 2


def test_refuses():
    with pytest.raises(ValueError, match="no encoder 'vgg'"):
        EncoderFPN(2, 1, "vgg")
    with pytest.raises(ValueError, match="from 1 to 32"):
        EncoderFPN(2, 1, finest_stride=1)
    with pytest.raises(ValueError, match="from 4 to 8"):
        EncoderFPN(2, 1, coarsest_stride=8)
    with pytest.raises(ValueError, match="mobilenet_v2"):
        EncoderFPN(2, 1, "mobilenet_v2", coarsest_stride=16)
