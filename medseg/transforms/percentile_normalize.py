"""Percentile normalisation: the low percentile becomes 0, the high one 1."""

from __future__ import annotations

from numbers import Real

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import Transform
from monai.utils import TransformBackends, convert_to_dst_type, convert_to_tensor

from medseg.errors import InputError
from medseg.io.source_file import describe_source
from medseg.transforms.dictionary_form import DictionaryForm


class PercentileNormalize(Transform):
    """Scale intensities linearly so that two percentiles become 0 and 1, section by section where wanted.

    MONAI's ``ScaleIntensityRangePercentiles`` takes its statistics over the whole array or per channel; a
    stack of sections whose brightness drifts needs them per section.

    Args:
        lower, upper: percentiles in [0, 100], ``lower < upper``, linear between order statistics.
        spatial_dims: number of trailing axes over which a percentile is taken, separately for every index of
            the axes before them. None: all axes but the first (each channel of a ``(C, *spatial)`` array by
            itself). 2 on a ``(1, Z, Y, X)`` stack: each section by itself.
        together: one pair of percentiles for all channels, which keeps colours; otherwise each channel has its own.
        clip: cut the result to [0, 1]. Off by default: bright structures keep their contrast.
        gamma: exponent of the result, which is cut to [0, 1] first: above 1 it becomes darker between the percentiles,
            below 1 lighter. 1 changes (and cuts) nothing.

    The result is float32 whatever the input type. Where both percentiles coincide (sparse fluorescence: more
    than 99 % background) minimum and maximum take their place; a constant section becomes zeros.

    Raises:
        InputError: percentiles out of order, an exponent that is not above 0, too few axes, an empty array, NaN or
            infinite pixels, which values beyond float32 become in MONAI's readers (with their number and, where MONAI's
            readers stored it, the file).
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self,
        lower: float = 1.0,
        upper: float = 99.0,
        spatial_dims: int | None = None,
        clip: bool = False,
        together: bool = False,
        gamma: float = 1.0,
    ) -> None:
        if not 0 <= lower < upper <= 100:
            raise InputError(
                f"PercentileNormalize: lower={lower}, upper={upper}; give 0 <= lower < upper <= 100, for "
                "example 1 and 99."
            )
        if spatial_dims is not None and spatial_dims < 1:
            raise InputError(f"PercentileNormalize: spatial_dims={spatial_dims}; give 1, 2, 3 or None.")
        if not (isinstance(gamma, Real) and 0 < gamma < np.inf):
            raise InputError(f"PercentileNormalize: gamma={gamma}; give a number above 0, for example 2 to darken.")
        self.lower, self.upper, self.spatial_dims, self.clip = lower, upper, spatial_dims, clip
        self.together, self.gamma = together, gamma

    def __call__(self, img: NdarrayOrTensor) -> torch.Tensor:
        """Normalise a real ``(C, *spatial)`` array or tensor; returns float32 of the same shape."""
        img = convert_to_tensor(img, track_meta=get_track_meta())
        source = describe_source(img)
        dims = img.ndim - 1 if self.spatial_dims is None else self.spatial_dims
        if dims < 1 or img.ndim < dims:
            raise InputError(
                f"PercentileNormalize: the image{source} has shape {tuple(img.shape)}; needed are a leading "
                f"channel axis and at least {max(dims, 1)} spatial axes: add the channel axis first."
            )
        plain = convert_to_tensor(img, track_meta=False)
        if self.together:  # the channels become one more axis of each section
            place = img.ndim - dims - 1
            out = _normalize(plain.movedim(0, place), self.lower, self.upper, dims + 1, source).movedim(place, 0)
        else:
            out = _normalize(plain, self.lower, self.upper, dims, source)
        if self.clip or self.gamma != 1:
            out = out.clamp_(0.0, 1.0)
        if self.gamma != 1:
            out = out.pow_(self.gamma)
        return convert_to_dst_type(out, dst=img, dtype=torch.float32)[0]


class PercentileNormalized(DictionaryForm):
    """Dictionary form of :class:`PercentileNormalize`: normalises each of ``keys``."""

    backend = PercentileNormalize.backend

    def __init__(
        self,
        keys: KeysCollection,
        lower: float = 1.0,
        upper: float = 99.0,
        spatial_dims: int | None = None,
        clip: bool = False,
        together: bool = False,
        gamma: float = 1.0,
        allow_missing_keys: bool = False,
    ) -> None:
        transform = PercentileNormalize(lower, upper, spatial_dims, clip, together, gamma)
        super().__init__(keys, transform, allow_missing_keys)


def _normalize(img: torch.Tensor, lower: float, upper: float, dims: int, source: str) -> torch.Tensor:
    if img.numel() == 0:
        raise InputError(f"PercentileNormalize: the image{source} is empty (shape {tuple(img.shape)}).")
    if img.is_complex():
        raise InputError(f"PercentileNormalize: the image{source} is complex; give its magnitude.")
    if img.is_floating_point() and not bool(torch.isfinite(img).all()):
        bad = int((~torch.isfinite(img)).sum())
        raise InputError(
            f"PercentileNormalize: {bad} of {img.numel()} pixels of the image{source} are NaN, infinite or, in "
            "the file, beyond 3.4e38 (the most that float32 holds, in which MONAI reads); replace them (for example by "
            "the median) or scale the image before normalising."
        )
    sections = img.reshape(-1, *img.shape[img.ndim - dims :])
    out = torch.empty(sections.shape, dtype=torch.float32, device=img.device)
    for k, section in enumerate(sections):
        low, high = _bounds(section, lower, upper)
        if high > low:
            # wide types are subtracted in float64: a large common offset does not eat the differences
            out[k] = (section.to(_working_dtype(section)) - low) / (high - low)
        else:
            out[k] = 0
    return out.reshape(img.shape)


def _bounds(section: torch.Tensor, lower: float, upper: float) -> tuple[float, float]:
    # numpy's partition is exact at any size; torch.quantile refuses more than 2**24 values
    values = section.detach().cpu()
    values = (values.float() if values.dtype in (torch.float16, torch.bfloat16, torch.bool) else values).numpy()
    low, high = (float(v) for v in np.percentile(values, (lower, upper)))
    if high > low:
        return low, high
    return float(values.min()), float(values.max())


def _working_dtype(section: torch.Tensor) -> torch.dtype:
    wide = section.dtype in (torch.float64, torch.int32, torch.int64, torch.uint32, torch.uint64)
    return torch.float64 if wide else torch.float32
