"""NRRD, MHA and MHD volumes, by SimpleITK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from medseg.errors import InputError
from medseg.io.itk_header import read_itk_header
from medseg.io.volume import LPS_TO_RAS, Space, check_affine, check_volume, warn_of_orientation


def read_itk(path: Path) -> tuple[np.ndarray, Space]:
    """Read a volume as ``(X, Y, Z)`` float32 in stored order; its place in RAS millimetres.

    A header that does not say which side is right is read as ITK does, as left-posterior-superior, with a warning.

    Raises:
        InputError: damaged or cut off, colour, a plane, several volumes, NaN voxels, no voxel size or one that is not
            in mm, an affine that cannot be inverted.
    """
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise InputError(f"{path}: cannot be read, it is damaged or cut off ({reason})") from error
    if image.GetNumberOfComponentsPerPixel() != 1:
        count = image.GetNumberOfComponentsPerPixel()
        raise InputError(f"{path}: has {count} values per voxel (colour?); one HU value each is needed")
    if image.GetDimension() < 3:
        raise InputError(f"{path}: a plane does not say how thick it is; save it as a volume of one slice")
    header = read_itk_header(path)
    if not header.has_voxel_size:
        raise InputError(f"{path}: its header has no voxel size; without it nothing can be measured: mend its header")
    if header.other_unit:
        raise InputError(f"{path}: its voxel size is not in mm ({header.other_unit}); save it in mm")
    affine = _affine_of(image)
    check_affine(path, affine)
    if not header.has_orientation:
        warn_of_orientation(path, affine, "no space or directions of the axes")
    return check_volume(path, sitk.GetArrayFromImage(image).T), Space.scanner(affine)


def _affine_of(image: sitk.Image) -> np.ndarray:
    """4x4 from indices to RAS millimetres, of the first three axes."""
    affine = np.eye(4)
    direction = np.asarray(image.GetDirection()).reshape(image.GetDimension(), -1)[:3, :3]
    affine[:3, :3] = direction * np.asarray(image.GetSpacing())[:3]
    affine[:3, 3] = image.GetOrigin()[:3]
    return LPS_TO_RAS @ affine
