"""How the patches of each bundle are drawn, deformed and recoloured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from device_patches.organs import Organs
from device_patches.random_intensity import RandomIntensity
from device_patches.random_warp import RandomWarp
from device_patches.sections import Detections, Sections
from medseg.errors import InputError

_any_turn = partial(RandomWarp, rotate=torch.pi, quarter_turns=True)
_patient = partial(
    RandomWarp, zoom=(0.8, 1.25), stretch=0.1, rotate=0.3, tilt=0.15, shear=0.1, elastic_prob=0.4, control_points=5
)
_WARPS = {
    "em_membrane_unet": _any_turn((0.8, 1.25), 0.6, 0.1, rotate_prob=0.5, elastic=10.0, elastic_prob=0.8, shear=0.1),
    "phase_contrast_cells_unet": _any_turn(
        (0.6, 1.5), 0.8, 0.15, rotate_prob=0.7, elastic=10.0, elastic_prob=0.8, shear=0.1
    ),
    "nuclei_unetplusplus": _any_turn((0.5, 2.5), 0.8, 0.15, rotate_prob=0.5, elastic=6.0, shear=0.1),
    "nuclei_mask_rcnn": _any_turn((0.5, 2.0), 0.9, 0.1, rotate_prob=0.3),
    "headneck_ct_unet3d": _patient(zoom=(0.7, 1.4), stretch=0.15, rotate=0.4, tilt=0.25, elastic=2.0, elastic_prob=0.6),
    "headneck_ct_unet_transfer": _patient(elastic=2.4),
    "headneck_ct_deeplabv3plus": _patient(elastic=4.0),
}
_EM = RandomIntensity(0.25, 0.5, 0.15, (0.7, 1.5), 0.3, blur=3, blur_prob=0.2, noise=0.1, noise_prob=0.3)
_PHASE_CONTRAST = RandomIntensity(
    0.4, 0.7, 0.1, (0.4, 2.5), 0.4, blur=3, noise=0.3, noise_prob=0.4, gamma_in_range=True, shade=0.5
)
_NUCLEI = RandomIntensity(
    0.4, 0.6, 0.15, (0.6, 1.7), 0.4, 5, 0.25, noise=0.3, noise_prob=0.4, noise_alike=0.7, mix=0.4, invert=0.1
)
_BLOCKS = RandomIntensity(0.3, 0.5, 0.1, (0.7, 1.5), 0.3, blur=3, blur_prob=0.2, noise=0.1, noise_prob=0.3)
_CT = RandomIntensity(0.15, 0.5, 0.05, (0.8, 1.25), 0.2, blur=3, blur_prob=0.2, noise=0.06, noise_prob=0.3)


def drawing(
    bundle: str,
    parser: Any,
    items: list[dict[str, Tensor]],
    device: torch.device,
    batch: int,
    size: int,
    still: float = 0.0,
    slices: int = 48,
    at_objects: float = 0.0,
) -> Callable[[], tuple[Any, Any]]:
    """The source of batches of a bundle.

    Args:
        bundle: its name.
        parser: its ``train.json``.
        items: from :func:`device_patches.items.training_images`.
        device: where images are kept and patches made.
        batch: patches at a time.
        size: side of a patch in pixels.
        slices: of a block of CT.
        still: share of the patches that are not deformed.
        at_objects: share of the patches of sections that are drawn around objects.

    Raises:
        InputError: a bundle that has no recipe.
    """
    if bundle not in _WARPS:
        raise InputError(f"{bundle}: no patches are known for it, only for {', '.join(_WARPS)}")
    value, shared = parser.get_parsed_content, {"batch": batch, "warp": replace(_WARPS[bundle], still=still)}
    if bundle.startswith("headneck"):
        flat = bundle != "headneck_ct_unet3d"
        return Organs(
            items,
            device,
            size=(size, size) if flat else (slices, size, size),
            intensity=_CT if flat else _BLOCKS,
            ratios=value("class_ratios"),
            pairs=value("side_pairs"),
            shift=size / 6,
            offsets=value("slice_offsets") if flat else None,
            **shared,
        )
    shared |= {"size": size, "at_objects": at_objects}
    if bundle.startswith("nuclei"):
        chances = [float(item.pop("chance")) for item in items]
        shared |= {"intensity": _NUCLEI, "chances": chances}
        if bundle == "nuclei_mask_rcnn":  # a mirrored object would have its twin's number
            return Detections(items, device, outside="zeros", inset=0.4, **shared)
        return Sections(items, device, **shared)
    intensity = _EM if bundle == "em_membrane_unet" else _PHASE_CONTRAST
    return Sections(items, device, intensity=intensity, margin=value("network_def").margin, **shared)
