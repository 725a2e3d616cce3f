"""Read a volume of any format that medseg knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medseg.errors import InputError
from medseg.io.paths import ITK_SUFFIXES, NIFTI_SUFFIXES, VOLUME_SUFFIXES
from medseg.io.volume import Space


def read_volume(path: str | Path, *, series: str | None = None) -> tuple[np.ndarray, Space]:
    """Read a NIfTI, NRRD or MHA file or the DICOM series in a folder.

    Args:
        path: file or folder.
        series: of a folder with several DICOM series, the UID of one or its end.

    Returns:
        ``(X, Y, Z)`` float32 in stored order, and its place in the patient. A plane is a volume of one slice.

    Raises:
        InputError: no such file, another format, and whatever the format's reader refuses.
    """
    path = Path(path)
    if path.is_dir():
        from medseg.io.dicom import read_dicom

        return read_dicom(path, series)
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    name = path.name.lower()
    if name.endswith(NIFTI_SUFFIXES):
        from medseg.io.nifti import read_nifti

        return read_nifti(path)
    if name.endswith(ITK_SUFFIXES):
        from medseg.io.itk_volume import read_itk

        return read_itk(path)
    if name.endswith(".dcm"):
        raise InputError(f"{path}: a slice is no volume; name the folder that holds the DICOM series")
    raise InputError(f"{path}: not a volume medseg reads ({', '.join(VOLUME_SUFFIXES)} or a folder of DICOM files)")
