"""Writes DICOM series as a scanner leaves them: names and numbers in another order than the slices."""

import numpy as np
import SimpleITK as sitk

SHAPE, SPACING = (5, 4, 6), (0.8, 1.1, 2.5)  # x, y, z


def hounsfield() -> np.ndarray:
    return (np.arange(np.prod(SHAPE)).reshape(SHAPE) * 20 - 1024).astype(np.int16)


def write_series(
    folder,
    array=None,
    *,
    spacing=SPACING,
    uid="1.2.826.1",
    orientation=(1, 0, 0, 0, 1, 0),
    places=None,
    name="{:02d}.dcm",
    tags=None,
):
    """One file per slice; ``places`` are their positions along the normal, in mm."""
    array = hounsfield() if array is None else array
    folder.mkdir(parents=True, exist_ok=True)
    places = np.arange(array.shape[2]) * spacing[2] if places is None else places
    prime = 7 if len(places) <= 7 else 101
    normal = np.cross(orientation[:3], orientation[3:])
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k, place in enumerate(places):
        image = sitk.GetImageFromArray(array[:, :, k].T)
        image.SetSpacing(spacing[:2])
        position = np.array([-10.0, 20.0, 30.0]) + place * normal
        values = {
            "0008|0060": "CT",
            "0008|0018": f"{uid}.{len(list(folder.iterdir()))}.{k}",
            "0008|103e": "neck",
            "0020|000e": uid,
            "0020|000d": "1.2.826.0",
            "0020|0013": str(len(places) - k),  # instance numbers run the other way
            "0020|0032": "\\".join(f"{v:.6f}" for v in position),
            "0020|0037": "\\".join(f"{v:.6f}" for v in orientation),
            "0028|1052": "-1024",
            "0028|1053": "1",
        } | (tags or {}).get(k, {})
        for tag, value in values.items():
            image.SetMetaData(tag, value)
        # names in another order than the places
        writer.SetFileName(str(folder / name.format((k * 5) % prime)))
        writer.Execute(image)
    return folder
