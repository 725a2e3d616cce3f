"""Fill an encoder with a classifier's checkpoint, such as torchvision's of ImageNet."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from medseg.errors import InputError
from medseg.networks.encoders.imagenet import download_imagenet

_SHOWN = 5


def load_encoder_weights(encoder: nn.Module, source: str | Path = "imagenet", cache_dir: Path | None = None) -> None:
    """Load torchvision-keyed weights into an encoder of :func:`make_encoder`, in place.

    The classifier's keys are left out; ``num_batches_tracked``, which older files lack, counts from 0; the first
    convolution is adapted to the encoder's number of channels (:func:`adapt_input_channels`). Everything else
    must fit exactly. ImageNet weights expect images in [0, 1], normalised with ``IMAGENET_MEAN`` and
    ``IMAGENET_STD`` (for one channel or channels that are not RGB: with means of them).

    Args:
        encoder: for example ``TransferUNet(...).encoder``.
        source: a checkpoint file, or ``"imagenet"`` to download torchvision's (its checksum is verified).
        cache_dir: where downloads are kept; None means the user's cache folder.

    Raises:
        InputError: a file that is missing, unreadable or of another network; a failed download.
    """
    path = download_imagenet(encoder.name, cache_dir) if source == "imagenet" else Path(source)
    state = {k: v for k, v in read_state(path).items() if not k.startswith(tuple(encoder.ignored_keys))}
    own = encoder.state_dict()
    stem = encoder.stem_key
    if stem in state and state[stem].shape[2:] == own[stem].shape[2:]:
        state[stem] = adapt_input_channels(state[stem], own[stem].shape[1])
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")]
    unknown = [k for k in state if k not in own]
    misfits = [f"{k} {tuple(v.shape)}, not {tuple(own[k].shape)}" for k, v in state.items()
               if k in own and v.shape != own[k].shape]  # fmt: skip
    for problem, keys in (("lacks", missing), ("also holds", unknown), ("has other shapes for", misfits)):
        if keys:
            raise InputError(
                f"{path}: no checkpoint of a {encoder.name} encoder of this kind: it {problem} {_few(keys)}; "
                "name the encoder that the file was made with"
            )
    encoder.load_state_dict(own | state)


def adapt_input_channels(weight: Tensor, channels: int) -> Tensor:
    """First convolution for another number of input channels.

    One channel: the sum over the old channels, which equals feeding the grey image to each of them. More: the
    old channels in turn, scaled by old / new so that the response to a constant image stays of the same size.

    Args:
        weight: ``(out, in, *kernel)``.
        channels: of the new image.

    Returns:
        ``(out, channels, *kernel)``; ``weight`` itself if nothing changes.
    """
    old = weight.shape[1]
    if channels == old:
        return weight
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    return weight[:, torch.arange(channels) % old] * (old / channels)


def read_state(path: Path) -> dict[str, Tensor]:
    """The plain state dict in a file, on the CPU.

    Raises:
        InputError: no such file, damaged, or holding other than weights, which could run code.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file of weights")
    path.open("rb").close()  # a file that may not be read is not damaged
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile and pickle raise many types
        raise InputError(f"{path}: damaged or no file of weights; give the model.pt of `medseg train`") from error
    if not isinstance(state, dict) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(
            f"{path}: holds no plain weights (a state dict); give the model.pt of `medseg train`, or save "
            "network.state_dict() by itself"
        )
    return state


def _few(keys: list[str]) -> str:
    more = len(keys) - _SHOWN
    return ", ".join(keys[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
