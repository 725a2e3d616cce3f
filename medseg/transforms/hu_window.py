"""CT windows by the names radiologists use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.transforms import ScaleIntensityRange, Transform
from monai.utils import TransformBackends

from medseg.errors import InputError
from medseg.transforms.dictionary_form import DictionaryForm

# name: (level, width) in Hounsfield units; Murphy et al., "Windowing (CT)", Radiopaedia.org
HU_WINDOWS: dict[str, tuple[float, float]] = {
    "abdomen": (50, 400),
    "bone": (400, 1800),
    "brain": (40, 80),
    "head_neck": (40, 375),
    "liver": (30, 150),
    "lung": (-600, 1500),
    "mediastinum": (50, 350),
    "spine": (50, 250),
    "stroke": (40, 40),
    "subdural": (75, 215),
    "temporal_bone": (600, 2800),
}


class HUWindow(Transform):
    """Map a CT window to [0, 1]: ``level − width/2`` to 0, ``level + width/2`` to 1.

    MONAI's ``ScaleIntensityRange`` does the arithmetic and wants the two bounds; this knows them by name.

    Args:
        window: a name of ``HU_WINDOWS``, or ``(level, width)`` in Hounsfield units, width > 0.
        clip: cut values outside the window to 0 and 1.

    Raises:
        InputError: an unknown name, or not two finite numbers with a positive width.

    Example:
        >>> HUWindow("lung")(torch.tensor([[-1350.0, -600.0, 150.0, 3000.0]]))
        metatensor([[0.0000, 0.5000, 1.0000, 1.0000]])
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(self, window: str | Sequence[float], clip: bool = True) -> None:
        level, width = level_and_width(window)
        self.scale = ScaleIntensityRange(level - width / 2, level + width / 2, 0.0, 1.0, clip=clip)

    def __call__(self, img: NdarrayOrTensor) -> torch.Tensor:
        """Return the float32 image, 0 to 1 inside the window; ``img`` is in Hounsfield units."""
        return self.scale(img)


class HUWindowd(DictionaryForm):
    """Dictionary form of :class:`HUWindow`."""

    backend = HUWindow.backend

    def __init__(
        self,
        keys: KeysCollection,
        window: str | Sequence[float],
        clip: bool = True,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, HUWindow(window, clip), allow_missing_keys)


def level_and_width(window: str | Sequence[float]) -> tuple[float, float]:
    """Level and width in Hounsfield units of a window, given by name or as these two numbers.

    Raises:
        InputError: an unknown name, or not two finite numbers with a positive width.
    """
    if isinstance(window, str):
        if window not in HU_WINDOWS:
            raise InputError(
                f"HUWindow: window={window!r} is not known; give one of {', '.join(HU_WINDOWS)}, or (level, width)."
            )
        return HU_WINDOWS[window]
    values = np.asarray(window, dtype=float)
    if values.shape != (2,) or not np.isfinite(values).all() or values[1] <= 0:
        raise InputError(f"HUWindow: window={window}; give (level, width) in Hounsfield units with a positive width.")
    return float(values[0]), float(values[1])
