"""Checkpoints of the widespread PyTorch `NestedUNet` as weights of a U-Net++."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from medseg.errors import InputError

_LAYER = {"conv1": "0", "bn1": "1", "conv2": "3", "bn2": "4"}  # of a convolution block


def convert_nested_unet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of a ``NestedUNet``, renamed for :class:`medseg.networks.UNetPlusPlus`.

    It fits ``UNetPlusPlus(2, input_channels, num_classes, deep_supervision=..., norm="batch",
    upsample="bilinear")``, whose other options stay at their defaults.

    Args:
        state: with the keys ``conv{i}_{j}.{conv1,bn1,conv2,bn2}.*`` and ``final{1..4}.*``, or ``final.*`` of a
            network without deep supervision; a leading ``module.`` is dropped. Not modified.

    Raises:
        InputError: a key of another form.

    Source:
        github.com/4uiiurz1/pytorch-nested-unet
    """
    names = [key.removeprefix("module.") for key in state]
    blocks = [int(m[1]) for name in names if (m := re.match(r"conv(\d+)_0\.", name))]
    depth = max(blocks, default=0)
    return {_rename(name, depth): tensor for name, tensor in zip(names, state.values(), strict=True)}


def _rename(key: str, depth: int) -> str:
    if m := re.fullmatch(r"conv(\d+)_(\d+)\.(conv1|bn1|conv2|bn2)\.(\w+)", key):
        level, position, layer, leaf = m.groups()
        block = f"encoders.{level}" if position == "0" else f"nodes.{level}_{position}.block"
        return f"{block}.{_LAYER[layer]}.{leaf}"
    if m := re.fullmatch(r"final(\d*)\.(weight|bias)", key):
        return f"heads.{m[1] or depth}.{m[2]}"
    raise InputError(f"{key!r} is no key of a NestedUNet checkpoint (conv0_0.conv1.weight, final1.weight ...)")
