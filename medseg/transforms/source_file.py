"""Which file an array came from, for error messages."""

from __future__ import annotations

from typing import Any

from monai.data import MetaTensor
from monai.utils import ImageMetaKey


def source_file(img: Any) -> str | None:
    """File name that MONAI's readers stored with ``img``, or None where nothing is stored."""
    name = img.meta.get(ImageMetaKey.FILENAME_OR_OBJ) if isinstance(img, MetaTensor) else None
    return str(name) if name else None


def describe_source(img: Any) -> str:
    """``" of <file>"`` to put into an error message, or an empty string where the file is unknown."""
    name = source_file(img)
    return f" of {name}" if name else ""
