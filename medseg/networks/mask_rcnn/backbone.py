"""An encoder with a feature pyramid on top, 2D and 3D."""

from __future__ import annotations

from collections import OrderedDict

from monai.networks.blocks.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool
from monai.networks.layers.utils import get_norm_layer
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from medseg.networks.encoders import make_encoder
from medseg.networks.encoders.resnet import ResNetEncoder
from medseg.networks.mask_rcnn.frozen_norm import FrozenBatchNorm


class EncoderFPN(nn.Module):
    """An encoder's features from some stride on, made into a pyramid of one width, and one coarser level.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        encoder: a name of :func:`medseg.networks.make_encoder`, such as ``"resnet18"``.
        norm: of the encoder: ``"batch"``; ``"frozen"``, batch normalisation with fixed statistics for
            fine-tuning; or another that MONAI names: ``"instance"``, ``("group", {"num_groups": 8})``.
        out_channels: width of the pyramid.
        finest_stride: of the first level; 2 resolves the outlines of objects of ten pixels.
        coarsest_stride: 32, or 16 to leave out a ResNet's last stage, for objects of up to 150 pixels.

    Raises:
        ValueError: an unknown encoder, strides that it has not.

    Attributes:
        strides: pixels per cell of each pooled level, finest first; the last, coarser one serves proposals only.
        out_channels: as given.

    Keys: ``body`` as the encoder's, that is torchvision's; ``fpn`` as MONAI's FeaturePyramidNetwork.

    Source: Lin et al., Feature Pyramid Networks, CVPR 2017, arXiv 1612.03144.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        encoder: str = "resnet18",
        norm: str | tuple = "batch",
        out_channels: int = 256,
        finest_stride: int = 4,
        coarsest_stride: int = 32,
    ) -> None:
        super().__init__()
        self.body = make_encoder(encoder, spatial_dims, in_channels)
        if coarsest_stride == 16 and isinstance(self.body, ResNetEncoder):
            self.body.drop_last_stage()
        if finest_stride not in self.body.strides or coarsest_stride != self.body.strides[-1]:
            raise ValueError(
                f"{encoder} has the strides {self.body.strides}: no pyramid from {finest_stride} to {coarsest_stride}"
            )
        if norm != "batch":
            _replace_batch_norm(self.body, norm, spatial_dims)
        self.levels = [i for i, stride in enumerate(self.body.strides) if stride >= finest_stride]
        self.strides = tuple(self.body.strides[i] for i in self.levels)
        self.out_channels = out_channels
        widths = [self.body.channels[i] for i in self.levels]
        self.fpn = FeaturePyramidNetwork(spatial_dims, widths, out_channels, LastLevelMaxPool(spatial_dims))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Pyramid of ``(B, C, *spatial)``: tensors ``(B, out_channels, *)``, finest first, one more than strides."""
        features = self.body(x)
        return list(self.fpn(OrderedDict((str(i), features[i]) for i in self.levels)).values())


def _replace_batch_norm(module: nn.Module, norm: str | tuple, spatial_dims: int) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, _BatchNorm):
            width = child.num_features
            setattr(
                module, name, FrozenBatchNorm(width) if norm == "frozen" else get_norm_layer(norm, spatial_dims, width)
            )
        else:
            _replace_batch_norm(child, norm, spatial_dims)
