"""OpenKBP patients: sparse CSV files of a CT and its organs, 128 x 128 x 128 voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data_tools.convert.source import Sample, Source, existing_folder, found
from medseg.errors import InputError
from medseg.io.paths import natural_order

ORGANS = ("Brainstem", "SpinalCord", "RightParotid", "LeftParotid", "Esophagus", "Larynx", "Mandible")
SIZE = 128


def openkbp_patients(src: str | Path) -> list[Source]:
    """List the patients (`pt_*/ct.csv`) below `src`, each a group of its own.

    Raises:
        InputError: no such folder, or no patient below it.
    """
    root = existing_folder(src)
    folders = sorted((p.parent for p in root.rglob("pt_*/ct.csv")), key=natural_order)
    sources = [Source(p.name, lambda p=p: read_patient(p), group=p.name, stratum=p.parent.name) for p in folders]
    return found(sources, root, "folders pt_N with ct.csv, voxel_dimensions.csv and one CSV per organ")


def read_patient(folder: Path) -> Sample:
    """Read a patient as a CT in HU (int16) and labels (1..7 in the order of `ORGANS`), axes (x, y, z).

    The CSV files store positions in a C-ordered array (y, x, z). CT values lie 1000 above HU (inferred from
    fat and muscle; the authors do not say), voxels that are not stored are air. The stored axes run to the
    left, to the back and to the feet, whence the negative affine; its origin is the centre of the volume.

    Raises:
        InputError: files missing or damaged, or an organ that was not contoured (its CSV is missing).
    """
    ct = _dense(folder / "ct.csv").round().astype(np.int64) - 1000
    if ct.max() > np.iinfo(np.int16).max or ct.min() < np.iinfo(np.int16).min:
        raise InputError(f"{folder / 'ct.csv'}: values up to {ct.max()} HU; the file is damaged")
    labels = np.zeros(ct.shape, dtype=np.uint8)
    missing = [organ for organ in ORGANS if not (folder / f"{organ}.csv").is_file()]
    if missing:
        raise InputError(f"{folder}: {', '.join(missing)} not contoured; it would be learnt as background")
    overlap = 0
    for value, organ in enumerate(ORGANS, start=1):
        inside = _dense(folder / f"{organ}.csv", mask=True) > 0
        overlap += int((labels[inside] > 0).sum())
        labels[inside] = value
    notes = (f"{overlap} voxels lie in several organs; the last keeps them",) if overlap else ()
    return Sample(
        np.ascontiguousarray(ct.astype(np.int16).transpose(1, 0, 2)),
        np.ascontiguousarray(labels.transpose(1, 0, 2)),
        affine=_affine(folder / "voxel_dimensions.csv"),
        notes=notes,
    )


def _dense(path: Path, *, mask: bool = False) -> np.ndarray:
    try:
        table = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2, usecols=(0,) if mask else (0, 1))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a sparse CSV file ({error})") from error
    if table.size == 0:
        raise InputError(f"{path}: holds no voxels")
    position = table[:, 0]
    whole = np.isfinite(position) & (position == np.floor(position))
    if not whole.all() or position.min() < 0 or position.max() >= SIZE**3:
        raise InputError(f"{path}: positions must be whole numbers from 0 to {SIZE**3 - 1}")
    values = np.ones(len(table)) if mask else table[:, 1]
    if not np.isfinite(values).all():
        raise InputError(f"{path}: values are missing; the file is damaged or cut off")
    dense = np.zeros(SIZE**3)
    dense[position.astype(np.int64)] = values
    return dense.reshape(SIZE, SIZE, SIZE)


def _affine(path: Path) -> np.ndarray:
    try:
        spacing = np.loadtxt(path).ravel()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as three voxel sizes in mm ({error})") from error
    if spacing.shape != (3,) or not (spacing > 0).all():
        raise InputError(f"{path}: expected three positive voxel sizes in mm, found {spacing.tolist()}")
    affine = np.diag([*-spacing, 1.0])
    affine[:3, 3] = spacing * (SIZE - 1) / 2
    return affine
