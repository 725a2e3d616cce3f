"""Which file an image came from, for error messages and for the names of results."""

from __future__ import annotations

from typing import Any

from monai.data import MetaTensor
from monai.utils import ImageMetaKey

from medseg.errors import InputError


def source_file(image: Any) -> str:
    """Name of the file that an image was read from.

    Raises:
        InputError: it carries none.
    """
    name = _stored_name(image)
    if name is None:
        raise InputError("a result carries no file name to be saved under: load images with LoadImaged")
    return name


def describe_source(image: Any) -> str:
    """``" of <file>"`` to put into an error message, or an empty string where the file is unknown."""
    name = _stored_name(image)
    return f" of {name}" if name else ""


def _stored_name(image: Any) -> str | None:
    name = image.meta.get(ImageMetaKey.FILENAME_OR_OBJ) if isinstance(image, MetaTensor) else None
    return str(name) if name else None
