"""Random recolouring: one image as another stain, another camera or another microscope would show it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import TransformBackends, convert_to_dst_type, convert_to_tensor

from medseg.errors import InputError


class RandChannelMix(RandomizableTransform):
    """Mix the channels of an image at random, and turn dark into bright.

    One of three mixings is drawn: the channels in another order; gray of random weights, in all channels; gray in
    one channel alone, the others dark (fluorescence saved as a colour image). Then each channel is scaled by
    1 ± ``gain``, and with the probability ``invert`` the image is inverted, ``1 - x``.

    Args:
        prob: probability of mixing.
        invert: probability of inverting, whether mixed or not.
        gain: greatest change of a channel's brightness, in mixed images.

    Shapes: ``(C, *spatial)`` float of about 0–1, any number of channels; float32 of the same shape.

    Raises:
        InputError: a probability outside 0–1, a gain outside [0, 1).
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(self, prob: float = 0.5, invert: float = 0.1, gain: float = 0.2) -> None:
        if not (0 <= prob <= 1 and 0 <= invert <= 1 and 0 <= gain < 1):
            raise InputError(f"RandChannelMix: prob={prob}, invert={invert} (0 to 1), gain={gain} (0 up to 1).")
        RandomizableTransform.__init__(self, prob)
        self.invert, self.gain = invert, gain
        self.matrix: np.ndarray | None = None
        self.inverted = False

    def randomize(self, channels: int) -> tuple[np.ndarray | None, bool]:
        """Draw ``self.matrix``, ``(channels, channels)`` or None, and ``self.inverted``; return both."""
        super().randomize(None)
        inverted = bool(self.R.rand() < self.invert)
        matrix = None
        if self._do_transform:
            gains = 1 + self.gain * self.R.uniform(-1, 1, (channels, 1))
            matrix = gains * _MIXINGS[self.R.randint(len(_MIXINGS))](self.R, channels)
        self.matrix, self.inverted = matrix, inverted
        return matrix, inverted  # not to be read off the instance, which threads may share

    def __call__(self, img: NdarrayOrTensor, randomize: bool = True) -> torch.Tensor:
        """Mix one image; ``randomize=False`` repeats the last draw."""
        return _mixed(img, *(self.randomize(img.shape[0]) if randomize else (self.matrix, self.inverted)))


class RandChannelMixd(MapTransform, RandomizableTransform):
    """Dictionary form of :class:`RandChannelMix`: one and the same draw for all ``keys``."""

    backend = RandChannelMix.backend

    def __init__(
        self,
        keys: KeysCollection,
        prob: float = 0.5,
        invert: float = 0.1,
        gain: float = 0.2,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        self.mix = RandChannelMix(prob, invert, gain)

    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> Any:
        """Seed the draws."""
        super().set_random_state(seed, state)
        self.mix.set_random_state(seed, state)
        return self

    def __call__(self, data: Mapping[Hashable, NdarrayOrTensor]) -> dict[Hashable, NdarrayOrTensor]:
        """Return a copy of ``data`` with the keys mixed."""
        result, draw = dict(data), None
        for key in self.key_iterator(result):
            draw = draw or self.mix.randomize(result[key].shape[0])
            result[key] = _mixed(result[key], *draw)
        return result


def _mixed(img: NdarrayOrTensor, matrix: np.ndarray | None, inverted: bool) -> torch.Tensor:
    img = convert_to_tensor(img, track_meta=get_track_meta())
    out = convert_to_tensor(img, track_meta=False).float()
    if matrix is not None:
        out = torch.einsum("dc,c...->d...", torch.as_tensor(matrix, dtype=out.dtype, device=out.device), out)
    if inverted:
        out = 1 - out
    return convert_to_dst_type(out, dst=img, dtype=torch.float32)[0]


def _another_order(random: np.random.RandomState, channels: int) -> np.ndarray:
    return np.eye(channels)[random.permutation(channels)]


def _gray(random: np.random.RandomState, channels: int) -> np.ndarray:
    return np.tile(random.dirichlet(np.ones(channels)), (channels, 1))


def _one_colour(random: np.random.RandomState, channels: int) -> np.ndarray:
    only = np.zeros((channels, 1))
    only[random.randint(channels)] = 1
    return only * _gray(random, channels)


_MIXINGS = (_another_order, _gray, _one_colour)
