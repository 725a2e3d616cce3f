"""What the axes of an array mean and how large a pixel is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from medseg.errors import InputError

SPATIAL = "ZYX"
KNOWN_AXES = "TIZYXC"
MICROMETRES = {"nm": 1e-3, "um": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6}


@dataclass(frozen=True)
class Geometry:
    """Axes, pixel spacing and unit of one array; travels from reader to writer.

    Args:
        axes: one letter per array axis: ``Z Y X`` space, ``T`` time, ``C`` channel, ``I`` pages whose meaning
            the file does not state. ``Y`` and ``X`` are always there.
        spacing: pixel size along the spatial axes in the order of ``axes``, in ``unit``; None if unknown.
        unit: ``"um"``, ``"nm"``, ``"mm"`` ...; None if unknown.

    Raises:
        InputError: an unknown or repeated letter, no Y or X, a spacing of another length or not positive.
    """

    axes: str
    spacing: tuple[float, ...] | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        unknown = set(self.axes) - set(KNOWN_AXES)
        if unknown or len(set(self.axes)) != len(self.axes) or not {"Y", "X"} <= set(self.axes):
            raise InputError(
                f"axes {self.axes!r} cannot be used: give each array axis one letter of {KNOWN_AXES}, "
                "each at most once, with Y and X among them (for example YX, ZYX, CYX, YXC)"
            )
        if self.spacing is None:
            return
        if len(self.spacing) != len(self.spatial_axes):
            raise InputError(f"spacing {self.spacing} has {len(self.spacing)} values for the axes {self.spatial_axes}")
        if not all(np.isfinite(s) and s > 0 for s in self.spacing):
            raise InputError(f"spacing {self.spacing} must be positive and finite")

    @property
    def spatial_axes(self) -> str:
        """The letters among Z, Y, X, in the array's order."""
        return "".join(a for a in self.axes if a in SPATIAL)

    @property
    def spacing_um(self) -> tuple[float, ...] | None:
        """Spacing in micrometres, or None when it or its unit is unknown."""
        if self.spacing is None or self.unit not in MICROMETRES:
            return None
        return tuple(s * MICROMETRES[self.unit] for s in self.spacing)

    def affine(self) -> np.ndarray:
        """4x4 scaling from array index to physical place, in ``unit``, axes in the array's order.

        The identity where the spacing is unknown or an axis other than space and channel is there.
        """
        affine = np.eye(4)
        if self.spacing is not None and self.spatial_axes == self.axes.replace("C", ""):
            affine[range(len(self.spacing)), range(len(self.spacing))] = self.spacing
        return affine

    def without_channel(self) -> Geometry:
        """The same geometry for an array that has no channel axis."""
        return replace(self, axes=self.axes.replace("C", ""))

    def to_meta(self) -> dict[str, Any]:
        """As entries for a MetaTensor that survive MONAI's collating (no None, no objects)."""
        spacing = self.spacing or (float("nan"),) * len(self.spatial_axes)
        return {"axes": self.axes, "spacing": np.asarray(spacing, np.float64), "unit": self.unit or ""}

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Geometry | None:
        """Back from :meth:`to_meta`; None when the metadata came from another reader."""
        if "axes" not in meta:
            return None
        spacing = tuple(float(s) for s in np.asarray(meta["spacing"]).ravel())
        known = all(np.isfinite(s) for s in spacing)
        return cls(str(meta["axes"]), spacing if known else None, str(meta["unit"]) or None)


def channel_first(array: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, Geometry]:
    """Move the channel axis, if there is one, to the front and put Y, X last."""
    order = "".join(a for a in geometry.axes if a not in "CYX")
    target = ("C" if "C" in geometry.axes else "") + order + "YX"
    moved = np.transpose(array, [geometry.axes.index(a) for a in target])
    spacing = geometry.spacing
    if spacing is not None:
        named = dict(zip(geometry.spatial_axes, spacing, strict=True))
        spacing = tuple(named[a] for a in target if a in SPATIAL)
    return moved, replace(geometry, axes=target, spacing=spacing)
