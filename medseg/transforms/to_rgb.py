"""Three channels of any image: gray becomes three equal channels, RGB stays."""

from __future__ import annotations

import warnings

import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data import MetaTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import Transform
from monai.utils import TransformBackends, convert_to_tensor

from medseg.errors import InputError, InputWarning
from medseg.io.source_file import describe_source
from medseg.transforms.dictionary_form import DictionaryForm


class ToRGB(Transform):
    """Give a network of three input channels what it needs, whether the image is gray or in colour.

    One channel is repeated, three stay. Two channels, or four and more, are stains of their own that no rule can
    turn into a colour (:func:`medseg.io.read_image` drops the transparency of RGBA).

    Shapes: ``(1, *spatial)`` or ``(3, *spatial)`` to ``(3, *spatial)``, the type stays.

    Raises:
        InputError: another number of channels.

    Warns:
        InputWarning: three different channels that the file stores as planes, as stains are.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __call__(self, img: NdarrayOrTensor) -> torch.Tensor:
        """A copy of the image with three channels."""
        img = convert_to_tensor(img, track_meta=get_track_meta())
        channels = img.shape[0]
        if channels == 1:
            return img.repeat(3, *[1] * (img.ndim - 1))
        if channels == 3:
            if _are_planes(img) and not bool((img[:1] == img[1:]).all()):
                warnings.warn(
                    f"the three channels{describe_source(img)} were taken for red, green and blue; if they are stains, "
                    "choose the one to segment, --channel 0 for example",
                    InputWarning,
                    stacklevel=2,
                )
            return img.clone()
        raise InputError(
            f"the image{describe_source(img)} has {channels} channels, this bundle needs gray or RGB; choose the "
            "channel to segment, --channel 0 for example; if these are sections, save them as a stack, axes ZYX (of a "
            "plain TIFF say so, --axes ZYX)"
        )


def _are_planes(img: torch.Tensor) -> bool:
    """Whether the file stores channel after channel (``CYX``), not the colours of each pixel together (``YXC``)."""
    return isinstance(img, MetaTensor) and "C" in str(img.meta.get("stored_axes", ""))[:-1]


class ToRGBd(DictionaryForm):
    """Dictionary form of :class:`ToRGB`."""

    backend = ToRGB.backend

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, ToRGB(), allow_missing_keys)
