"""Read and write any file of the layout: TIFF and PNG with axes and spacing, NIfTI with its affine."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from medseg.errors import InputError
from medseg.io import Geometry, read_image, read_labels, write_image, write_labels
from medseg.io.atomic import atomic_target
from medseg.io.paths import NIFTI_SUFFIXES


@dataclass(frozen=True)
class Pixels:
    """An array with its geometry. NIfTI arrays have axes (x, y, z) as stored and an `affine` to mm, RAS."""

    array: np.ndarray
    geometry: Geometry | None = None
    affine: np.ndarray | None = None


def is_nifti(path: str | Path) -> bool:
    """Whether the name ends in .nii or .nii.gz."""
    return str(path).lower().endswith(NIFTI_SUFFIXES)


def read_pixels(path: str | Path, *, labels: bool = False, axes: str | None = None) -> Pixels:
    """Read an image, or a label image (integers without channels) where `labels` is true.

    `axes` names the axes of TIFF and PNG images that do not state them.

    Raises:
        InputError: unreadable, ambiguous axes, NaN; for labels also fractions and negative ids.
    """
    path = Path(path)
    if not is_nifti(path):
        return Pixels(*(read_labels(path) if labels else read_image(path, axes=axes)))
    pixels = read_nifti(path)
    if labels:
        return Pixels(_whole_numbers(path, pixels.array), None, pixels.affine)
    if pixels.array.dtype.kind == "f" and not np.isfinite(pixels.array).all():
        raise InputError(f"{path}: voxels are NaN or infinite; replace them before training")
    return pixels


def read_nifti(path: Path) -> Pixels:
    """Read a plane or volume as stored, integers as integers where the header scales by nothing.

    Further axes of length one are dropped.

    Raises:
        InputError: no such file, damaged or cut off, several volumes, no voxels, colour or complex voxels, a unit of
            space other than mm.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    path.open("rb").close()  # nibabel would say of a file that may not be read that it is of another format
    try:
        volume = nib.load(path, mmap=False)  # else the file stays open with the array
        scaled = volume.dataobj.slope != 1 or volume.dataobj.inter != 0
        array = np.asarray(volume.dataobj, dtype=np.float32 if scaled else None)
    except Exception as error:  # nibabel, zlib and numpy raise many types on a damaged file
        raise InputError(f"{path}: cannot be read as NIfTI, it is damaged or cut off ({error})") from error
    if (unit := volume.header.get_xyzt_units()[0]) not in ("mm", "unknown"):
        raise InputError(f"{path}: its voxel size is not in mm (but {unit}); save it in mm")
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or array.size == 0 or array.dtype.kind not in "uif":
        raise InputError(
            f"{path}: has the shape {array.shape} and voxels of type {array.dtype}; save one volume of real numbers"
        )
    return Pixels(array, None, volume.affine)


def as_one_stack(planes: np.ndarray, channels: int = 0) -> np.ndarray:
    """Times of sections as one stack, (N, Y, X), counted as training does; 2D images and stacks as they are.

    `channels` is the number of axes after Y and X.
    """
    apart = planes.ndim - 2 - channels
    return planes.reshape(-1, *planes.shape[apart:]) if apart > 1 else planes


def write_pixels(path: Path, pixels: Pixels, *, labels: bool = False) -> None:
    """Write by suffix: NIfTI with `pixels.affine` (mm), TIFF or PNG with `pixels.geometry`.

    Labels take the smallest unsigned type that holds their ids.
    """
    if not is_nifti(path):
        (write_labels if labels else write_image)(path, pixels.array, pixels.geometry)
        return
    array = pixels.array
    if labels:
        array = array.astype(np.min_scalar_type(int(array.max(initial=0))))
    volume = nib.Nifti1Image(array, pixels.affine, dtype=array.dtype)
    volume.header.set_xyzt_units("mm")
    content = volume.to_bytes()
    if path.name.lower().endswith(".gz"):
        content = gzip.compress(content, compresslevel=1, mtime=0)
    with atomic_target(path) as partial:  # nibabel leaves a file open that it could not write
        partial.write_bytes(content)


def _whole_numbers(path: Path, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "f":
        rounded = np.rint(array)
        if not (np.isfinite(array).all() and (rounded == array).all()):
            raise InputError(f"{path}: a label image holds whole numbers, this one fractions or NaN")
        array = rounded.astype(np.int64)
    if array.size and array.min() < 0:
        raise InputError(f"{path}: negative ids (lowest {array.min()}); 0 is background")
    return array
