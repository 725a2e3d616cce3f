"""A label image out of whatever a MONAI pipeline carries under the label key."""

from __future__ import annotations

import numpy as np
import torch
from monai.config import NdarrayOrTensor
from monai.utils import convert_to_numpy

from medseg.errors import InputError
from medseg.io.source_file import describe_source
from medseg.kernels.check_labels import check_labels


def label_array(img: NdarrayOrTensor, needed_by: str) -> np.ndarray:
    """Return the labels of a ``(1, *spatial)`` array or tensor as a ``(*spatial)`` integer array.

    MONAI's readers make float32 of everything, so floating labels are taken where every value is a whole
    number that the type holds exactly.

    Raises:
        InputError: more than one channel, fractions, NaN, negative ids, or floats too large to be exact; the
            message names ``needed_by`` and, where it is known, the file.
    """
    name = f"{needed_by}: the labels{describe_source(img)}"
    stored = img.dtype
    labels = convert_to_numpy(img.float() if stored == torch.bfloat16 else img)  # numpy has no bfloat16
    if labels.ndim < 2 or labels.shape[0] != 1:
        raise InputError(
            f"{name} have shape {labels.shape}; expected one channel, (1, *spatial): one id per object, not "
            "one channel per class."
        )
    if labels.dtype.kind == "f":
        exact = 2**8 if stored == torch.bfloat16 else 2 ** (np.finfo(labels.dtype).nmant + 1)
        labels = _whole(labels, name, stored, exact)
    check_labels(labels, name)
    return labels[0]


def _whole(labels: np.ndarray, name: str, stored: object, exact: int) -> np.ndarray:
    whole = labels == np.floor(labels)  # False for NaN
    if not whole.all():
        raise InputError(
            f"{name} hold {labels[~whole][0]}, which is no id; labels are whole numbers, so interpolate them "
            'by "nearest".'
        )
    if labels.size and np.abs(labels).max() >= exact:
        raise InputError(
            f"{name} hold {labels.max():.0f}, but {stored} tells ids apart only below {exact}; load "
            "them as integers, or relabel."
        )
    return labels.astype(np.int64)
