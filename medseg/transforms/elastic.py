"""Random elastic deformation on a coarse control grid, as in the U-Net paper."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data import MetaTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import GridSampleMode, TransformBackends, convert_to_dst_type, convert_to_tensor, ensure_tuple_rep

from medseg.errors import InputError
from medseg.io.source_file import describe_source
from medseg.transforms.displacement import displacement_field, without_folds
from medseg.transforms.warp import warp


class RandElasticDeformation(RandomizableTransform):
    """Deform smoothly: Gaussian displacements u of a coarse control grid, cubic in between.

    ``out(x) = in(x + u(x))``, reflected at the border. The defaults are the paper's: 3 × 3 control points,
    standard deviation 10 pixels. Unlike MONAI's ``Rand2DElastic`` the grid starts and ends on the outermost
    pixels, so that ``sigma=0`` changes no bit and the displacement at a control point has the standard
    deviation asked for.

    Args:
        sigma: standard deviation of the displacement of a control point, one number or one per spatial axis
            (0 keeps an axis still).
        control_points: number of control points, one number or one per spatial axis, at least 1 (a shift).
        control_spacing: distance between control points instead of their number; the nearest whole number of
            cells is taken. None: use ``control_points``.
        prob: probability of deforming at all.
        mode: interpolation, "bilinear", "bicubic" or, for labels, "nearest".
        units: what ``sigma`` and ``control_spacing`` are measured in: "pixel", or "physical" (the unit of the
            spacing; sections farther apart are then displaced by fewer of them).
        spacing: size of a pixel along each spatial axis, for "physical". None: from the MetaTensor's affine.
        prevent_folding: shrink a draw until the Jacobian of the deformation is positive everywhere.

    Raises:
        InputError: sigma negative or not finite, fewer than one control point, lengths that do not fit the
            image, physical units without a spacing, an unknown mode, an image without a channel axis.

    Source: O. Ronneberger, P. Fischer, T. Brox, "U-Net", MICCAI 2015, section 3.1.

    Example:
        >>> deform = RandElasticDeformation(prob=1.0).set_random_state(seed=0)
        >>> deform(torch.rand(1, 64, 64)).shape
        torch.Size([1, 64, 64])
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self,
        sigma: float | Sequence[float] = 10.0,
        control_points: int | Sequence[int] = 3,
        control_spacing: float | Sequence[float] | None = None,
        prob: float = 0.1,
        mode: str = GridSampleMode.BILINEAR,
        units: str = "pixel",
        spacing: Sequence[float] | None = None,
        prevent_folding: bool = True,
    ) -> None:
        RandomizableTransform.__init__(self, prob)
        _require(np.all(np.isfinite(sigma)) and np.all(np.asarray(sigma) >= 0), f"sigma={sigma}", "0 or more")
        whole = np.all(np.asarray(control_points) >= 1) and np.asarray(control_points).dtype.kind in "iu"
        _require(whole, f"control_points={control_points}", "whole numbers from 1")
        _require(units in ("pixel", "physical"), f"units={units!r}", '"pixel" or "physical"')
        for name, value in (("control_spacing", control_spacing), ("spacing", spacing)):
            positive = value is None or (np.all(np.isfinite(value)) and np.all(np.asarray(value) > 0))
            _require(positive, f"{name}={value}", "positive numbers")
        _require(spacing is None or units == "physical", f"spacing={spacing}", 'units="physical" with it')
        self.sigma, self.control_points, self.control_spacing = sigma, control_points, control_spacing
        self.mode, self.units, self.spacing = _known_mode(mode), units, spacing
        self.prevent_folding = prevent_folding
        self.control: np.ndarray | None = None

    def randomize(self, spatial_shape: Sequence[int], spacing: Sequence[float] | None = None) -> None:
        """Draw whether to deform and ``self.control``, the ``(n, k_1, …, k_n)`` displacements in pixels."""
        super().randomize(None)
        self.control = None
        if not self._do_transform:
            return
        spatial_shape, ndim = tuple(spatial_shape), len(spatial_shape)
        pixel = np.ones(ndim) if self.units == "pixel" else _per_axis("spacing", spacing, ndim)
        sigma_px = _per_axis("sigma", self.sigma, ndim) / pixel
        if self.control_spacing is None:
            points = _per_axis("control_points", self.control_points, ndim).astype(int)
        else:
            cells = (np.asarray(spatial_shape) - 1) * pixel / _per_axis("control_spacing", self.control_spacing, ndim)
            points = np.maximum(np.rint(cells), 1).astype(int) + 1
        control = self.R.standard_normal((ndim, *points)) * sigma_px.reshape(-1, *[1] * ndim)
        self.control = without_folds(control, spatial_shape) if self.prevent_folding else control

    def displacement(self, spatial_shape: Sequence[int], device: torch.device | str = "cpu") -> torch.Tensor:
        """The last draw as ``(n, *spatial_shape)`` float32 pixels; zeros where the image was left alone."""
        if self.control is None:
            return torch.zeros(len(spatial_shape), *spatial_shape, device=device)
        return displacement_field(self.control, spatial_shape, device)

    def __call__(self, img: NdarrayOrTensor, mode: str | None = None, randomize: bool = True) -> torch.Tensor:
        """Deform a ``(C, *spatial)`` array or tensor; ``randomize=False`` repeats the last deformation."""
        _check_axes("RandElasticDeformation: the image", img)
        if randomize:
            self.randomize(img.shape[1:], self.spacing_of(img))
        img = convert_to_tensor(img, track_meta=get_track_meta())
        return _deform(img, self.control, None, _known_mode(mode or self.mode))

    def spacing_of(self, img: NdarrayOrTensor) -> Sequence[float] | None:
        """Pixel sizes that physical units refer to, one per spatial axis; None for pixel units.

        Raises:
            InputError: physical units, but neither ``spacing`` nor an affine is known.
        """
        if self.units == "pixel":
            return None
        if self.spacing is not None:
            return self.spacing
        if not isinstance(img, MetaTensor):
            raise InputError(
                'RandElasticDeformation: units="physical" need the pixel size, but the image carries no '
                "affine; load it with LoadImage, or give spacing=(…) with one value per spatial axis."
            )
        return [float(v) for v in img.pixdim[: img.ndim - 1]]


class RandElasticDeformationd(MapTransform, RandomizableTransform):
    """Dictionary form of :class:`RandElasticDeformation`: one and the same deformation for all ``keys``.

    Like MONAI's ``Rand2DElasticd`` it has no inverse: ``Invertd`` passes it over.

    Args:
        keys: entries to deform, all of the same spatial shape.
        mode: interpolation of each key, one for all or one per key; labels need "nearest".
        sigma, control_points, control_spacing, prob, units, spacing, prevent_folding: see the array form.
        allow_missing_keys: skip keys that an item lacks.

    Raises:
        InputError: as the array form, and where the spatial shapes of the keys differ.
    """

    backend = RandElasticDeformation.backend

    def __init__(
        self,
        keys: KeysCollection,
        sigma: float | Sequence[float] = 10.0,
        control_points: int | Sequence[int] = 3,
        control_spacing: float | Sequence[float] | None = None,
        prob: float = 0.1,
        mode: str | Sequence[str] = GridSampleMode.BILINEAR,
        units: str = "pixel",
        spacing: Sequence[float] | None = None,
        prevent_folding: bool = True,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        self.mode = tuple(_known_mode(m) for m in ensure_tuple_rep(mode, len(self.keys)))
        self.deform = RandElasticDeformation(
            sigma,
            control_points,
            control_spacing,
            1.0,
            units=units,
            spacing=spacing,
            prevent_folding=prevent_folding,
        )

    def set_random_state(self, seed: int | None = None, state: Any = None) -> RandElasticDeformationd:
        """Seed this transform and the deformation inside it."""
        self.deform.set_random_state(seed, state)
        super().set_random_state(seed, state)
        return self

    def __call__(self, data: Mapping[Hashable, NdarrayOrTensor]) -> dict[Hashable, NdarrayOrTensor]:
        """Return a copy of ``data`` whose keys are deformed together."""
        result = dict(data)
        present = list(self.key_iterator(result, self.mode))
        if not present:
            return result
        images = {key: convert_to_tensor(result[key], track_meta=get_track_meta()) for key, _ in present}
        first_key, first = next(iter(images.items()))
        for key, img in images.items():
            _check_axes(f"RandElasticDeformationd: {key!r}", img)
            if img.shape[1:] != first.shape[1:]:
                raise InputError(
                    f"RandElasticDeformationd: {key!r}{describe_source(img)} has spatial shape "
                    f"{tuple(img.shape[1:])}, but {first_key!r} has {tuple(first.shape[1:])}; one "
                    "deformation needs one shape: crop or resample the keys alike first."
                )
        self.randomize(None)
        self.deform.control = None
        if self._do_transform:
            self.deform.randomize(first.shape[1:], self.deform.spacing_of(data[first_key]))
        control = self.deform.control  # read once: threads that share the transform draw anew meanwhile
        fields: dict[torch.device, torch.Tensor] = {}
        for key, mode in present:
            img = images[key]
            if control is not None and img.device not in fields:
                fields[img.device] = displacement_field(control, img.shape[1:], img.device)
            result[key] = _deform(img, control, fields.get(img.device), mode)
        return result


def _deform(img: torch.Tensor, control: np.ndarray | None, field: torch.Tensor | None, mode: str) -> torch.Tensor:
    plain = convert_to_tensor(img, track_meta=False)
    if control is None or not control.any():
        # the bits stay, but the type does not depend on the draw: a batch collates either way
        keep = mode == GridSampleMode.NEAREST or img.is_floating_point()
        return img if keep else convert_to_dst_type(plain.float(), dst=img, dtype=torch.float32)[0]
    field = displacement_field(control, img.shape[1:], img.device) if field is None else field
    out = warp(plain, field, mode)
    return convert_to_dst_type(out, dst=img, dtype=out.dtype)[0]


def _check_axes(name: str, img: NdarrayOrTensor) -> None:
    if img.ndim not in (3, 4) or 0 in img.shape:
        raise InputError(
            f"{name}{describe_source(img)} has shape {tuple(img.shape)}; expected (C, Y, X) or (C, Z, Y, X) with at "
            "least one pixel: put the channel axis in front (image[None])."
        )


def _per_axis(name: str, value: Any, ndim: int) -> np.ndarray:
    values = np.asarray(value, dtype=float)
    if values.ndim and values.shape != (ndim,):
        raise InputError(
            f"RandElasticDeformation: {name}={value} has {values.size} values, but the image has {ndim} "
            "spatial axes; give one number, or one per axis."
        )
    return np.broadcast_to(values, (ndim,)).copy()


def _known_mode(mode: str) -> GridSampleMode:
    _require(mode in tuple(GridSampleMode), f"mode={mode!r}", '"bilinear", "bicubic" or "nearest"')
    return GridSampleMode(mode)


def _require(condition: Any, given: str, wanted: str) -> None:
    if not condition:
        raise InputError(f"RandElasticDeformation: {given}; give {wanted}.")
