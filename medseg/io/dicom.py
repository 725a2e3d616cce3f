"""A DICOM series in a folder as one volume; refused where its slices do not make an even stack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from medseg.errors import InputError
from medseg.io.dicom_header import Slice, dicom_images, last_line, read_header
from medseg.io.volume import LPS_TO_RAS, Space, check_affine, check_volume

_PERHAPS_CT = ("CT", "OT", "")  # OT is what programs write that do not know better
_UNEVEN = 0.02  # of the slice distance: a rounding of positions to 0.01 mm passes, a missing slice does not
_LEAST_TILT_DEG = 0.5
_MOST_ASIDE = 0.5  # pixels that a slice may lie beside the line from the first to the last one


def is_dicom_folder(folder: Path) -> bool:
    """Whether a file of the folder is a DICOM image by its first bytes; looks at all files until one is."""
    return any(True for _ in dicom_images(folder))


def holds_ct(folder: Path) -> bool:
    """Whether a DICOM image of the folder may be a slice of a CT: no localizer, no MR; a damaged one may be.

    Raises:
        OSError: the folder cannot be opened.
    """
    for path in dicom_images(folder):
        try:
            if _why_no_ct(read_header(path)) is None:
                return True
        except InputError:  # whoever reads the series says what is wrong
            return True
    return False


def read_dicom(folder: Path, series: str | None = None) -> tuple[np.ndarray, Space]:
    """Read the series in a folder as ``(X, Y, Z)`` float32, rescaled to HU, sorted along the slices' normal.

    Args:
        folder: its files (not those of subfolders); what is no DICOM image is passed over, as are structure sets,
            doses, segmentations, reports, localizers, and images of other modalities than CT.
        series: UID of the series, or the end of it, where the folder holds several.

    Raises:
        InputError: no CT series or several, colour or multi-frame files, slices of different size, spacing or
            orientation, doubled, missing or unevenly spaced slices, gantry tilt, a single slice of unknown thickness;
            the slice is named.
    """
    headers = [read_header(path) for path in dicom_images(folder)]
    reasons = [_why_no_ct(header) for header in headers]
    if headers and None not in reasons:
        raise InputError(f"{folder}: no CT slices in this folder, only {' and '.join(sorted(set(reasons)))}")
    of_ct = [header for header, reason in zip(headers, reasons, strict=True) if reason is None]
    slices = _sort_slices(folder, _choose(folder, of_ct, series))
    affine = _affine(slices)
    check_affine(folder, affine)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(s.path) for s in slices])
    reader.SetOutputPixelType(sitk.sitkFloat32)  # else that of the first slice, in which values of others may wrap
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(
            f"{folder}: its slices cannot be read ({last_line(error)}); export the series again"
        ) from error
    return check_volume(folder, sitk.GetArrayFromImage(image).T), Space.scanner(affine)


def _sort_slices(folder: Path, slices: list[Slice]) -> list[Slice]:
    """The slices of one series from one end to the other.

    Raises:
        InputError: they do not make an even stack; the slice that does not fit is named.
    """
    for s in slices:
        if s.samples != 1:
            raise InputError(f"{s.path}: a colour image ({s.samples} values per pixel), no CT slice; remove it")
        if s.frames > 1:
            raise InputError(
                f"{s.path}: a multi-frame (enhanced) DICOM of {s.frames} frames; convert it to NIfTI, "
                "for example with dcm2niix"
            )
        if s.position is None or s.orientation is None or s.spacing is None:
            raise InputError(f"{s.path}: does not say where it lies (position, orientation or pixel spacing missing)")
        if len(slices) == 1 and (s.thickness is None or s.thickness <= 0):
            raise InputError(f"{s.path}: a single slice that does not say how thick it is (SliceThickness)")
    first = slices[0]
    for s in slices:
        for what, mine, its in (
            ("size", s.size, first.size),
            ("pixel spacing", s.spacing, first.spacing),
            ("orientation", s.orientation, first.orientation),
        ):
            if not np.allclose(mine, its, atol=1e-3):
                raise InputError(f"{s.path}: its {what} {_plain(mine)} is not that of {first.path.name}, {_plain(its)}")
    normal = np.cross(first.orientation[:3], first.orientation[3:])
    slices = sorted(slices, key=lambda s: float(s.position @ normal))
    _check_even(folder, slices, normal)
    return slices


def _check_even(folder: Path, slices: list[Slice], normal: np.ndarray) -> None:
    if len(slices) < 2:
        return
    positions = np.array([s.position for s in slices])
    gaps = np.diff(positions @ normal)
    usual = float(np.median(gaps))
    for k in np.flatnonzero(gaps < max(1e-3, 0.01 * usual)):
        raise InputError(
            f"{folder}: {slices[k].path.name} and {slices[k + 1].path.name} lie at the same place; "
            "remove one, or keep one series (time point, reconstruction) per folder"
        )
    worst = int(np.abs(gaps - usual).argmax())
    if abs(gaps[worst] - usual) > _UNEVEN * usual:
        missing = round(gaps[worst] / usual) - 1
        likely = f"; {missing} missing there" if missing > 0 and len(slices) > 2 else ""
        raise InputError(
            f"{folder}: {gaps[worst]:.3f} mm lie between {slices[worst].path.name} and {slices[worst + 1].path.name}, "
            f"{usual:.3f} mm between most slices{likely}; export the whole series again"
        )
    along = positions[-1] - positions[0]
    share = ((positions - positions[0]) @ normal / (along @ normal))[:, None]
    aside = np.linalg.norm(positions - positions[0] - share * along, axis=1)
    if aside.max() > _MOST_ASIDE * slices[0].spacing.min():
        name = slices[int(aside.argmax())].path.name
        raise InputError(
            f"{folder}: {name} lies {aside.max():.1f} mm beside the line of the others; keep one scan per folder, or "
            "export the series again"
        )
    tilt = np.degrees(np.arccos(np.clip(along @ normal / np.linalg.norm(along), -1, 1)))
    if tilt > _LEAST_TILT_DEG:
        raise InputError(
            f"{folder}: the slices are sheared by {tilt:.1f} degrees (gantry tilt); resample the series to a straight "
            "stack first, dcm2niix does so"
        )


def _affine(slices: list[Slice]) -> np.ndarray:
    first = slices[0]
    across, down = first.orientation[:3], first.orientation[3:]
    affine = np.eye(4)
    affine[:3, 0] = across * first.spacing[1]  # PixelSpacing is between rows, then between columns
    affine[:3, 1] = down * first.spacing[0]
    if len(slices) > 1:
        affine[:3, 2] = (slices[-1].position - first.position) / (len(slices) - 1)
    else:
        affine[:3, 2] = np.cross(across, down) * first.thickness
    affine[:3, 3] = first.position
    return LPS_TO_RAS @ affine


def _choose(folder: Path, slices: list[Slice], series: str | None) -> list[Slice]:
    by_series: dict[str, list[Slice]] = {}
    for s in slices:
        by_series.setdefault(s.series, []).append(s)
    if not by_series:
        raise InputError(f"{folder}: no DICOM images in this folder")
    known = "; ".join(f"{uid} ({len(of)} slices, {of[0].description or 'unnamed'})" for uid, of in by_series.items())
    if series is not None:
        chosen = [of for uid, of in by_series.items() if uid.endswith(series)]
        if len(chosen) != 1:
            raise InputError(f"{folder}: {series!r} does not name one series; there are {known}")
        return chosen[0]
    if len(by_series) > 1:
        raise InputError(
            f"{folder}: holds {len(by_series)} series: {known}; keep one per folder, or choose one with "
            "--set series=UID (its end is enough)"
        )
    return next(iter(by_series.values()))


def _why_no_ct(header: Slice) -> str | None:
    """What an image is instead of a slice of a CT; None of those that may be one."""
    if header.is_localizer:
        return "localizers (scouts)"
    return None if header.modality in _PERHAPS_CT else f"images of modality {header.modality}"


def _plain(values: object) -> str:
    return ", ".join(f"{float(v):g}" for v in np.ravel(values))
