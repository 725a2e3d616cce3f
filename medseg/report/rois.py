"""Outlines of the objects for ImageJ's ROI Manager: opened beside the image, corrected and measured there."""

from __future__ import annotations

import zipfile
from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from monai.utils import convert_to_numpy
from scipy.ndimage import find_objects
from skimage.measure import find_contours

from medseg.io.atomic import atomic_target
from medseg.io.result_saver import ResultSaver
from medseg.io.save import geometry_of

if TYPE_CHECKING:
    from roifile import ImagejRoi

_MOVE, _LINE, _CLOSE = 0, 1, 4  # of a path of several outlines, as Java's PathIterator numbers them


class SaveRoisd(ResultSaver):
    """Write ``<output_dir>/<stem>_rois.zip`` for each label image (see :func:`image_rois`).

    Args:
        keys: label images ``(1, *spatial)``, MetaTensors that know their input file.
        output_dir: folder; made if missing.
        overwrite: replace files that exist.

    Raises:
        InputError: a file that exists.
    """

    def write(self, data: Mapping[Hashable, Any], key: Hashable) -> None:
        """Write the file of one key."""
        target = self.target(data, key, "rois.zip")
        geometry = geometry_of(data[key])
        rois = image_rois(convert_to_numpy(data[key])[0], geometry.axes if geometry else None)
        with atomic_target(target, overwrite=self.overwrite) as partial, zipfile.ZipFile(partial, "w") as file:
            for roi in rois:
                # ZipInfo has a fixed date: the same objects give the same file
                file.writestr(zipfile.ZipInfo(f"{roi.name}.roi"), roi.tobytes(), zipfile.ZIP_DEFLATED)


def image_rois(labels: np.ndarray, axes: str | None = None) -> Iterator[ImagejRoi]:
    """One ImageJ region per object and section, with exactly the object's pixels.

    Args:
        labels: ``(*sections, Y, X)`` integer, 0 = background.
        axes: letters of the array's axes; of a stack a region knows its place along ``Z`` and ``T``.

    Yields:
        Regions named by the object's id, ``0012``; in a stack by section and id, ``0003-0012``, sections counted from
        1 as in ImageJ. An object with holes or of several pieces is a composite.
    """
    sections = labels.reshape(-1, *labels.shape[-2:])
    for number, section in enumerate(sections):
        place = np.unravel_index(number, labels.shape[:-2]) if labels.ndim > 2 else ()
        for index, window in enumerate(find_objects(section), start=1):
            if window is None:
                continue
            corner = np.array([window[1].start, window[0].start])
            roi = _region([corner + line for line in _outlines(section[window] == index)])
            roi.name = f"{index:04d}" if labels.ndim == 2 else f"{number + 1:04d}-{index:04d}"
            if labels.ndim > 2:
                roi.position = number + 1
                named = dict(zip(axes or "", place, strict=False))
                roi.z_position, roi.t_position = (int(named[a]) + 1 if a in named else 0 for a in "ZT")
            yield roi


def _outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Closed lines ``(n, 2)`` of x, y around the pixels; whole numbers are pixel edges, as in ImageJ."""
    lines = find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    return [_corners(line[:-1, ::-1]) - 0.5 for line in lines]  # -1 for the padding, +0.5 to edges


def _corners(line: np.ndarray) -> np.ndarray:
    """The points of a closed line at which it turns."""
    (x0, y0), (x1, y1) = (line - np.roll(line, 1, axis=0)).T, (np.roll(line, -1, axis=0) - line).T
    return line[x0 * y1 != y0 * x1]


def _region(outlines: list[np.ndarray]) -> ImagejRoi:
    from roifile import ROI_TYPE, ImagejRoi

    if len(outlines) == 1:
        return ImagejRoi.frompoints(outlines[0], name="")
    path: list[float] = []
    for line in outlines:
        for kind, (x, y) in zip([_MOVE] + [_LINE] * (len(line) - 1), line, strict=True):
            path += [kind, x, y]
        path.append(_CLOSE)
    roi = ImagejRoi()
    roi.roitype = ROI_TYPE.RECT  # as ImageJ stores composites
    roi.multi_coordinates, roi.shape_roi_size = np.array(path, np.float32), len(path)
    points = np.concatenate(outlines)
    (roi.left, roi.top), (roi.right, roi.bottom) = (
        points.min(0).astype(int).tolist(),
        points.max(0).astype(int).tolist(),
    )
    return roi
