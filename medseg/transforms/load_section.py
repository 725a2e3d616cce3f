"""Load an image and its labels for training, one section of a stack at a time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from medseg.errors import InputError
from medseg.io import Geometry, channel_first, read_image, read_labels


class LoadSectiond(MapTransform):
    """Read files into channel-first MetaTensors ``(C, Y, X)``, as :func:`medseg.io.training_items` lists them.

    Args:
        keys: file names to read, the image first.
        label_keys: those among them that are label images: int32, one channel, of the image's shape.
        section_key: index of the section of a stack; -1 or missing for a file of one image.
        axes: axes of the images that do not state them.

    Raises:
        InputError: as :func:`medseg.io.read_image`; a label image of another shape than its image.
    """

    def __init__(
        self,
        keys: KeysCollection = ("image", "label"),
        label_keys: KeysCollection = ("label",),
        section_key: str = "section",
        axes: str | None = None,
    ) -> None:
        super().__init__(keys)
        self.label_keys = (label_keys,) if isinstance(label_keys, str) else tuple(label_keys)
        self.section_key, self.axes = section_key, axes

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with the file names replaced by what the files hold."""
        result, shape = dict(data), None
        section = int(data.get(self.section_key, -1))
        for key in self.keys:
            path = str(data[key])
            array, geometry = _read(path, key in self.label_keys, self.axes, _version(path))
            array = array if "C" in geometry.axes else array[None]
            if shape is not None and array.shape[1:] != shape:
                raise InputError(f"{path}: has shape {array.shape[1:]}, its image {shape}")
            shape = array.shape[1:]
            if section >= 0:
                array, geometry = _section(path, array, geometry, section)
            meta = {**geometry.to_meta(), "filename_or_obj": path, "spatial_shape": np.asarray(array.shape[1:])}
            own = np.array(array, order="C")  # what a later transform writes must not reach the cache
            result[key] = MetaTensor(own, affine=torch.from_numpy(geometry.affine()), meta=meta)
        return result


def _version(path: str) -> tuple[int, int] | None:
    """Differs once a file was written anew, so that the cache does not give what it held before."""
    try:
        stat = Path(path).stat()
    except OSError:
        return None  # reading it tells what is wrong
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=4)
def _read(path: str, is_label: bool, axes: str | None, version: tuple[int, int] | None) -> tuple[np.ndarray, Geometry]:
    array, geometry = read_labels(path) if is_label else read_image(path, axes=axes)
    array, geometry = channel_first(array, geometry)
    # torch has no arithmetic on uint16 and uint32
    fits = array.dtype.kind in "ui" and int(array.max()) <= np.iinfo(np.int32).max
    if is_label and not fits:
        raise InputError(f"{path}: ids up to {array.max()} are more than int32 holds; number the objects from 1 on")
    return array.astype(np.int32 if fits else np.float32), geometry


def _section(path: str, array: np.ndarray, geometry: Geometry, index: int) -> tuple[np.ndarray, Geometry]:
    channels = array.shape[0]
    flat = array.reshape(channels, -1, *array.shape[-2:])
    if index >= flat.shape[1]:
        raise InputError(f"{path}: has {flat.shape[1]} sections, so none of index {index}")
    spacing = geometry.spacing[-2:] if geometry.spacing else None
    return flat[:, index], Geometry("CYX" if "C" in geometry.axes else "YX", spacing, geometry.unit)
