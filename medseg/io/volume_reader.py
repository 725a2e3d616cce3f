"""MONAI's reader interface over :func:`medseg.io.read_volume`, for `LoadImaged` in any config."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import PathLike
from monai.data import ImageReader
from monai.utils import MetaKeys, ensure_tuple

from medseg.errors import InputError
from medseg.io.paths import is_volume
from medseg.io.read_volume import read_volume


class VolumeReader(ImageReader):
    """NIfTI, NRRD, MHA and DICOM series for MONAI's ``LoadImage``; refuses what does not place its voxels.

    MONAI's own readers take 4D files for channels, unordered or incomplete DICOM series for volumes, and repair
    affines in silence.

    Args:
        series: of a folder with several DICOM series, the UID of one or its end; a command line gives a short end as
            a whole number.

    Raises:
        InputError: a decimal number, whose last digits may be lost.
    """

    def __init__(self, series: str | int | None = None) -> None:
        super().__init__()
        if isinstance(series, float):
            raise InputError(f"series={series} came as a number, its digits may have changed: give more of the UID")
        self.series = None if series is None else str(series)

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether all names are volumes or folders."""
        return all(Path(n).is_dir() or is_volume(n) for n in ensure_tuple(filename))

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> list[Path]:
        """Note the file; what cannot be read is refused in :meth:`get_data`, so that no other reader is tried."""
        return [Path(d) for d in ensure_tuple(data)]

    def get_data(self, img: Sequence[Path]) -> tuple[np.ndarray, dict[str, Any]]:
        """``(X, Y, Z)`` float32, and metadata with the affine to RAS millimetres.

        Raises:
            InputError: as :func:`medseg.io.read_volume`; several files at once.
        """
        if len(img) != 1:
            raise InputError(f"{img[0]}: one volume at a time, these are {len(img)} files")
        array, space = read_volume(img[0], series=self.series)
        return array, {
            **space.to_meta(),
            "input_shape": np.asarray(array.shape),
            MetaKeys.SPATIAL_SHAPE: np.asarray(array.shape),
            MetaKeys.ORIGINAL_CHANNEL_DIM: "no_channel",
            MetaKeys.AFFINE: space.affine,
            MetaKeys.ORIGINAL_AFFINE: space.affine,
        }
