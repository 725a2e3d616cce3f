"""NRRD, MHA and MHD volumes, by SimpleITK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from medseg.errors import InputError
from medseg.io.volume import LPS_TO_RAS, Space, check_affine, check_volume


def read_itk(path: Path) -> tuple[np.ndarray, Space]:
    """Read a volume as ``(X, Y, Z)`` float32 in stored order; its place in RAS millimetres.

    Raises:
        InputError: damaged or cut off, colour, several volumes, NaN voxels, an affine that cannot be inverted.
    """
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise InputError(f"{path}: cannot be read, it is damaged or cut off ({reason})") from error
    if image.GetNumberOfComponentsPerPixel() != 1:
        count = image.GetNumberOfComponentsPerPixel()
        raise InputError(f"{path}: has {count} values per voxel (colour?); one HU value each is needed")
    affine = affine_of(image)
    check_affine(path, affine)
    return check_volume(path, sitk.GetArrayFromImage(image).T), Space.scanner(affine)


def affine_of(image: sitk.Image) -> np.ndarray:
    """4x4 from indices to RAS millimetres; a 2D image lies in an axial plane, 1 mm thick."""
    dims = min(image.GetDimension(), 3)
    affine = np.eye(4)
    direction = np.asarray(image.GetDirection()).reshape(image.GetDimension(), -1)[:dims, :dims]
    affine[:dims, :dims] = direction * np.asarray(image.GetSpacing())[:dims]
    affine[:dims, 3] = image.GetOrigin()[:dims]
    return LPS_TO_RAS @ affine
