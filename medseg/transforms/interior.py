"""From a label image to what a foreground network learns."""

from __future__ import annotations

from functools import partial

import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.utils import convert_to_dst_type

from medseg.transforms.dictionary_form import DictionaryForm
from medseg.transforms.label_array import label_array
from medseg.transforms.touching import separate_touching


class InteriorFromLabelsd(DictionaryForm):
    """Object interior as 1, all else as 0; a ridge of background parts objects that touch.

    Args:
        keys: label images ``(1, *sections, *spatial)``, 0 = background; integers, or floating where every value is
            whole (MONAI's readers give float32).
        spatial_dims: axes of one section, see :func:`medseg.transforms.separate_touching`.

    The result is float32 of the same shape.

    Raises:
        InputError: not a label image of one channel; the message names the file where the labels came from one.
    """

    def __init__(self, keys: KeysCollection, spatial_dims: int = 2, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, partial(_interior, spatial_dims=spatial_dims), allow_missing_keys)


def _interior(img: NdarrayOrTensor, spatial_dims: int) -> torch.Tensor:
    labels = label_array(img, "InteriorFromLabelsd")[None]
    sections = labels.reshape(-1, *labels.shape[labels.ndim - spatial_dims :])
    interior = torch.stack([torch.from_numpy(separate_touching(s) > 0) for s in sections])
    return convert_to_dst_type(interior.reshape(labels.shape), img, dtype=torch.float32)[0]
