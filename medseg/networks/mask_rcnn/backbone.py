"""ResNet with a feature pyramid on top, 2D and 3D."""

from __future__ import annotations

from collections import OrderedDict

from monai.networks.blocks.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool
from monai.networks.layers.utils import get_norm_layer
from monai.networks.nets.resnet import ResNet
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from medseg.networks.mask_rcnn.frozen_norm import FrozenBatchNorm

_DEPTHS = {
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet34": ("basic", (3, 4, 6, 3)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "resnet101": ("bottleneck", (3, 4, 23, 3)),
}


class ResNetFPN(nn.Module):
    """A ResNet's features at strides 4, 8, 16, 32, made into a pyramid with one width and a level of stride 64.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        name: ``"resnet18"``, ``"resnet34"``, ``"resnet50"``, ``"resnet101"``.
        norm: ``"frozen"`` (fixed statistics, for fine-tuning), or MONAI's name of a normalisation: ``"batch"``,
            ``"instance"``, ``("group", {"num_groups": 8})``.
        out_channels: width of the pyramid.

    Attributes:
        strides: pixels per cell of each pooled level, finest first; the level of stride 64 serves proposals only.
        out_channels: as given.

    Keys: ``body`` as torchvision's ResNet (conv1, bn1, layer1-4), ``fpn`` as MONAI's FeaturePyramidNetwork.

    Source: Lin et al., Feature Pyramid Networks, CVPR 2017, arXiv 1612.03144.
    """

    strides = (4, 8, 16, 32)

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        name: str = "resnet18",
        norm: str | tuple = "batch",
        out_channels: int = 256,
    ) -> None:
        super().__init__()
        if name not in _DEPTHS:
            raise ValueError(f"backbone {name!r} is none of {', '.join(_DEPTHS)}")
        block, layers = _DEPTHS[name]
        resnet = ResNet(
            block,
            list(layers),
            [64, 128, 256, 512],
            spatial_dims=spatial_dims,
            n_input_channels=in_channels,
            conv1_t_stride=2,
            feed_forward=False,
            bias_downsample=False,
        )
        names = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")
        self.body = nn.ModuleDict({n: getattr(resnet, n) for n in names})
        # MONAI's ResNet takes a norm but hands it to the first layer only
        _replace_norms(self.body, norm, spatial_dims)
        widths = [w * (4 if block == "bottleneck" else 1) for w in (64, 128, 256, 512)]
        self.out_channels = out_channels
        self.fpn = FeaturePyramidNetwork(spatial_dims, widths, out_channels, LastLevelMaxPool(spatial_dims))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Pyramid of ``(B, C, *spatial)``: five tensors ``(B, out_channels, *)``, finest first."""
        body = self.body
        x = body["maxpool"](body["act"](body["bn1"](body["conv1"](x))))
        taps = OrderedDict()
        for layer in ("layer1", "layer2", "layer3", "layer4"):
            x = taps[layer] = body[layer](x)
        return list(self.fpn(taps).values())


def _replace_norms(module: nn.Module, norm: str | tuple, spatial_dims: int) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, _BatchNorm):
            channels = child.num_features
            replaced = FrozenBatchNorm(channels) if norm == "frozen" else get_norm_layer(norm, spatial_dims, channels)
            setattr(module, name, replaced) if not isinstance(module, nn.ModuleDict) else module.update(
                {name: replaced}
            )
        else:
            _replace_norms(child, norm, spatial_dims)
