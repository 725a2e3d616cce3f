"""U-Net++: nested dense skips, one head per depth, and pruning to the depth that a machine can afford."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from numbers import Integral

import torch
from monai.networks.layers.factories import Conv, Dropout, Pool
from monai.networks.layers.utils import get_norm_layer
from torch import Tensor, nn
from torch.nn import functional as F

from medseg.errors import InputError
from medseg.networks.image_axes import check_axes


class UNetPlusPlus(nn.Module):
    """The U-Net++ of Zhou et al. (DLMIA 2018, arXiv 1807.10165; IEEE TMI 2020, arXiv 1912.05074).

    Node X(i, j) of level i and position j convolves the concatenation of all X(i, 0 … j-1) with the upsampled
    X(i+1, j-1); X(i, 0) is the encoder, X(0, j) carries head j. ``UNetPlusPlus(2, 1, 1)`` is the paper's network:
    9,041,700 parameters with its four heads, 9,041,601 without deep supervision.

    In training mode the network returns the logits of all heads as a list, **deepest head first**, which is the
    order that :class:`monai.losses.DeepSupervisionLoss` gives falling weights to. In evaluation mode it returns
    one tensor: the deepest head (``mode="fast"``; :meth:`pruned` gives the shallower ones at their true cost),
    or the mean probability of all heads (``mode="accurate"``). Without deep supervision there is one head and
    both modes return its tensor.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: channels of the logits.
        channels: width of each level, finest first; ``depth = len(channels) - 1`` poolings.
        deep_supervision: one head for each depth 1 … ``depth``; else only the deepest.
        norm: MONAI's name of a normalisation after each 3-wide convolution (``"batch"``, ``"instance"``,
            ``("group", {"num_groups": 8})``), or None as in the paper.
        upsample: ``"transposed"``, a 2-wide transposed convolution to the width of the level as in the paper, or
            ``"bilinear"`` (trilinear in 3D, corners aligned), which has no parameters and keeps the width, but
            depends on the size of the input: tiles cannot equal the whole image.
        concat: order of the features that enter a node: ``"skips_first"`` as in the paper's formula, or
            ``"up_first"`` as in the authors' Keras code. Only loaded weights care.
        dropout: probability after each 3-wide convolution.
        mode: ``"fast"`` or ``"accurate"``, see above; may be set later as an attribute.
        activation: what turns logits into probabilities, ``"sigmoid"`` or ``"softmax"``; ``"accurate"`` needs it
            where there is more than one channel, because it averages probabilities (and returns them as logits).

    Attributes:
        spatial_dims, in_channels, out_channels, channels, deep_supervision: as given.
        depth: number of poolings.
        levels: the levels that have a head, shallowest first.
        margin: 0, the output is as large as the input.
        stride: ``2**depth``, of which sides must be multiples.

    Shapes: ``(B, in_channels, *n)`` to ``(B, out_channels, *n)``, float; in training mode a list of these. The mean
        of ``"accurate"`` is float32 also where the heads are in half precision.

    Raises:
        ValueError: fewer than two levels, an unknown option, and in ``forward`` a side that is not a multiple of
            ``stride``, or no batch axis.

    With ``norm="batch", upsample="bilinear"`` this is the widespread ``NestedUNet``; its checkpoints load through
    :func:`medseg.networks.convert_nested_unet`. Convolutions keep their bias also in front of a normalisation,
    as there.
    """

    __jit_unused_properties__ = ("mode",)  # its setter raises what TorchScript cannot

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        deep_supervision: bool = True,
        norm: str | tuple | None = None,
        upsample: str = "transposed",
        concat: str = "skips_first",
        dropout: float = 0.0,
        mode: str = "fast",
        activation: str | None = None,
    ) -> None:
        super().__init__()
        _check_option("spatial_dims", spatial_dims, (2, 3))
        _check_option("upsample", upsample, ("transposed", "bilinear"))
        _check_option("concat", concat, ("skips_first", "up_first"))
        _check_option("activation", activation, (None, "sigmoid", "softmax"))
        if len(channels) < 2:
            raise ValueError(f"channels {tuple(channels)}: a U-Net++ has at least two levels")
        self.spatial_dims, self.in_channels, self.out_channels = spatial_dims, in_channels, out_channels
        self.channels, self.deep_supervision = tuple(channels), deep_supervision
        self.activation = activation or ("sigmoid" if out_channels == 1 else "")  # "": not said
        self.mode = mode
        self.depth = len(channels) - 1
        self.margin, self.stride = 0, 2**self.depth
        self.levels = list(range(1, self.depth + 1)) if deep_supervision else [self.depth]

        self.pool = Pool[Pool.MAX, spatial_dims](2)
        self.encoders = nn.ModuleList(
            _ConvBlock(spatial_dims, inside, outside, norm, dropout)
            for inside, outside in zip((in_channels, *channels[:-1]), channels, strict=True)
        )
        # diagonal after diagonal: X(i, j) with i + j = level come when all shallower levels are complete
        self.nodes = nn.ModuleDict()
        for level in range(1, self.depth + 1):
            for j in range(1, level + 1):
                i = level - j
                up = _upsampler(spatial_dims, channels[i + 1], channels[i], upsample)
                raised = channels[i + 1] if upsample == "bilinear" else channels[i]
                block = _ConvBlock(spatial_dims, j * channels[i] + raised, channels[i], norm, dropout)
                self.nodes[f"{i}_{j}"] = _Node(i, j, up, block, concat == "up_first")
        self.heads = nn.ModuleDict(  # deepest first
            {str(level): Conv[Conv.CONV, spatial_dims](channels[0], out_channels, 1) for level in self.levels[::-1]}
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # the authors' he_normal
                nn.init.zeros_(module.bias)

    @property
    def mode(self) -> str:
        """What evaluation mode returns, ``"fast"`` or ``"accurate"``."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        _check_option("mode", mode, ("fast", "accurate"))
        if mode == "accurate" and not self.activation:
            raise ValueError(
                f"mode 'accurate' averages probabilities: say whether the {self.out_channels} channels "
                "are activation='sigmoid' (each by itself) or 'softmax' (classes)"
            )
        self._mode = mode

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Logits: all heads, deepest first, in training mode with deep supervision; else one tensor."""
        self._check_size(x)
        rows: list[list[Tensor]] = []
        for i, encode in enumerate(self.encoders):
            x = encode(x if i == 0 else self.pool(x))
            rows.append([x])
        for node in self.nodes.values():
            rows[node.level].append(node(rows[node.level], rows[node.level + 1][node.position - 1]))
        every_head = self.deep_supervision and (self.training or self._mode == "accurate")
        logits: list[Tensor] = []
        for level, head in self.heads.items():
            if every_head or int(level) == self.depth:
                logits.append(head(rows[0][int(level)]))
        if self.training and self.deep_supervision:
            return logits
        return _mean_probability(logits, self.activation) if len(logits) > 1 else logits[0]

    @torch.jit.unused
    def pruned(self, level: int) -> UNetPlusPlus:
        """A new network of the nodes that head ``level`` needs, X(i, j) with i + j ≤ level, and that head alone.

        In evaluation mode its output equals that head of this network bit for bit. Its state dict is a subset of
        this network's; the tensors are copies. It has no deep supervision; each part keeps its training mode.

        Args:
            level: 1 (one pooling) … ``depth`` (all nodes).

        Raises:
            InputError: a level outside 1 … ``depth``, or one whose head was never trained, because this network
                has no deep supervision.
        """
        if isinstance(level, bool) or not isinstance(level, Integral) or not 1 <= level <= self.depth:
            raise InputError(f"level {level!r}: this network can be pruned to a level from 1 to {self.depth}")
        level = int(level)
        if level not in self.levels:
            raise InputError(
                f"level {level}: the network was made without deep supervision, so only its head "
                f"{self.levels[0]} is trained; train it with deep_supervision=True to prune it"
            )
        small = copy.copy(self)
        small._modules = dict(self._modules)
        small.channels, small.depth, small.stride = self.channels[: level + 1], level, 2**level
        small.deep_supervision, small.levels = False, [level]
        small.encoders = nn.ModuleList(list(self.encoders)[: level + 1])
        small.nodes = nn.ModuleDict({k: node for k, node in self.nodes.items() if node.level + node.position <= level})
        small.heads = nn.ModuleDict({str(level): self.heads[str(level)]})
        for name in ("encoders", "nodes", "heads"):  # new lists; what they hold may be frozen in evaluation mode
            getattr(small, name).training = getattr(self, name).training
        return copy.deepcopy(small)

    @torch.jit.unused
    def valid_size(self, n: int) -> int:
        """The smallest input side of at least ``n`` pixels that pools without remainder at each level."""
        return max(1, -(-n // self.stride)) * self.stride

    def _check_size(self, x: Tensor) -> None:
        check_axes(x, self.spatial_dims)
        for n in x.shape[2:]:
            if n == 0 or n % self.stride != 0:
                raise ValueError(
                    f"a side of {n} pixels does not pool without remainder: it must be a multiple of "
                    f"{self.stride} pixels long (see valid_size)"
                )


class _Node(nn.Module):
    """X(level, position) from the features to its left and the one below them."""

    def __init__(self, level: int, position: int, up: nn.Module, block: nn.Module, up_first: bool) -> None:
        super().__init__()
        self.level, self.position, self.up_first = level, position, up_first
        self.up, self.block = up, block

    def forward(self, left: list[Tensor], below: Tensor) -> Tensor:
        raised = [self.up(below)]
        return self.block(torch.cat(raised + left if self.up_first else left + raised, dim=1))


class _ConvBlock(nn.Sequential):
    """Twice convolution, normalisation, ReLU, dropout."""

    def __init__(self, spatial_dims: int, inside: int, outside: int, norm: str | tuple | None, dropout: float) -> None:
        layers: list[nn.Module] = []
        for width in (inside, outside):
            layers.append(Conv[Conv.CONV, spatial_dims](width, outside, 3, padding=1))
            if norm is not None:
                layers.append(get_norm_layer(norm, spatial_dims, outside))
            layers.append(nn.ReLU(inplace=True))
            if dropout > 0:
                layers.append(Dropout[Dropout.DROPOUT, 1](dropout))
        super().__init__(*layers)


def _upsampler(spatial_dims: int, inside: int, outside: int, kind: str) -> nn.Module:
    if kind == "transposed":
        return Conv[Conv.CONVTRANS, spatial_dims](inside, outside, 2, stride=2)
    return nn.Upsample(scale_factor=2, mode="bilinear" if spatial_dims == 2 else "trilinear", align_corners=True)


def _mean_probability(logits: list[Tensor], activation: str) -> Tensor:
    """Logits of the mean probability, computed in the logarithm: no probability rounds to 0 or 1 on the way.

    Of heads in half precision the mean is computed in float32, and returned so.
    """
    heads = torch.stack(logits)
    if heads.dtype != torch.float64:
        heads = heads.float()
    if activation == "softmax":
        return torch.logsumexp(F.log_softmax(heads, dim=2), dim=0)
    return torch.logsumexp(F.logsigmoid(heads), dim=0) - torch.logsumexp(F.logsigmoid(-heads), dim=0)


def _check_option(name: str, value: object, options: tuple) -> None:
    if value not in options:
        raise ValueError(f"{name} is one of {options}, not {value!r}")
