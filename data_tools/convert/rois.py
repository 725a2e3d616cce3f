"""ImageJ and StarDist regions of interest: `NAME.tif` with `NAME.zip`, `NAME_rois.zip` or `NAME.roi`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_tools.convert.paint import painted_sample, read_plane
from data_tools.convert.source import Sample, Source, existing_folder, found
from data_tools.layout import is_data_file
from medseg.errors import InputError
from medseg.io import image_stem

if TYPE_CHECKING:
    from roifile import ImagejRoi

_ENDINGS = (".zip", "_rois.zip", "_RoiSet.zip", ".roi")


def roi_folder(src: str | Path) -> list[Source]:
    """List the images of a folder that have a file of outlines beside them.

    Raises:
        InputError: no such folder, or no image with outlines.
    """
    root = existing_folder(src)
    sources = []
    for image in sorted(p for p in root.iterdir() if is_data_file(p)):
        stem = image_stem(image)
        outlines = next((root / f"{stem}{e}" for e in _ENDINGS if (root / f"{stem}{e}").is_file()), None)
        if outlines is not None:
            sources.append(Source(stem, lambda i=image, o=outlines: _read(i, o)))
    return found(sources, root, "images with outlines, like cell.tif and cell.zip")


def _read(image_path: Path, outlines: Path) -> Sample:
    image, geometry = read_plane(image_path)
    return painted_sample(image, geometry, roi_masks(outlines, image.shape[:2]))


def roi_masks(path: Path, shape: tuple[int, int]) -> list[tuple[tuple[slice, ...], np.ndarray]]:
    """Return (window, mask) of each area region in a `.roi` or `.zip` file; lines and points are no areas.

    Pixel (y, x) belongs to a region where its centre (y + 0.5, x + 0.5) lies inside, as in ImageJ. A composite
    region (with holes, or in several pieces) is one mask.

    Raises:
        InputError: not readable as ImageJ regions, none that encloses an area, or one with curved edges.
    """
    import roifile

    try:
        regions = roifile.roiread(path)
    except Exception as error:  # zipfile, struct and roifile raise many types on a damaged file
        raise InputError(f"{path}: cannot be read as ImageJ regions ({error})") from error
    regions = regions if isinstance(regions, list) else [regions]
    areas = [r for r in regions if r.roitype.name in ("POLYGON", "FREEHAND", "TRACED", "RECT", "OVAL")]
    if not areas:
        raise InputError(f"{path}: none of its {len(regions)} regions encloses an area")
    return [_area_mask(path, region, shape) for region in areas]


def _area_mask(path: Path, region: ImagejRoi, shape: tuple[int, int]) -> tuple[tuple[slice, ...], np.ndarray]:
    from skimage.measure import grid_points_in_poly

    kind = region.roitype.name
    top, left = max(region.top, 0), max(region.left, 0)
    bottom, right = min(region.bottom, shape[0]), min(region.right, shape[1])
    window = (slice(top, max(bottom, top)), slice(left, max(right, left)))
    size = (window[0].stop - top, window[1].stop - left)
    if 0 in size or (kind == "RECT" and not region.composite):  # composites are saved with the type RECT
        return window, np.ones(size, dtype=bool)
    if kind == "OVAL":
        y = (np.arange(top, window[0].stop) + 0.5 - (region.top + region.bottom) / 2)[:, None]
        x = (np.arange(left, window[1].stop) + 0.5 - (region.left + region.right) / 2)[None, :]
        ry, rx = (region.bottom - region.top) / 2, (region.right - region.left) / 2
        return window, (y / ry) ** 2 + (x / rx) ** 2 <= 1
    try:
        outlines = region.coordinates(multi=True)
    except (RuntimeError, IndexError) as error:  # of composites: curves, or a path that breaks off
        raise InputError(
            f"{path}: the outline of {region.name!r} cannot be read ({error}); make it a polygon in ImageJ and save it"
        ) from error
    mask = np.zeros(size, dtype=bool)
    for outline in outlines:  # an outline inside another is a hole
        mask ^= grid_points_in_poly(size, outline[:, ::-1] - (top + 0.5, left + 0.5))
    return window, mask
