"""Which prediction belongs to which reference: by the stem of the file names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medseg.errors import InputError
from medseg.io import image_stem, list_images
from medseg.io.paths import IMAGE_SUFFIXES, VOLUME_SUFFIXES, composed, is_image, is_volume
from medseg.metrics.foreground import Kind

_RESULTS = ("labels", "probability")
_NEVER_A_PREDICTION = ("overlay",)


@dataclass(frozen=True)
class FilePair:
    """A prediction and its reference, under the reference's stem."""

    stem: str
    prediction: Path
    reference: Path


def pair_files(
    prediction: str | Path,
    reference: str | Path,
    kind: Kind | None = None,
    *,
    prediction_ending: str | None = None,
    reference_ending: str | None = None,
    volumes: bool = False,
) -> tuple[list[FilePair], list[str]]:
    """Pair two files, or the files of two folders.

    A prediction `x.tif`, `x_labels.tif` or `x_probability.tif` belongs to the reference `x.tif`. Where a folder
    holds several of them, the one of the wanted kind is taken, else the first in this order. Overlays that
    `medseg predict` writes are left out.

    Args:
        prediction, reference: two files, or two folders (the same one, where endings tell them apart).
        kind: of the predictions, if it is known.
        prediction_ending, reference_ending: what follows the common stem in names that other tools gave, such as
            `_cp_masks`; files of the folder without it are passed over. Two files are paired whatever their names.
        volumes: pair volumes of organs (NIfTI, NRRD, MHA), not images.

    Returns:
        The pairs in natural order, one for each reference, and notices of the predictions that were left out.

    Raises:
        InputError: a reference without a prediction, two files of one stem in a folder, no file of the ending, or
            volumes where images are paired, and the other way round.
    """
    prediction, reference = Path(prediction), Path(reference)
    suffixes = VOLUME_SUFFIXES if volumes else IMAGE_SUFFIXES
    if not volumes:
        _refuse_volumes(prediction, reference)
    if prediction.is_file() and reference.is_file():
        return [FilePair(image_stem(reference), prediction, reference)], []
    one_folder = prediction.resolve() == reference.resolve()
    endings = composed(reference_ending or ""), composed(prediction_ending or "")
    references = _by_stem(list_images(reference, suffixes), *endings if one_folder else endings[:1])
    predictions = _by_stem(list_images(prediction, suffixes), *endings[::-1] if one_folder else endings[1:])
    order = ("", *([] if prediction_ending else sorted(_RESULTS, key=lambda result: result != kind)))
    pairs, notices, taken = [], [], set()
    for stem, path in references.items():
        names = [f"{stem}_{result}" if result else stem for result in order]
        found = [name for name in names if name in predictions]
        if not found:
            continue
        taken.update(found)
        pairs.append(FilePair(stem, predictions[found[0]], path))
        notices += [
            f"{stem}: {predictions[found[0]].name} is compared, {predictions[name].name} is not "
            "(name the file, or its kind)"
            for name in found[1:]
        ]
    alone = [predictions[name] for name in predictions if name not in taken and not _is_picture(name, references)]
    lonely = [path for stem, path in references.items() if stem not in {pair.stem for pair in pairs}]
    without = _without("prediction", "reference", alone)
    if lonely:
        raise InputError(
            f"{f'{without}; ' if alone else ''}{_without('reference', 'prediction', lonely)}"
            ". Files belong together by their stems: x_labels.tif, x_probability.tif or x.tif to x.tif; names that "
            "end otherwise need --prediction-ending or --reference-ending (_cp_masks for x_cp_masks.tif)"
        )
    if alone:
        notices.append(f"{without}; they are not scored")
    return pairs, notices


def match_images(images: str | Path, stems: list[str], suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> dict[str, Path]:
    """The raw image of each stem: a file for a single stem, or the files of a folder that end in `suffixes`.

    Raises:
        InputError: a stem without an image.
    """
    files = list_images(images, suffixes)
    if len(files) == len(stems) == 1:
        return {stems[0]: files[0]}
    by_stem = _by_stem(files)
    missing = [stem for stem in stems if stem not in by_stem]
    if missing:
        raise InputError(f"{images}: no image for {_some(missing)}; images and references share their stems")
    return {stem: by_stem[stem] for stem in stems}


def _refuse_volumes(*places: Path) -> None:
    for place in places:
        files = list(place.iterdir()) if place.is_dir() else [place]
        if any(map(is_volume, files)) and not any(map(is_image, files)):
            raise InputError(
                f"{place}: holds volumes of organs; say which value is which with --organs (a bundle's name, "
                "Liver=1,Spleen=2 or a dataset.json; see docs/volumes.md). Volumes of cells are compared as TIFF"
            )


def _by_stem(paths: list[Path], ending: str = "", other_side: str = "") -> dict[str, Path]:
    """Files by their stem without the ending; those that end otherwise, or as the other side's do, are passed over."""
    found: dict[str, Path] = {}
    for path in paths:
        stem = composed(image_stem(path))
        of_other_side = len(other_side) > len(ending) and stem.endswith(other_side)
        if not stem.endswith(ending) or stem == ending or of_other_side:
            continue
        other = found.setdefault(stem.removesuffix(ending), path)
        if other is not path:
            raise InputError(f"{other} and {path} have one stem; keep one of them in the folder")
    if not found:
        wrong = f'no name ends in "{ending}"' if ending else f'every name ends in "{other_side}"'
        raise InputError(f"{paths[0].parent}: {wrong}; there is {_some([path.name for path in paths])}")
    return found


def _is_picture(name: str, references: dict[str, Path]) -> bool:
    return any(name == f"{stem}_{picture}" for stem in references for picture in _NEVER_A_PREDICTION)


def _without(what: str, partner: str, paths: list[Path]) -> str:
    return f"no {partner} for {len(paths)} {what}{'s' * (len(paths) > 1)}: {_some([str(p) for p in paths])}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
