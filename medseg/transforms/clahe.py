"""Contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import Transform
from monai.utils import TransformBackends, convert_to_dst_type, convert_to_numpy, convert_to_tensor
from skimage.exposure import equalize_adapthist

from medseg.errors import InputError
from medseg.io.source_file import describe_source
from medseg.transforms.dictionary_form import DictionaryForm


class CLAHE(Transform):
    """Equalise the histogram tile by tile with limited contrast (scikit-image's ``equalize_adapthist``).

    Args:
        kernel_size: size of a tile in pixels, one or one per spatial axis. None: an eighth of the image.
        clip_limit: contrast limit, 0 (little) to 1 (most).
        nbins: grey levels of the histograms.
        spatial_dims: number of trailing axes that are equalised together, separately for every index of the
            axes before them. None: all axes but the first. 2 on a ``(1, Z, Y, X)`` stack: each section.

    The result is float32 in [0, 1]; a constant image becomes zeros.

    Raises:
        InputError: a clip limit outside [0, 1], too few axes, NaN or infinite pixels.

    Source: K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.
    """

    backend = [TransformBackends.NUMPY]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self,
        kernel_size: int | Sequence[int] | None = None,
        clip_limit: float = 0.01,
        nbins: int = 256,
        spatial_dims: int | None = None,
    ) -> None:
        if not 0 <= clip_limit <= 1:
            raise InputError(f"CLAHE: clip_limit={clip_limit}; give a number from 0 to 1, for example 0.01.")
        self.kernel_size, self.clip_limit, self.nbins = kernel_size, clip_limit, nbins
        self.spatial_dims = spatial_dims

    def __call__(self, img: NdarrayOrTensor) -> torch.Tensor:
        """Equalise a ``(C, *spatial)`` array or tensor of any real type."""
        source = describe_source(img)
        values = convert_to_numpy(img.float() if img.dtype == torch.bfloat16 else img)  # numpy has no bfloat16
        dims = values.ndim - 1 if self.spatial_dims is None else self.spatial_dims
        if not 1 <= dims < values.ndim:
            raise InputError(
                f"CLAHE: the image{source} has shape {values.shape}; needed are a leading channel axis and "
                f"{max(dims, 1)} spatial axes."
            )
        if not np.isfinite(values).all():
            raise InputError(f"CLAHE: the image{source} has NaN or infinite pixels; replace them first.")
        out = np.zeros(values.shape, np.float32)
        for index in np.ndindex(values.shape[: values.ndim - dims]):
            section = values[index].astype(np.float64)
            low, high = section.min(), section.max()
            if low < high:
                section = (section - low) / (high - low)  # scikit-image wants floats within [-1, 1]
                out[index] = equalize_adapthist(section, self.kernel_size, self.clip_limit, self.nbins)
        img = convert_to_tensor(img, track_meta=get_track_meta())
        return convert_to_dst_type(out, dst=img, dtype=torch.float32)[0]


class CLAHEd(DictionaryForm):
    """Dictionary form of :class:`CLAHE`."""

    backend = CLAHE.backend

    def __init__(
        self,
        keys: KeysCollection,
        kernel_size: int | Sequence[int] | None = None,
        clip_limit: float = 0.01,
        nbins: int = 256,
        spatial_dims: int | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, CLAHE(kernel_size, clip_limit, nbins, spatial_dims), allow_missing_keys)
