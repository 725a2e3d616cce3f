"""Touching objects pulled apart by a ridge of background, as the U-Net paper trains them."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import Transform
from monai.utils import TransformBackends, convert_to_dst_type, convert_to_tensor

from medseg.errors import InputError
from medseg.kernels.check_labels import check_labels
from medseg.transforms.dictionary_form import DictionaryForm
from medseg.transforms.label_array import label_array


def separate_touching(labels: np.ndarray, *, connectivity: int | None = None) -> np.ndarray:
    """Turn every pixel that touches a different object into background.

    Both sides of a contact give way, so the ridge between two objects is two pixels wide and does not depend
    on the order of the ids. A 0/255 mask, which holds one object only, stays as it is.

    Args:
        labels: ``(*spatial)`` integer label image of any dimension, 0 = background. Not modified.
        connectivity: how many axes a step to a neighbour may change, 1 (faces: 4 in 2D, 6 in 3D) up to the
            number of axes (also over corners: 8, 26). None: the largest.

    Returns:
        A new array of the same shape and type.

    Raises:
        InputError: not a label image, or a connectivity outside 1 … number of axes.

    Source:
        O. Ronneberger, P. Fischer, T. Brox, "U-Net", MICCAI 2015, section 3: the separation border of
        touching cells, computed by morphological operations.

    Example:
        >>> separate_touching(np.array([[1, 1, 2, 2], [1, 1, 0, 2]]))
        array([[1, 0, 0, 2],
               [1, 0, 0, 2]])
    """
    check_labels(labels)
    connectivity = labels.ndim if connectivity is None else connectivity
    if not 1 <= connectivity <= labels.ndim:
        raise InputError(
            f"separate_touching: connectivity={connectivity}; give 1 to {labels.ndim} for these "
            f"{labels.ndim}-dimensional labels, or None."
        )
    touching = np.zeros(labels.shape, dtype=bool)
    for offset in _half_neighbourhood(labels.ndim, connectivity):
        here, there = _shifted_views(offset)
        a, b = labels[here], labels[there]
        contact = (a != b) & (a != 0) & (b != 0)
        touching[here] |= contact
        touching[there] |= contact
    separated = labels.copy()
    separated[touching] = 0
    return separated


class SeparateTouching(Transform):
    """Array form of :func:`separate_touching` for ``(1, *spatial)`` labels; the type of the labels stays.

    Labels may be integers, or floating where every value is whole (MONAI's readers give float32).
    """

    backend = [TransformBackends.NUMPY]  # noqa: RUF012 (MONAI's own convention)

    def __init__(self, connectivity: int | None = None) -> None:
        self.connectivity = connectivity

    def __call__(self, img: NdarrayOrTensor) -> torch.Tensor:
        """Return the labels with a background ridge between touching objects."""
        labels = separate_touching(label_array(img, "SeparateTouching"), connectivity=self.connectivity)
        img = convert_to_tensor(img, track_meta=get_track_meta())
        return convert_to_dst_type(labels[None], dst=img, dtype=img.dtype)[0]


class SeparateTouchingd(DictionaryForm):
    """Dictionary form of :class:`SeparateTouching`."""

    backend = SeparateTouching.backend

    def __init__(self, keys: KeysCollection, connectivity: int | None = None, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, SeparateTouching(connectivity), allow_missing_keys)


def _half_neighbourhood(ndim: int, connectivity: int) -> list[tuple[int, ...]]:
    # one of each pair (offset, -offset): those whose first step that is not zero goes forward
    zero = (0,) * ndim
    return [
        offset for offset in product((-1, 0, 1), repeat=ndim) if offset > zero and sum(map(abs, offset)) <= connectivity
    ]


def _shifted_views(offset: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    here = tuple(slice(max(0, -step), -step if step > 0 else None) for step in offset)
    there = tuple(slice(max(0, step), step if step < 0 else None) for step in offset)
    return here, there
