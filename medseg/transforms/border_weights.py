"""Pixel weights that make a network learn the borders between touching objects (U-Net, equation 2)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import log, sqrt

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data import MetaTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends, convert_to_dst_type, convert_to_tensor, ensure_tuple_rep
from skimage.measure import label as connected_components

from medseg.errors import InputError
from medseg.kernels.check_labels import check_labels
from medseg.kernels.two_nearest import two_nearest
from medseg.transforms.border_weight_options import ClassBalance, checked_options
from medseg.transforms.core_classes import CORE, NO_LIMIT, core_classes
from medseg.transforms.label_array import label_array
from medseg.transforms.touching import separate_touching as separated

_NEGLIGIBLE = 1e-6  # a weight below this is not worth looking for


def border_weight_map(
    labels: np.ndarray,
    w0: float = 10.0,
    sigma: float = 5.0,
    *,
    class_balance: ClassBalance = True,
    separate_touching: bool = True,
    objects: str = "ids",
    spacing: Sequence[float] | None = None,
    cutoff: float | None = None,
    preset: str | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Weight of each pixel in the loss: ``w = w_c + w0 · exp(−(d1 + d2)² / (2 σ²))``.

    d1 and d2 are the Euclidean distances to the nearest and the second-nearest object; the border term is 0
    inside objects.

    Args:
        labels: ``(*spatial)`` integer label image, 0 = background, 2D or 3D. Not modified.
        w0: weight of the border term where two objects meet.
        sigma: reach of the border term, in pixels, or in the unit of ``spacing``.
        class_balance: the class term w_c. True: ``0.5 / share`` of object and background pixels in this image
            (1 where there is one class only). A number: the same from this share of object pixels, for
            instance that of the whole training set. ``(r, sigma1)``: 1 on objects and
            ``r + (1 − r) exp(−d1² / (2 sigma1²))`` on background, as the LMB plugin has it. False: 1.
        separate_touching: first turn pixels that touch another object into background
            (:func:`medseg.transforms.separate_touching`); train on labels treated likewise. Cores stay as they are.
        objects: "ids": one object per id. "components": one per connected component (faces) of one id, for
            masks of 0 and 255, and for crops that cut objects apart. "cores": the core of each id as
            :class:`medseg.transforms.ForegroundAndCores` has it, so that the border term also lies on the rims, for
            networks that tell objects apart by their cores.
        spacing: pixel size along each axis; sigma and cutoff are then in its unit. None: pixels.
        cutoff: ignore objects farther than this. None: as far as a weight of 1e-6 reaches, which is exact.
        preset: "paper" or "lmb", in place of ``w0``, ``sigma`` and ``class_balance``; in pixels, so no ``spacing``.
        threads: number of threads, None for all of ``NUMBA_NUM_THREADS``.

    Returns:
        float32 array of the shape of ``labels``. Without a second object the border term is 0 everywhere.

    Raises:
        InputError: not a label image, sigma ≤ 0, negative w0, a class balance, spacing or cut-off out of
            range, an unknown preset, or a preset beside other values or a spacing.

    Source: O. Ronneberger, P. Fischer, T. Brox, "U-Net", MICCAI 2015, equation 2; for "lmb" see
    ``PRESETS`` of :mod:`medseg.transforms.border_weight_options`.
    """
    options = checked_options(w0, sigma, class_balance, objects, preset, in_pixels=spacing is None)
    w0, sigma, class_balance = options["w0"], options["sigma"], options["class_balance"]
    check_labels(labels)
    if objects == "components":
        labels = connected_components(labels, connectivity=1)
    if objects == "cores":
        labels = np.where(core_classes(labels, depth=NO_LIMIT) == CORE, labels, 0)
    elif separate_touching:
        labels = separated(labels)
    reach = _reach(w0, sigma)
    if isinstance(class_balance, tuple):
        reach = max(reach, _reach(1.0, class_balance[1]))
    near = two_nearest(labels, spacing, reach if cutoff is None else cutoff, inside=False, threads=threads)
    foreground = labels != 0
    weights = _class_term(foreground, near.d1, class_balance)
    # inside objects d2 is infinite, and the border term vanishes by itself
    both = np.add(near.d1, near.d2, out=near.d2)
    weights += w0 * np.exp(np.square(both, out=both) * np.float32(-0.5 / sigma**2))
    return weights


class BorderWeightMap(Transform):
    """Turn a label image into its border weight map; see :func:`border_weight_map` for the parameters.

    Args:
        units: "pixel", or "physical": sigma and cutoff are in the unit of the pixel size.
        spacing: pixel size along each spatial axis for "physical". None: from the MetaTensor's affine.
        w0, sigma, class_balance, separate_touching, objects, cutoff, preset: see :func:`border_weight_map`.

    Labels may be integers, or floating where every value is whole (MONAI's readers give float32).

    Raises:
        InputError: as :func:`border_weight_map`, naming the file where the labels came from one.
    """

    backend = [TransformBackends.NUMPY]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self,
        w0: float = 10.0,
        sigma: float = 5.0,
        class_balance: ClassBalance = True,
        separate_touching: bool = True,
        objects: str = "ids",
        cutoff: float | None = None,
        units: str = "pixel",
        spacing: Sequence[float] | None = None,
        preset: str | None = None,
    ) -> None:
        if units not in ("pixel", "physical"):
            raise InputError(f'BorderWeightMap: units={units!r}; give "pixel" or "physical".')
        if units == "pixel" and spacing is not None:
            raise InputError(f'BorderWeightMap: spacing={spacing} counts with units="physical" only; say so too.')
        checked_options(w0, sigma, class_balance, objects, preset, in_pixels=units == "pixel")
        self.units, self.spacing = units, spacing
        self.options = {
            "w0": w0,
            "sigma": sigma,
            "class_balance": class_balance,
            "separate_touching": separate_touching,
            "objects": objects,
            "cutoff": cutoff,
            "preset": preset,
        }

    def __call__(self, img: NdarrayOrTensor) -> torch.Tensor:
        """Return the float32 ``(1, *spatial)`` weights of ``(1, *spatial)`` labels."""
        spacing = None if self.units == "pixel" else self._spacing(img)
        weights = border_weight_map(label_array(img, "BorderWeightMap"), spacing=spacing, **self.options)
        img = convert_to_tensor(img, track_meta=get_track_meta())
        return convert_to_dst_type(torch.from_numpy(weights[None]), dst=img, dtype=torch.float32)[0]

    def _spacing(self, img: NdarrayOrTensor) -> Sequence[float]:
        if self.spacing is not None:
            return self.spacing
        if not isinstance(img, MetaTensor):
            raise InputError(
                'BorderWeightMap: units="physical" need the pixel size, but the labels carry no affine; load '
                "them with LoadImage, or give spacing=(…) with one value per spatial axis."
            )
        return [float(v) for v in img.pixdim[: img.ndim - 1]]


class BorderWeightMapd(MapTransform):
    """Dictionary form of :class:`BorderWeightMap`: adds the weights under a new key, "weight" by default.

    Args:
        keys: the label image (or several).
        output_key: where the weights go, one name per key.
        w0, sigma, class_balance, separate_touching, objects, cutoff, units, spacing, preset: see
            :class:`BorderWeightMap`.
        allow_missing_keys: skip keys that an item lacks.
    """

    backend = BorderWeightMap.backend

    def __init__(
        self,
        keys: KeysCollection,
        w0: float = 10.0,
        sigma: float = 5.0,
        class_balance: ClassBalance = True,
        separate_touching: bool = True,
        objects: str = "ids",
        cutoff: float | None = None,
        units: str = "pixel",
        spacing: Sequence[float] | None = None,
        preset: str | None = None,
        output_key: str | Sequence[str] = "weight",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_keys = ensure_tuple_rep(output_key, len(self.keys))
        if len(set(self.output_keys)) < len(self.keys):
            raise InputError(
                f"BorderWeightMapd: {len(self.keys)} keys need as many different output keys, got {output_key!r}."
            )
        self.weigh = BorderWeightMap(
            w0, sigma, class_balance, separate_touching, objects, cutoff, units, spacing, preset
        )

    def __call__(self, data: Mapping[Hashable, NdarrayOrTensor]) -> dict[Hashable, NdarrayOrTensor]:
        """Return a copy of ``data`` with the weights added."""
        result = dict(data)
        for key, output_key in self.key_iterator(result, self.output_keys):
            result[output_key] = self.weigh(result[key])
        return result


def _reach(height: float, sigma: float) -> float:
    """Distance at which ``height · exp(−d² / (2 σ²))`` has become negligible."""
    return sigma * sqrt(2 * log(max(height, 1.0) / _NEGLIGIBLE))


def _class_term(foreground: np.ndarray, d1: np.ndarray, class_balance: bool | float | tuple) -> np.ndarray:
    if isinstance(class_balance, tuple):
        ratio, sigma = class_balance
        # d1 is 0 on objects, which gives them weight 1
        return np.float32(ratio) + np.float32(1 - ratio) * np.exp(np.square(d1) * np.float32(-0.5 / sigma**2))
    if class_balance is False:
        return np.ones(foreground.shape, np.float32)
    share = foreground.mean() if class_balance is True else class_balance
    if not 0 < share < 1:
        return np.ones(foreground.shape, np.float32)
    return np.where(foreground, np.float32(0.5 / share), np.float32(0.5 / (1 - share)))
