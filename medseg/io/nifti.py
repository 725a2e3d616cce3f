"""NIfTI volumes with both of their matrices, in and out."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import DTypeLike

from medseg.errors import InputError
from medseg.io.atomic import atomic_target
from medseg.io.paths import NIFTI_SUFFIXES
from medseg.io.volume import Space, check_affine, check_volume, stored_axes, warn, warn_of_orientation

_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # by the header's unit of space: unknown, m, mm, um


def read_nifti(path: Path) -> tuple[np.ndarray, Space]:
    """Read a volume as ``(X, Y, Z)`` float32 in stored order, with the header's scaling applied.

    A header without sform and qform does not say which side is right: it is read as nibabel does, with a warning. So
    is one whose sform and qform contradict each other: the sform counts.

    Raises:
        InputError: damaged or cut off, several volumes, colour, NaN voxels or voxel size, an affine that cannot be
            inverted, a unit of space other than mm.
    """
    image, affine = open_nifti(path)
    header = image.header
    if header["sform_code"] == 0 and header["qform_code"] == 0:
        warn_of_orientation(path, affine, "sform and qform codes are 0")
    if np.prod(image.shape[3:]) > 1 or image.get_data_dtype().fields:
        check_volume(path, np.empty(image.shape, image.get_data_dtype()))  # refused before it is read
    array = stored_voxels(path, image)
    qform = header.get_qform() if header["qform_code"] > 0 else affine
    _warn_of_contradiction(path, affine, qform)
    codes = int(header["sform_code"]), int(header["qform_code"])
    return check_volume(path, array), Space(affine, affine, qform, *codes, int(header["xyzt_units"]))


def open_nifti(path: Path) -> tuple[nib.Nifti1Image, np.ndarray]:
    """A file whose voxels are not read yet, and its affine to mm.

    Raises:
        InputError: damaged, a voxel size that is NaN or 0, an affine that cannot be inverted, a unit of space other
            than mm.
    """
    path.open("rb").close()  # nibabel would say of a file that may not be read that it is of another format
    try:
        image = nib.load(path, mmap=False)  # else the file stays open with the array, and Windows replaces no open file
        header, affine = image.header, np.asarray(image.affine, dtype=float)
    except (nib.filebasedimages.ImageFileError, HeaderDataError, *_DAMAGE) as error:
        raise _unreadable(path, error) from error
    unit = int(header["xyzt_units"]) & 7
    if _MILLIMETRES.get(unit) != 1.0:
        raise InputError(f"{path}: its voxel size is not in mm (NIfTI unit {unit}); save it in mm")
    with nib.openers.Opener(path) as file:
        stored = type(header).from_fileobj(file, check=False)  # nibabel's check turns a size of 0 into 1
    sizes = np.asarray(stored["pixdim"][1 : 1 + min(3, image.ndim)], dtype=float)
    if header["sform_code"] == 0 and not (np.isfinite(sizes).all() and (sizes > 0).all()):
        raise InputError(f"{path}: voxel size {sizes.tolist()}; every axis needs a positive one: mend its header")
    check_affine(path, affine)
    return image, affine


def stored_voxels(path: Path, image: nib.Nifti1Image, dtype: DTypeLike = None) -> np.ndarray:
    """Its voxels with the header's scaling applied; None: in the dtype that comes of that.

    Raises:
        InputError: damaged or cut off.
    """
    try:
        if not path.name.lower().endswith(".gz"):
            return np.asarray(image.dataobj, dtype=dtype)
        with gzip.open(path) as file:
            voxels = np.asarray(type(image).from_stream(file).dataobj, dtype=dtype)
            file.read()  # to the check sum behind the voxels, which nibabel does not reach
            return voxels
    except _DAMAGE as error:
        raise _unreadable(path, error) from error


def _warn_of_contradiction(path: Path, sform: np.ndarray, qform: np.ndarray) -> None:
    """Voxel sizes and sides are of the scan; to lie elsewhere, as in an atlas, is what two matrices are for."""
    (axes, sizes), (other_axes, other_sizes) = (
        (stored_axes(matrix), nib.affines.voxel_sizes(matrix)) for matrix in (sform, qform)
    )
    if axes != other_axes or not np.allclose(sizes, other_sizes, rtol=0.01):
        shown = f"{axes} and {other_axes}, {sizes.round(3).tolist()} and {other_sizes.round(3).tolist()} mm"
        warn(
            f"{path}: its sform and qform contradict each other ({shown}); the sform counts here, the qform in some "
            "programs: check that left and right are not exchanged and that volumes are right"
        )


def write_nifti(path: str | Path, array: np.ndarray, space: Space, *, overwrite: bool = False) -> None:
    """Write ``(X, Y, Z)`` in its own dtype with both matrices, their codes and the unit of ``space``.

    Raises:
        InputError: the file exists, or its name does not end in .nii or .nii.gz.
        OSError: the file could not be written; nothing half-written stays.
    """
    path = Path(path)
    if not path.name.lower().endswith(NIFTI_SUFFIXES):
        raise InputError(f"{path}: volumes are written as .nii.gz or .nii")
    image = nib.Nifti1Image(array, space.affine, dtype=array.dtype)
    # qform first: setting it fills pixdim, which the sform leaves alone
    image.set_qform(space.qform, space.qform_code)
    image.set_sform(space.sform, space.sform_code)
    image.header["xyzt_units"] = space.units
    content = image.to_bytes()
    if path.name.lower().endswith(".gz"):
        content = gzip.compress(content, compresslevel=6, mtime=0)
    with atomic_target(path, overwrite=overwrite) as partial:
        partial.write_bytes(content)


def write_label_volume(path: str | Path, labels: np.ndarray, space: Space, *, overwrite: bool = False) -> None:
    """Write a label volume as uint8, or uint16 where ids exceed 255.

    Raises:
        InputError: as :func:`write_nifti`; floats, negative ids, ids beyond uint16.
    """
    if labels.dtype.kind not in "uib":
        raise InputError(f"{path}: label volumes hold integers, not {labels.dtype}")
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < 0 or high > np.iinfo(np.uint16).max:
        raise InputError(f"{path}: ids from {low} to {high} do not fit uint16")
    write_nifti(path, labels.astype(np.uint8 if high < 256 else np.uint16), space, overwrite=overwrite)


_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, ValueError, OSError)


def _unreadable(path: Path, error: Exception) -> Exception:
    if isinstance(error, OSError) and error.errno is not None:
        return error
    return InputError(f"{path}: cannot be read as NIfTI, it is damaged or cut off ({error}); copy or export it again")
