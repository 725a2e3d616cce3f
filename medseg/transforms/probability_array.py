"""Probabilities out of whatever a MONAI pipeline carries under the prediction's key."""

from __future__ import annotations

import numpy as np
import torch
from monai.config import NdarrayOrTensor
from monai.utils import convert_to_numpy

from medseg.errors import InputError
from medseg.io.source_file import describe_source

_ROUNDING = 1e-3  # by which interpolated probabilities may leave the range from 0 to 1


def probability_array(img: NdarrayOrTensor, needed_by: str) -> np.ndarray:
    """Return the probabilities of an array or tensor of any real type, bfloat16 too, as a numpy array.

    Raises:
        InputError: values outside 0 to 1 (logits), NaN; the message names ``needed_by`` and, where it is known, the
            file.
    """
    if isinstance(img, torch.Tensor) and img.dtype == torch.bfloat16:
        img = img.float()  # numpy has no such type
    values = convert_to_numpy(img)
    if values.size:
        low, high = values.min(), values.max()
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # also where they are NaN
            raise InputError(
                f"{needed_by}: the probabilities{describe_source(img)} run from {low:g} to {high:g}; give 0 to 1, "
                "after a sigmoid or softmax (MONAI's Activations). A network whose numbers overflow gives NaN."
            )
    return values
