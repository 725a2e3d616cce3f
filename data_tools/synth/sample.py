"""What the generators of cells return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CellSample:
    """An image and its exact truth: `labels` uint16 of the same shape, 0 = background or membrane, one id per cell."""

    image: np.ndarray
    labels: np.ndarray
