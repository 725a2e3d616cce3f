"""Which files a prediction runs on, and which of them must not be touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from medseg.errors import InputError
from medseg.io import image_stem, list_images
from medseg.io.list_volumes import subfolders_left_out
from medseg.io.paths import FROM_OTHER_FORMATS, composed, is_hidden, is_image, is_volume

RESULT_SUFFIXES = {
    "labels": ".tif",
    "probability": ".tif",
    "overlay": ".png",
    "objects": ".csv",
    "coco": ".json",
    "rois": ".zip",
    "structures": ".csv",  # of volumes, as is the preview
    "preview": ".png",
}

ON_REQUEST = ("probability", "overlay", "coco", "rois")  # of images


def name_images(item: str) -> dict[Path, str]:
    """Image files of one input; their results are named after them."""
    return {path: image_stem(path) for path in list_images(item)}


def gather_inputs(
    inputs: Iterable[str], name_files: Callable[[str], Mapping[Path, str]] = name_images
) -> tuple[dict[Path, str], list[str]]:
    """Files (and DICOM folders) of all inputs by what their results are named after, and what is wrong with the others.

    Args:
        inputs: as the user named them.
        name_files: files that one input stands for, with the names of their results: :func:`name_images` or
            :func:`medseg.io.name_volumes`.

    Raises:
        InputError: two files whose results would have the same name.
    """
    files: dict[Path, str] = {}
    problems = []
    for item in inputs:
        try:
            files |= {path: stem for path, stem in name_files(item).items() if path not in files}
        except InputError as error:
            problems.append(str(error))
    by_stem: dict[str, Path] = {}
    for path, stem in files.items():
        other = by_stem.setdefault(composed(stem).lower(), path)
        if other is not path:
            raise InputError(
                f"{other} and {path} would write results of the same name; predict them into two folders"
                + (
                    ", or name the folder above them: results are named after the way from there"
                    if path.is_dir()
                    else f', or only one of the two kinds with a pattern in quotes, "FOLDER/*{_ending(path)}"'
                )
            )
    return files, problems


def _ending(path: Path) -> str:
    return path.name.removeprefix(image_stem(path))


def left_out(inputs: Iterable[str]) -> Iterator[str]:
    """A line for each folder among the inputs that also holds files of formats medseg does not read."""
    for folder in filter(Path.is_dir, map(Path, inputs)):
        named = [p for p in folder.iterdir() if not is_image(p) and not is_hidden(p.name)]
        others = [p for p in named if p.is_file() or p.suffix.lower() == ".zarr"]  # an image that is a folder
        if others:
            endings = ", ".join(sorted({p.suffix.lower() or "without ending" for p in others}))
            what = f"left out {len(others)} of another format than medseg reads ({endings})"
            yield f"{folder}: {what}; {FROM_OTHER_FORMATS}"


def left_out_of_volumes(inputs: Iterable[str], volumes: Iterable[Path]) -> Iterator[str]:
    """A line for each folder among the inputs with subfolders of which nothing is among the volumes."""
    for folder, inside in subfolders_left_out(inputs, volumes).items():
        names = ", ".join(str(path.relative_to(folder)) for path in inside[:5]) + " ..." * (len(inside) > 5)
        yield f"{folder}: left out {len(inside)} of its folders ({names}); name them, or a pattern in quotes"


def result_path(output_dir: Path, path: Path, kind: str, stem: str | None = None) -> Path:
    """Where the result of a kind (``labels``, ``overlay`` … of ``RESULT_SUFFIXES``) of an input goes.

    Labels of volumes are volumes, which also have ``structures`` and a ``preview``. Without a stem it is the input's.
    """
    is_label_volume = kind == "labels" and (is_volume(path) or path.is_dir())
    suffix = ".nii.gz" if is_label_volume else RESULT_SUFFIXES[kind]
    return output_dir / f"{stem or image_stem(path)}_{kind}{suffix}"


def undone(files: Mapping[Path, str], output_dir: Path, kinds: list[str]) -> list[Path]:
    """The files of which a result is missing."""
    return [
        path
        for path, stem in files.items()
        if not all(result_path(output_dir, path, kind, stem).exists() for kind in kinds)
    ]


def not_renewed(files: Mapping[Path, str], output_dir: Path, kinds: list[str]) -> str | None:
    """A warning of results on request that an earlier run left of these images, and that are not among ``kinds``."""
    others = [kind for kind in ON_REQUEST if kind not in kinds]
    results = [result_path(output_dir, path, kind, stem) for path, stem in files.items() for kind in others]
    old = [path for path in results if path.exists()]
    if not old:
        return None
    names = ", ".join(path.name for path in old[:5]) + (f" and {len(old) - 5} more" if len(old) > 5 else "")
    return (
        f"{output_dir}: files of an earlier run stay and may not fit the new labels ({names}): remove them, or have "
        "them written anew too"
    )


def refuse_existing(
    files: Mapping[Path, str],
    output_dir: Path,
    kinds: list[str],
    overwrite: bool,
    of_the_run: Iterable[Path | None] = (),
) -> tuple[list[Path], list[str]]:
    """The files whose results are not there yet, and a message for each of the others.

    Raises:
        InputError: a result would take the place of an input, or a file ``of_the_run`` that of a result.
    """
    inputs = {path.resolve() for path in files}
    others = {path.resolve() for path in of_the_run if path}
    for path, stem in files.items():
        for kind in kinds:
            target = result_path(output_dir, path, kind, stem)
            if target.resolve() in inputs:
                raise InputError(f"{target}: is an input and would be the {kind} of {path}; use another folder")
            if target.resolve() in others:
                raise InputError(f"{target}: would be the {kind} of {path}; give the report or summary another name")
    if overwrite:
        return list(files), []
    ready, problems = [], []
    for path, stem in files.items():
        existing = [t for kind in kinds if (t := result_path(output_dir, path, kind, stem)).exists()]
        if existing:
            problems.append(f"{existing[0]}: exists already; use --overwrite or another folder ({path} was not run)")
        else:
            ready.append(path)
    return ready, problems
