"""Where a volume lies in the patient, and what no reader takes for one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np

from medseg.errors import InputError, InputWarning

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_LEAST_ANGLE = 1e-6  # of |det| to the product of the axes' lengths: axes below this lie in one plane


@dataclass(frozen=True)
class Space:
    """From voxel indices to millimetres in the patient, and how a NIfTI header says so.

    Args:
        affine: 4x4, indices to RAS+ coordinates (right, anterior, superior).
        sform, qform: the header's two matrices; ``affine`` is the one that counts.
        sform_code, qform_code: NIfTI's codes, 0 = unknown, 1 = scanner, 2 = aligned ...
        units: NIfTI's ``xyzt_units``, 2 = mm.
    """

    affine: np.ndarray
    sform: np.ndarray
    qform: np.ndarray
    sform_code: int = 1
    qform_code: int = 1
    units: int = 2

    @classmethod
    def scanner(cls, affine: np.ndarray) -> Space:
        """Millimetres in the scanner, as DICOM, NRRD and MHA give them."""
        return cls(affine, affine, affine)

    @property
    def spacing_mm(self) -> np.ndarray:
        """Voxel size along each array axis."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000

    def to_meta(self) -> dict[str, Any]:
        """Entries for a MetaTensor that survive MONAI's collating."""
        return {
            "sform": self.sform,
            "qform": self.qform,
            "sform_code": self.sform_code,
            "qform_code": self.qform_code,
            "xyzt_units": self.units,
            "input_affine": self.affine,
        }

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Space | None:
        """Back from :meth:`to_meta`; None when the metadata came from another reader."""
        if "input_affine" not in meta:
            return None
        matrices = [np.asarray(meta[key], dtype=float) for key in ("input_affine", "sform", "qform")]
        return cls(*matrices, *(int(meta[key]) for key in ("sform_code", "qform_code", "xyzt_units")))


def check_affine(path: object, affine: np.ndarray) -> None:
    """Refuse an affine that does not place voxels.

    Raises:
        InputError: NaN or infinite entries (from a NaN spacing), axes of no length, axes in one plane.
    """
    if not np.isfinite(affine).all():
        raise InputError(
            f"{path}: its voxel size or position is NaN or infinite; without it nothing can be measured: "
            "export the volume again, or mend its header"
        )
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not (lengths > 0).all():
        raise InputError(f"{path}: voxel size {np.round(lengths, 4).tolist()} mm; every axis needs a positive one")
    if abs(np.linalg.det(affine[:3, :3] / lengths)) < _LEAST_ANGLE:
        raise InputError(f"{path}: its affine is not invertible, its axes lie in one plane; mend its header")


def check_volume(path: object, array: np.ndarray) -> np.ndarray:
    """One 3D volume of finite numbers ``(X, Y, Z)`` as float32; a plane becomes a volume of one slice.

    Raises:
        InputError: several volumes (4D), no voxels, NaN or infinite voxels, complex or colour voxels.
    """
    if array.dtype.kind not in "uifb":
        raise InputError(f"{path}: voxels of type {array.dtype} (colour or complex); one real number each is needed")
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim > 3:
        count = int(np.prod(array.shape[3:]))
        raise InputError(f"{path}: holds {count} volumes (shape {array.shape}); save the one to segment by itself")
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim < 2 or array.size == 0:
        raise InputError(f"{path}: has no volume in it (shape {array.shape})")
    array = np.asarray(array, dtype=np.float32)
    if not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise InputError(f"{path}: {bad} voxels are NaN or infinite; replace them, outside the scan by -1000 HU")
    return array


def stored_axes(affine: np.ndarray) -> str:
    """Where the array's axes lead in the patient, as RAS or LPS."""
    return "".join(map(str, nib.aff2axcodes(affine)))  # None of an axis that leads nowhere


def warn_of_orientation(path: object, affine: np.ndarray, missing: str) -> None:
    """Tell the user that the file does not say which side is right, and what it is taken for."""
    warn(
        f"{path}: the header does not say how the volume lies in the patient ({missing}); taken as "
        f"{stored_axes(affine)}: check that left and right are not exchanged"
    )


def warn(message: str) -> None:
    """Tell the user of something that does not stop the work but may spoil it."""
    warnings.warn(message, InputWarning, stacklevel=3)
