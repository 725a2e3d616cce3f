"""MONAI's reader and writer interfaces over medseg.io, for `LoadImaged` and `SaveImaged` in any config.

MONAI's own TIFF path reads page 0 only, transposed, and writes one plane. `register()` puts these classes in
its place, so that a plain ``LoadImaged`` / ``SaveImaged`` reads and writes whole stacks with their pixel size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import PathLike
from monai.data import ImageReader, ImageWriter, image_writer, register_writer
from monai.transforms.io import array as monai_io_array
from monai.utils import MetaKeys, ensure_tuple

from medseg.errors import InputError
from medseg.io.geometry import Geometry, channel_first
from medseg.io.paths import is_image
from medseg.io.read import read_image
from medseg.io.write import write_image, write_labels


class MicroscopyReader(ImageReader):
    """TIFF, OME-TIFF, ImageJ and PNG for MONAI's ``LoadImage``.

    Args:
        axes: letters of the arrays' axes, for files that do not state them (see :class:`medseg.io.Geometry`).

    The array keeps its stored order with the channel axis first, if there is one; axes, spacing and unit
    travel in the metadata. Refuses what :func:`medseg.io.read_image` refuses.
    """

    def __init__(self, axes: str | None = None) -> None:
        super().__init__()
        self.axes = axes

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether all names end in a suffix that medseg reads."""
        return all(map(is_image, ensure_tuple(filename)))

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> list[Path]:
        """Note the files; what cannot be read is refused in :meth:`get_data`.

        An error here would make ``LoadImage`` try its other readers, and one of them may return page 0.
        """
        return [Path(d) for d in ensure_tuple(data)]

    def get_data(self, img: Sequence[Path]) -> tuple[np.ndarray, dict[str, Any]]:
        """Array (channel first where there are channels, files stacked as channels) and metadata.

        Raises:
            InputError: as :func:`medseg.io.read_image`; several files of different axes or shapes.
        """
        stored = [read_image(path, axes=self.axes) for path in img]
        arrays = [channel_first(*image) for image in stored]
        array, geometry = arrays[0]
        has_channels = geometry.axes[0] == "C"
        if len(arrays) > 1:
            for path, (other, its) in zip(img, arrays, strict=True):
                if its.axes != geometry.axes or other.shape[has_channels:] != array.shape[has_channels:]:
                    raise InputError(f"{path}: {its.axes} {other.shape} does not stack on {img[0]}: {array.shape}")
            array = np.concatenate([a if has_channels else a[None] for a, _ in arrays])
            has_channels = True
        spatial = array.shape[1:] if has_channels else array.shape
        meta = {
            **geometry.to_meta(),
            "stored_axes": stored[0][1].axes,
            MetaKeys.SPATIAL_SHAPE: np.asarray(spatial),
            MetaKeys.ORIGINAL_CHANNEL_DIM: 0 if has_channels else "no_channel",
            MetaKeys.AFFINE: geometry.affine(),
            "original_affine": geometry.affine(),
        }
        return np.ascontiguousarray(array), meta


class MicroscopyWriter(ImageWriter):
    """TIFF and PNG for MONAI's ``SaveImage``: whole stacks, integers as labels, axes and pixel size kept.

    Args:
        output_dtype: MONAI's ``SaveImage`` gives one always; float results are written with it, integer images
            are label images and get the smallest of uint16 and uint32 that holds them.
        overwrite: replace files that exist.
    """

    def __init__(self, output_dtype: Any = np.float32, overwrite: bool = True, **kwargs: Any) -> None:
        super().__init__(output_dtype=output_dtype, **kwargs)
        self.overwrite = overwrite
        self.geometry: Geometry | None = None

    def set_data_array(self, data_array: Any, channel_dim: int | None = 0, **kwargs: Any) -> None:
        """Take the ``(C, *spatial)`` array; one channel is dropped, more are kept as axis C."""
        array = data_array.detach().cpu().numpy() if isinstance(data_array, torch.Tensor) else np.asarray(data_array)
        if channel_dim is not None:
            array = np.moveaxis(array, channel_dim, 0)
            array = array[0] if array.shape[0] == 1 else array
        self.data_obj = array

    def set_metadata(self, meta_dict: Mapping | None = None, resample: bool = False, **options: Any) -> None:
        """Take axes, spacing and unit; arrays stay in stored order, so there is nothing to resample."""
        self.geometry = Geometry.from_meta(meta_dict) if meta_dict else None

    def write(self, filename: PathLike, verbose: bool = False, **kwargs: Any) -> None:
        """Write the file, wholly or not at all."""
        array, geometry = self.data_obj, self.geometry
        if geometry is not None:
            plain = geometry.without_channel()
            geometry = plain if len(plain.axes) == array.ndim else Geometry("C" + plain.axes, plain.spacing, plain.unit)
        if array.dtype.kind in "uib":
            write_labels(filename, array, geometry, overwrite=self.overwrite)
        else:
            dtype = np.dtype(self.output_dtype)
            write_image(filename, array.astype(dtype, copy=False), geometry, overwrite=self.overwrite)


class _TiffByDefault(MicroscopyReader):
    """Leaves PNG to MONAI's own reader, whose transposed arrays its PNG writer expects."""

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        return all(str(n).lower().endswith((".tif", ".tiff")) for n in ensure_tuple(filename))


def register() -> None:
    """Make MONAI use these classes for ``.tif`` and ``.tiff`` where a config names no reader or writer."""
    if not image_writer.SUPPORTED_WRITERS:
        image_writer.init()  # MONAI fills an empty table only: registering first would cost it NIfTI and PNG
    monai_io_array.SUPPORTED_READERS["microscopyreader"] = _TiffByDefault
    register_writer("tif", MicroscopyWriter)
    register_writer("tiff", MicroscopyWriter)


register()
