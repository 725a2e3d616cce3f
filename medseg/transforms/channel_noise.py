"""Random noise for images whose channels may be copies of one gray image."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import RandomizableTransform
from monai.utils import TransformBackends, convert_to_dst_type, convert_to_tensor

from medseg.errors import InputError
from medseg.transforms.dictionary_form import DictionaryForm


class RandChannelNoise(RandomizableTransform):
    """Add Gaussian noise that is in some images the same in all channels, in others another in each.

    MONAI's ``RandGaussianNoise`` draws every channel by itself. Where gray images are given as three equal channels a
    network learns to average that away, and fails at the noise of a camera, which the three channels share.

    Args:
        prob: probability of noise.
        std: greatest standard deviation; each image draws its own, from 0 on.
        alike: share of the noisy images whose channels get the same noise.

    Shapes: ``(C, *spatial)`` float; float32 of the same shape.

    Raises:
        InputError: a probability outside 0–1, a negative or infinite ``std``.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(self, prob: float = 0.3, std: float = 0.1, alike: float = 0.7) -> None:
        if not (0 <= prob <= 1 and 0 <= alike <= 1 and 0 <= std < np.inf):
            raise InputError(f"RandChannelNoise: prob={prob}, alike={alike} (0 to 1), std={std} (0 or more).")
        RandomizableTransform.__init__(self, prob)
        self.std, self.alike = std, alike

    def __call__(self, img: NdarrayOrTensor) -> torch.Tensor:
        """Add noise to one image."""
        img = convert_to_tensor(img, track_meta=get_track_meta())
        out = convert_to_tensor(img, track_meta=False).float()
        if self.R.rand() < self.prob:
            channels = 1 if self.R.rand() < self.alike else out.shape[0]
            noise = self.R.uniform(0, self.std) * self.R.standard_normal((channels, *out.shape[1:]))
            out = out + torch.as_tensor(noise, dtype=out.dtype, device=out.device)
        return convert_to_dst_type(out, dst=img, dtype=torch.float32)[0]


class RandChannelNoised(DictionaryForm, RandomizableTransform):
    """Dictionary form of :class:`RandChannelNoise`: each key draws its own noise."""

    backend = RandChannelNoise.backend

    def __init__(
        self,
        keys: KeysCollection,
        prob: float = 0.3,
        std: float = 0.1,
        alike: float = 0.7,
        allow_missing_keys: bool = False,
    ) -> None:
        DictionaryForm.__init__(self, keys, RandChannelNoise(prob, std, alike), allow_missing_keys)

    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> Any:
        """Seed the draws."""
        super().set_random_state(seed, state)
        self.transform.set_random_state(seed, state)
        return self
