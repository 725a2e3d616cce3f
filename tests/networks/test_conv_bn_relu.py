import pytest
import torch
import torch.nn.functional as F

from medseg.networks.conv_bn_relu import ConvBNReLU, SeparableConv


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("rate", [1, 3])
def test_keeps_the_size_and_strides_by_ceiling(dims, rate):
    x = torch.rand(2, 4, *(9, 8, 7)[:dims])
    for conv in (ConvBNReLU(dims, 4, 6, rate=rate), SeparableConv(dims, 4, 6, rate=rate)):
        assert conv(x).shape == (2, 6, *x.shape[2:])
        assert conv(x).min() == 0
    halves = SeparableConv(dims, 4, 6, stride=2, rate=rate)(x)
    assert halves.shape[2:] == tuple(-(-n // 2) for n in x.shape[2:])


@pytest.mark.parametrize("relu_first", [False, True])
def test_separable_is_written_out(relu_first):
    conv = SeparableConv(2, 4, 6, rate=2, relu_first=relu_first, eps=1e-3).eval()
    x = torch.randn(2, 4, 9, 9)
    before = x.clone()
    y = F.relu(x) if relu_first else x
    y = F.conv2d(y, conv.depthwise.weight, padding=2, dilation=2, groups=4) / (1 + 1e-3) ** 0.5
    y = y if relu_first else F.relu(y)
    y = F.conv2d(y, conv.pointwise.weight) / (1 + 1e-3) ** 0.5
    y = y if relu_first else F.relu(y)
    torch.testing.assert_close(conv(x), y)
    assert torch.equal(x, before)
