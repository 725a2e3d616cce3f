"""How the patches of each bundle are drawn, deformed and recoloured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from device_patches.organs import Organs
from device_patches.random_intensity import RandomIntensity
from device_patches.random_warp import RandomWarp
from device_patches.sections import Detections, Sections

_MICROSCOPY = RandomIntensity(
    0.4, 0.6, 0.15, (0.6, 1.7), 0.4, blur=5, blur_prob=0.25, noise=0.1, noise_prob=0.35, mix=0.4, invert=0.1
)
_CT = RandomIntensity(0.15, 0.5, 0.05, (0.8, 1.25), 0.2, blur=3, blur_prob=0.2, noise=0.06, noise_prob=0.3)


def drawing(
    bundle: str, parser: Any, items: list[dict[str, Tensor]], device: torch.device, batch: int, size: int
) -> Callable[[], tuple[Any, Any]]:
    """The source of batches of a bundle, ``size`` pixels wide."""
    value = parser.get_parsed_content
    if bundle.startswith("headneck"):
        flat = bundle != "headneck_ct_unet3d"
        mm = value("spacing_mm")[0]
        warp = RandomWarp(
            zoom=(0.8, 1.25),
            stretch=0.1,
            rotate=0.3,
            tilt=0.15,
            shear=0.1,
            elastic=6.0 / mm,
            elastic_prob=0.4,
            control_points=5,
        )
        return Organs(
            items,
            device,
            size=(size, size) if flat else (min(size, 48), size, size),
            batch=batch,
            warp=warp,
            intensity=_CT,
            ratios=value("class_ratios"),
            pair=(3, 4),
            shift=size / 6,
            offsets=value("slice_offsets") if flat else None,
        )
    if bundle == "nuclei_unetplusplus":
        warp = RandomWarp((0.6, 2.0), 0.8, 0.15, torch.pi, 0.5, quarter_turns=True, elastic=6.0, shear=0.1)
        chances = [float(item.pop("chance")) for item in items]
        return Sections(items, device, size=size, batch=batch, warp=warp, intensity=_MICROSCOPY, chances=chances)
    if bundle == "nuclei_mask_rcnn":
        warp = RandomWarp((0.5, 2.0), 0.9, 0.1, torch.pi, 0.3, quarter_turns=True)
        chances = [float(item.pop("chance")) for item in items]
        return Detections(
            items,
            device,
            size=size,
            batch=batch,
            warp=warp,
            intensity=_MICROSCOPY,
            chances=chances,
            outside="zeros",
            inset=0.4,
        )
    margin = value("network_def").margin
    if bundle == "em_membrane_unet":
        warp = RandomWarp(
            (0.8, 1.25), 0.6, 0.1, torch.pi, 0.5, quarter_turns=True, elastic=10.0, elastic_prob=0.8, shear=0.1
        )
        gray = RandomIntensity(0.25, 0.5, 0.15, (0.7, 1.5), 0.3, blur=3, blur_prob=0.2, noise=0.1, noise_prob=0.3)
    else:
        warp = RandomWarp(
            (0.6, 1.5), 0.8, 0.15, torch.pi, 0.7, quarter_turns=True, elastic=10.0, elastic_prob=0.8, shear=0.1
        )
        gray = RandomIntensity(0.35, 0.7, 0.1, (0.7, 1.5), 0.3, blur=3, blur_prob=0.2, noise=0.07, noise_prob=0.3)
    return Sections(items, device, size=size, batch=batch, warp=warp, intensity=gray, margin=margin)
