"""From a label image to whole objects and their cores, for a network whose channels are independent."""

from __future__ import annotations

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import Transform
from monai.utils import TransformBackends, convert_to_dst_type, convert_to_tensor

from medseg.transforms.core_classes import CORE, NO_LIMIT, core_classes
from medseg.transforms.dictionary_form import DictionaryForm
from medseg.transforms.label_array import label_array


class ForegroundAndCores(Transform):
    """Two masks of a label image: all objects as they are, touching or not, and the core of each.

    The core of an object are the pixels deeper than ``share`` of its largest depth. That has no scale, so it is
    the same for objects of 8 and of 100 pixels, and stays what it is when the image is zoomed afterwards. Where
    objects touch, the foreground goes on and the cores do not: sigmoid outputs learn both at once
    (:class:`medseg.losses.BCEDiceLoss`). For exclusive classes see :func:`medseg.transforms.core_classes`.

    Args:
        share: of the largest depth, between 0 and 1.

    Shapes: ``(1, *spatial)`` integer labels, 0 = background, to ``(2, *spatial)`` float32 of 0 and 1.

    Raises:
        InputError: not a label image, ``share`` not between 0 and 1.
    """

    backend = [TransformBackends.NUMPY]  # noqa: RUF012 (MONAI's own convention)

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def __call__(self, img: NdarrayOrTensor) -> torch.Tensor:
        """Channel 0 is 1 in every object, channel 1 in every core."""
        labels = label_array(img, "ForegroundAndCores")
        cores = core_classes(labels, depth=NO_LIMIT, share=self.share) == CORE
        img = convert_to_tensor(img, track_meta=get_track_meta())
        return convert_to_dst_type(np.stack([labels > 0, cores]), dst=img, dtype=torch.float32)[0]


class ForegroundAndCoresd(DictionaryForm):
    """Dictionary form of :class:`ForegroundAndCores`."""

    backend = ForegroundAndCores.backend

    def __init__(self, keys: KeysCollection, share: float = 0.5, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, ForegroundAndCores(share), allow_missing_keys)
