"""The transform at the end of a bundle that writes one result per input image."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.io.geometry import Geometry
from medseg.io.result_saver import ResultSaver
from medseg.io.source_file import source_file
from medseg.io.write import write_image, write_labels


class SaveImageResultd(ResultSaver):
    """Write ``(1, *spatial)`` results as ``<output_dir>/<stem>_<postfix><suffix>``.

    Integer results are label images (:func:`medseg.io.write_labels`); float results are written as float32.
    Axes, pixel size and unit are those of the input image. MONAI Deploy and MONAI Label, which take over
    saving, recognise it by the ``SaveImage`` in its name.

    Args:
        keys: results to write; each a MetaTensor that still knows its input file.
        output_dir: folder; made if missing.
        postfix: what is appended to the input's stem.
        suffix: ``.tif`` or ``.png``.
        overwrite: replace files that exist.

    Raises:
        InputError: an existing file, a result of several channels, or one that names no input file.
        OSError: the file could not be written; nothing half-written stays.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        postfix: str = "labels",
        suffix: str = ".tif",
        overwrite: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, output_dir, overwrite, allow_missing_keys)
        self.postfix, self.suffix = postfix, suffix

    def write(self, data: Mapping[Hashable, Any], key: Hashable) -> None:
        """Write the file of one key."""
        result = data[key]
        if result.shape[0] != 1:
            name = source_file(result)
            raise InputError(f"{name}: the result {key!r} has {result.shape[0]} channels; one can be saved")
        target = self.target(data, key, f"{self.postfix}{self.suffix}")
        array, geometry = result[0].detach().cpu().numpy(), geometry_of(result)
        if array.dtype.kind in "uib":
            write_labels(target, array, geometry, overwrite=self.overwrite)
        else:
            write_image(target, array.astype(np.float32), geometry, overwrite=self.overwrite)


def geometry_of(image: MetaTensor) -> Geometry | None:
    """Geometry without channel axis of an image read by medseg; None for other readers."""
    geometry = Geometry.from_meta(image.meta)
    return None if geometry is None else geometry.without_channel()
