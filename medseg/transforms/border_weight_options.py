"""Parameters of the border weights: published presets, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from medseg.errors import InputError

ClassBalance = bool | float | Sequence[float]

PRESETS: dict[str, dict[str, Any]] = {
    # Ronneberger, Fischer, Brox, "U-Net", MICCAI 2015, section 3
    "paper": {"w0": 10.0, "sigma": 5.0, "class_balance": True},
    # Falk et al., "U-Net: deep learning for cell counting, detection, and morphometry", Nature Methods 16
    # (2019); defaults of the authors' ImageJ plugin at its 0.5 µm pixels: borderWeightFactor 50,
    # borderWeightSigmaUm 3, foregroundBackgroundRatio 0.1, sigma1Um 5
    "lmb": {"w0": 50.0, "sigma": 6.0, "class_balance": (0.1, 10.0)},
}


def checked_options(
    w0: float, sigma: float, class_balance: ClassBalance, objects: str, preset: str | None, in_pixels: bool
) -> dict:
    """``w0``, ``sigma`` and ``class_balance`` of the formula, from the preset where one is named.

    Args:
        w0, sigma, class_balance, objects, preset: see :func:`medseg.transforms.border_weight_map`.
        in_pixels: whether lengths are in pixels, as those of the presets are.

    Returns:
        The three by name; a pair of class balance as a tuple.

    Raises:
        InputError: a value out of range, an unknown preset, or a preset beside other values or another unit.
    """
    options = {"w0": w0, "sigma": sigma, "class_balance": class_balance}
    if preset is not None:
        if preset not in PRESETS:
            raise InputError(f"border weights: preset={preset!r}; known are {', '.join(PRESETS)}.")
        if not in_pixels:
            raise InputError(
                f"border weights: preset={preset!r} counts in pixels, not in the unit of the spacing; give w0, sigma "
                "and class_balance in that unit instead."
            )
        given = [f"{k}={v}" for k, v in options.items() if v not in (PRESETS["paper"][k], PRESETS[preset][k])]
        if given:
            raise InputError(
                f"border weights: preset={preset!r} sets {given[0].split('=')[0]} itself, but {given[0]} is "
                "given too; leave one of them out."
            )
        options = dict(PRESETS[preset])
    if not (np.isfinite(options["w0"]) and options["w0"] >= 0):
        raise InputError(f"border weights: w0={w0}; give 0 or more.")
    if not (np.isfinite(options["sigma"]) and options["sigma"] > 0):
        raise InputError(f"border weights: sigma={sigma}; give a positive number.")
    if objects not in ("ids", "components", "cores"):
        raise InputError(f'border weights: objects={objects!r}; give "ids", "components" or "cores".')
    options["class_balance"] = _checked_balance(options["class_balance"])
    return options


def _checked_balance(class_balance: ClassBalance) -> bool | float | tuple[float, float]:
    if isinstance(class_balance, bool | np.bool_):
        return bool(class_balance)
    values = np.asarray(class_balance, dtype=float)
    if values.shape == () and 0 < values < 1:
        return float(values)
    if values.shape == (2,) and values[0] >= 0 and values[1] > 0:
        return float(values[0]), float(values[1])
    raise InputError(
        f"border weights: class_balance={class_balance}; give True, False, the share of object pixels "
        "(between 0 and 1), or (background weight, sigma)."
    )
