"""Resample an image at displaced places, reflecting at the border."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod

import torch
from monai.utils import GridSampleMode

from medseg.errors import InputError

_MODES = tuple(GridSampleMode)


def warp(img: torch.Tensor, displacement: torch.Tensor, mode: str = GridSampleMode.BILINEAR) -> torch.Tensor:
    """Return ``out(x) = img(x + u(x))``.

    Args:
        img: ``(C, *spatial)`` tensor on any device.
        displacement: ``(n, *spatial)`` float tensor on the same device, in pixels, component i along axis i.
        mode: ``"nearest"`` (labels: no new values, any integer type kept exactly), ``"bilinear"`` or
            ``"bicubic"`` (in as many dimensions as there are; Keys' kernel with a = -0.75 as in torch).

    Returns:
        ``(C, *spatial)``: the type of ``img`` for ``"nearest"`` and floating images, float32 for integers
        otherwise. Beyond the border the image goes on mirrored about the centre of its outermost pixel.

    Raises:
        InputError: unknown mode, or shapes that do not belong together.
    """
    if mode not in _MODES:
        raise InputError(f"warp: mode={mode!r}; give one of {', '.join(map(repr, map(str, _MODES)))}.")
    if displacement.shape[1:] != img.shape[1:] or displacement.shape[0] != img.ndim - 1:
        raise InputError(
            f"warp: a displacement of shape {tuple(displacement.shape)} does not fit an image of shape "
            f"{tuple(img.shape)}; expected ({img.ndim - 1}, {', '.join(map(str, img.shape[1:]))})."
        )
    if mode == GridSampleMode.NEAREST:
        return _gather(img, [place.round_() for place in _places(displacement)])
    working = img if img.dtype in (torch.float32, torch.float64) else img.float()
    places = _places(displacement.to(working.dtype))
    if img.ndim - 1 == 2 or (img.ndim - 1 == 3 and mode == GridSampleMode.BILINEAR):
        out = _grid_sample(working, places, mode)
    else:
        out = _weighted_sum(working, places, _linear if mode == GridSampleMode.BILINEAR else _cubic)
    return out.to(img.dtype) if img.is_floating_point() else out


def _places(displacement: torch.Tensor) -> list[torch.Tensor]:
    """Absolute coordinates in pixels, one tensor per axis."""
    places = []
    for axis, component in enumerate(displacement):
        pixels = torch.arange(component.shape[axis], dtype=component.dtype, device=component.device)
        shape = [1] * component.ndim
        shape[axis] = -1
        places.append(component + pixels.reshape(shape))
    return places


def _grid_sample(img: torch.Tensor, places: list[torch.Tensor], mode: str) -> torch.Tensor:
    sizes = img.shape[1:]
    normalised = [place.mul_(2 / max(n - 1, 1)).sub_(1) for place, n in zip(places, sizes, strict=True)]
    grid = torch.stack(normalised[::-1], dim=-1)[None]
    return torch.nn.functional.grid_sample(
        img[None], grid, mode=str(mode), padding_mode="reflection", align_corners=True
    )[0]


def _gather(img: torch.Tensor, places: list[torch.Tensor]) -> torch.Tensor:
    """Pixels at whole-numbered float places, reflected at the border."""
    sizes = img.shape[1:]
    # 32-bit indices are twice as fast to compute, and enough for all but enormous arrays
    whole = torch.int32 if prod(sizes) < 2**31 else torch.int64
    flat: torch.Tensor | None = None
    for place, n in zip(places, sizes, strict=True):
        index = _reflect(place, n - 1).to(whole)
        flat = index if flat is None else flat.mul_(n).add_(index)
    return img.reshape(img.shape[0], -1).index_select(1, flat.reshape(-1)).reshape(img.shape)


def _reflect(place: torch.Tensor, last: int) -> torch.Tensor:
    """Mirror coordinates about 0 and ``last`` until they lie between."""
    if last == 0:
        return torch.zeros_like(place)
    low, high = place.aminmax()
    if low < -last or high > 2 * last:
        place = place.remainder(2 * last)
    return last - (last - place.abs()).abs_()


def _weighted_sum(
    img: torch.Tensor, places: list[torch.Tensor], kernel: Callable[[torch.Tensor], Iterator]
) -> torch.Tensor:
    corners = [place.floor() for place in places]
    steps = [list(kernel(place - corner)) for place, corner in zip(places, corners, strict=True)]
    out = torch.zeros_like(img)
    for combination in product(*steps):
        weight = prod(w for _, w in combination)
        out.addcmul_(_gather(img, [c + step for c, (step, _) in zip(corners, combination, strict=True)]), weight)
    return out


def _linear(t: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
    yield 0, 1 - t
    yield 1, t


def _cubic(t: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
    a = -0.75  # the value torch uses in two dimensions
    for step in (-1, 0, 1, 2):
        x = (t - step).abs()
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = ((x - 5) * x + 8) * x * a - 4 * a
        yield step, near if step in (0, 1) else far
