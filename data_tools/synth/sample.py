"""What the generators of cells return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CellSample:
    """An image and its exact truth: `labels` uint16, 0 = background, one id per cell, each in one piece."""

    image: np.ndarray
    labels: np.ndarray
