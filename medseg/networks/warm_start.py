"""Start a network from the weights of another one, as far as they fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from medseg.errors import InputError
from medseg.networks.encoders.checkpoint import adapt_input_channels, read_state


@dataclass
class WarmStart:
    """Which keys a warm start took.

    Attributes:
        taken: same name, same shape.
        adapted: the first convolution, fitted to another number of channels.
        misfits: same name, another shape: left random.
        missing: of the network, not in the file: left random.
        unused: of the file, not in the network.
    """

    taken: list[str] = field(default_factory=list)
    adapted: list[str] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{len(self.taken)} of {self._wanted} tensors taken"]
        for what in ("adapted", "misfits", "missing", "unused"):
            if keys := getattr(self, what):
                parts.append(f"{len(keys)} {what} ({_modules(keys)})")
        return "; ".join(parts)

    @property
    def _wanted(self) -> int:
        return sum(map(len, (self.taken, self.adapted, self.misfits, self.missing)))


def warm_start(network: nn.Module, path: str | Path) -> WarmStart:
    """Copy what fits by name and shape from a state dict on disk into the network, in place.

    Networks of medseg name their backbone ``encoder``, so a ``TransferUNet`` takes the encoder of a
    ``DeepLabV3Plus`` with the same backbone. The network's first convolution may have another number of input
    channels, see :func:`medseg.networks.adapt_input_channels`.

    Args:
        network: on any device.
        path: ``model.pt`` of a bundle or of a run.

    Returns:
        What was taken and what was not; ``str()`` of it is one line for a log.

    Raises:
        InputError: an unreadable file, or one of which no weight fits.
    """
    state, own, report = read_state(Path(path)), network.state_dict(), WarmStart()
    first = _first_convolution(network)
    with torch.no_grad():
        for key, target in own.items():
            source = state.get(key)
            if source is None:
                report.missing.append(key)
            elif source.shape == target.shape:
                target.copy_(source)
                report.taken.append(key)
            elif key == first and _without_channels(source) == _without_channels(target):
                target.copy_(adapt_input_channels(source, target.shape[1]))
                report.adapted.append(key)
            else:
                report.misfits.append(key)
    report.unused = [key for key in state if key not in own]
    if not any(own[key].is_floating_point() for key in report.taken + report.adapted):
        raise InputError(
            f"{path}: not one of its {len(state)} tensors fits this network ({type(network).__name__}): "
            "start from weights of the same architecture, or from scratch"
        )
    return report


def _first_convolution(network: nn.Module) -> str | None:
    return next((f"{name}.weight" for name, m in network.named_modules() if isinstance(m, _ConvNd)), None)


def _without_channels(weight: torch.Tensor) -> tuple[int, ...]:
    return (*weight.shape[:1], *weight.shape[2:])


def _modules(keys: list[str]) -> str:
    """The top-level modules that the keys belong to, in order."""
    return ", ".join(dict.fromkeys(key.split(".")[0] for key in keys))
