"""Which files belong to an input, and what an output of one is called."""

from __future__ import annotations

import glob
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from medseg.errors import InputError

JPEG_SUFFIXES = (".jpg", ".jpeg")
IMAGE_SUFFIXES = (".tif", ".tiff", ".png", *JPEG_SUFFIXES)
NIFTI_SUFFIXES = (".nii.gz", ".nii")
ITK_SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
VOLUME_SUFFIXES = (*NIFTI_SUFFIXES, *ITK_SUFFIXES)
FROM_OTHER_FORMATS = "save images of other formats as OME-TIFF, with Fiji for example"
_LEFT_BY_WINDOWS = ("thumbs.db", "desktop.ini")
_STEM_ENDINGS = (".ome.tiff", ".ome.tif", *IMAGE_SUFFIXES, *VOLUME_SUFFIXES)


def is_image(path: str | Path) -> bool:
    """Whether the name ends like a format that medseg reads."""
    return str(path).lower().endswith(IMAGE_SUFFIXES)


def is_volume(path: str | Path) -> bool:
    """Whether the name ends like a format of volumes that medseg reads."""
    return str(path).lower().endswith(VOLUME_SUFFIXES)


def is_hidden(name: str) -> bool:
    """Whether file browsers do not show a file of this name, so that nobody put it there on purpose."""
    return name.startswith(".") or name.lower() in _LEFT_BY_WINDOWS


def image_stem(path: str | Path) -> str:
    """File name without its image suffix: ``x`` for ``x.tif``, ``x.ome.tif``, ``x.nii.gz``; a folder's whole name."""
    if Path(path).is_dir():
        return Path(path).resolve().name
    name = Path(path).name
    for ending in _STEM_ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return Path(name).stem


def composed(name: str) -> str:
    """The name with each accented letter as one character: Finder parts ``é`` into ``e`` and its accent, others do not.

    Names of files that belong together are compared so; a file is opened by the name that it has.
    """
    return unicodedata.normalize("NFC", name)


def by_stem(files: Iterable[Path]) -> dict[str, Path]:
    """Files by their :func:`composed` stem, in the order given.

    Raises:
        InputError: two files of one stem.
    """
    found: dict[str, Path] = {}
    for path in files:
        stem = composed(image_stem(path))
        if (other := found.setdefault(stem, path)) is not path:
            raise InputError(f"{other} and {path} have the same stem {stem!r}; rename or remove one")
    return found


def readable(name: str) -> str:
    """A file's name as text that can be written and drawn: bytes that are not UTF-8 as backslash escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def list_images(inputs: str | Path | Iterable[str | Path], suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> list[Path]:
    """Image files of files, folders (not their subfolders) and glob patterns, in natural order.

    A link that leads nowhere is listed like the file that it should be, so that whoever reads it names it.

    Args:
        inputs: one or several of them.
        suffixes: what counts as an image in folders and patterns.

    Raises:
        InputError: a file that is not there, a folder or pattern without images, no input at all.
    """
    if isinstance(inputs, str | Path):
        inputs = [inputs]

    def ends(path: str | Path) -> bool:
        return str(path).lower().endswith(suffixes)

    files: dict[Path, None] = {}
    for item in inputs:
        path = Path(item)
        if path.is_dir():
            found = [p for p in path.iterdir() if ends(p) and not p.is_dir() and not p.name.startswith(".")]
            if not found:
                if suffixes == IMAGE_SUFFIXES and any(map(is_volume, path.iterdir())):
                    raise InputError(f"{path}: holds volumes; CT bundles segment them, see docs/volumes.md")
                raise InputError(f"{path}: no images in this folder ({_looked_for(suffixes)})")
        elif path.exists():
            found = [path]
        elif glob.has_magic(str(item)):
            found = [Path(p) for p in glob.glob(str(item), recursive=True) if ends(p) and not Path(p).is_dir()]
            if not found:
                raise InputError(f"{item}: no image matches this pattern ({_looked_for(suffixes)})")
        else:
            raise InputError(f"{path}: no such file or folder")
        files.update(dict.fromkeys(sorted(found, key=natural_order)))
    if not files:
        raise InputError("no input given: name an image, a folder of images or a pattern")
    return list(files)


def _looked_for(suffixes: tuple[str, ...]) -> str:
    advice = FROM_OTHER_FORMATS if suffixes == IMAGE_SUFFIXES else "of a DICOM series name the folder"
    return f"looked for {', '.join(suffixes)}; {advice}"


def natural_order(path: str | Path) -> list[tuple[int, int, str]]:
    """Key that sorts x2 before x10."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p.lower()) for p in parts]
