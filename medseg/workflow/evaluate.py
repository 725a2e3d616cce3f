"""Evaluate files: read each pair, count, and gather the scores."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from medseg.errors import InputError
from medseg.io import Geometry, read_image, read_labels
from medseg.io.csv_file import csv_file
from medseg.metrics.evaluation import ImageEvaluation, Scores, evaluate_arrays, scores_of
from medseg.metrics.evaluation_options import EvaluationOptions
from medseg.metrics.foreground import Kind
from medseg.workflow.each_time import each_time
from medseg.workflow.over_pairs import over_pairs
from medseg.workflow.pairs import FilePair


@dataclass(frozen=True)
class Evaluation:
    """Scores of every image, of all of them as one stack, and what has to be said about them."""

    options: EvaluationOptions
    pairs: tuple[FilePair, ...]
    """The pairs that were evaluated."""
    images: dict[str, Scores]
    """By stem."""
    total: Scores
    kinds: dict[str, tuple[Kind, Kind]]
    """Kind of prediction and reference by stem."""
    failed: dict[str, str]
    """Why an image was not evaluated, by stem."""
    notices: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """`{"images": {stem: {name: value}}, "total": {name: value}, ...}`; undefined values are None."""
        return {
            "images": {stem: scores.as_json() for stem, scores in self.images.items()},
            "total": self.total.as_json(),
            "undefined": {
                "images": {stem: scores.undefined for stem, scores in self.images.items() if scores.undefined},
                "total": self.total.undefined,
            },
            "failed": self.failed,
            "kinds": {
                stem: {"prediction": prediction, "reference": reference}
                for stem, (prediction, reference) in self.kinds.items()
            },
            "options": {
                "threshold": self.options.threshold,
                "thin_borders": self.options.thin_borders,
                "volumetric": self.options.volumetric,
            },
            "notices": list(self.notices),
        }


def read_pair(
    pair: FilePair, axes: str | None = None, objects: str = "auto"
) -> tuple[np.ndarray, np.ndarray, Geometry, bool | None]:
    """Prediction, reference, the reference's geometry, and whether objects reach through the sections.

    Raises:
        InputError: a file cannot be read, has channels, or differs from its partner in shape or order of axes.
    """
    prediction, geometry_of_prediction = _read(pair.prediction, axes)
    reference, geometry = _read(pair.reference, axes)
    orders = geometry_of_prediction.axes, geometry.axes
    if orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]):
        raise InputError(
            f"{pair.prediction} has the axes {orders[0]} but {pair.reference} {orders[1]}; save them in one order"
        )
    if prediction.shape != reference.shape:
        raise InputError(
            f"{pair.prediction} has the shape {prediction.shape} but {pair.reference} {reference.shape}; "
            "they must show the same pixels"
        )
    _warn_of_pixel_sizes(pair, geometry_of_prediction, geometry)
    if geometry.spacing is None and geometry_of_prediction.spatial_axes == geometry.spatial_axes:
        geometry = replace(geometry, spacing=geometry_of_prediction.spacing, unit=geometry_of_prediction.unit)
    series = geometry.axes == "TZYX"
    if objects == "auto":
        through = None if ("Z" in geometry.axes and reference.ndim == 3) or series else False
    else:
        through = objects == "volume" and reference.ndim > 2  # a volume of one section is an image
    if through and reference.ndim != 3 and not series:
        raise InputError(
            f"{pair.reference}: objects of volumes need the axes ZYX, or TZYX of a time series; its axes are "
            f"{geometry.axes}"
        )
    return prediction, reference, geometry, through


def evaluate_files(
    pairs: list[FilePair],
    options: EvaluationOptions,
    *,
    axes: str | None = None,
    objects: str = "auto",
    progress: Callable[[FilePair], None] = lambda pair: None,
) -> Evaluation:
    """Evaluate pairs of files; one that fails is noted and the others are still done.

    Args:
        pairs: see `medseg.workflow.pairs.pair_files`.
        options: what to measure; kinds that are None are looked for in each file.
        axes: for files that do not state theirs.
        objects: `"sections"`: of a stack, each section has objects of its own; `"volume"`: they reach through
            them; `"auto"`: through the Z axis, where both sides are label images. Each time of a series is for itself.
        progress: called before each pair.

    Raises:
        InputError: not one pair could be evaluated, or borders are to be thinned in objects of volumes.
    """
    options = replace(options, volumetric={"volume": True, "sections": False}.get(objects))
    images, failed, warned = over_pairs(
        pairs, partial(_evaluate_pair, options=options, axes=axes, objects=objects), progress
    )
    scores = {stem: scores_of(parts, options) for stem, parts in images.items()}
    total = scores_of([part for parts in images.values() for part in parts], options)
    kinds = {stem: (parts[0].prediction_kind, parts[0].reference_kind) for stem, parts in images.items()}
    done = tuple(pair for pair in pairs if pair.stem in images)
    notices = (*_notices(total, images, options), *(f"{stem}: {message}" for stem, message in warned))
    return Evaluation(options, done, scores, total, kinds, failed, notices)


def write_csv(path: Path, evaluation: Evaluation, *, overwrite: bool = False) -> None:
    """Write one row per image and one `total`; undefined values are empty, and counted in the last column."""
    rows = [*evaluation.images.items(), ("total", evaluation.total)]
    with csv_file(path, overwrite=overwrite) as file:
        writer = csv.writer(file)
        writer.writerow(["image", *evaluation.total.values, "undefined"])
        for name, scores in rows:
            undefined = " ".join(f"{metric}:{count}" for metric, count in scores.undefined.items())
            writer.writerow([name, *("" if v is None else v for v in scores.as_json().values()), undefined])


def _evaluate_pair(pair: FilePair, options: EvaluationOptions, axes: str | None, objects: str) -> list[ImageEvaluation]:
    prediction, reference, _, through = read_pair(pair, axes, objects)
    options = options_for_pair(reference, options, through)
    return [evaluate_arrays(*volumes) for volumes in each_time(prediction, reference, options)]


def options_for_pair(reference: np.ndarray, options: EvaluationOptions, through: bool | None) -> EvaluationOptions:
    """The options with whether objects reach through sections; a reference of floats may be a probability too.

    Kinds that nobody named stay open: `medseg.metrics.kinds.as_kinds` looks at both sides for them.
    """
    grey = "probability" if reference.dtype.kind == "f" else None
    return replace(options, volumetric=through, reference_kind=options.reference_kind or grey)


def _read(path: Path, axes: str | None) -> tuple[np.ndarray, Geometry]:
    try:
        image, geometry = read_image(path, axes=axes)
    except InputError as unclear:
        if axes is not None:
            raise
        try:  # pages of unstated meaning are sections if they hold labels or masks
            return read_labels(path)
        except InputError:
            raise unclear from None
    if "C" in geometry.axes:
        with suppress(InputError):  # the numbers of a palette, not its colours
            return read_labels(path)
        raise InputError(
            f"{path}: has a channel axis (axes {geometry.axes}, shape {image.shape}); "
            "a segmentation has one value per pixel. Save one channel; if these are sections, save them as a stack, "
            "axes ZYX (of a plain TIFF say so, --axes ZYX)"
        )
    return image, geometry


def _warn_of_pixel_sizes(pair: FilePair, prediction: Geometry, reference: Geometry) -> None:
    """Say where both sides state a pixel size and they differ by more than the rounding of files."""
    sizes = prediction.spacing_um, reference.spacing_um
    if None in sizes or prediction.spatial_axes != reference.spatial_axes or np.allclose(*sizes, rtol=0.01, atol=0):
        return
    first, second = (" x ".join(f"{s:.4g}" for s in size) for size in sizes)
    warnings.warn(
        f"{pair.prediction} has pixels of {first} µm but {pair.reference} of {second} µm; compared pixel by pixel, "
        "places in µm are the reference's",
        stacklevel=3,
    )


def _notices(total: Scores, images: dict[str, list[ImageEvaluation]], options: EvaluationOptions) -> Iterator[str]:
    firsts = [parts[0] for parts in images.values()]
    for side in ("prediction", "reference"):
        if getattr(options, f"{side}_kind") is None:
            kinds = [getattr(image, f"{side}_kind") for image in firsts]
            found = ", ".join(
                f"{kind} ({kinds.count(kind)})" if len(set(kinds)) > 1 else kind for kind in dict.fromkeys(kinds)
            )
            yield f"{side} taken as {found} (--{side}-kind says otherwise)"
    if options.needs("warping") and any(image.mixed for image in firsts):
        yield (
            "label volumes: objects reach through the sections, but the warping error is that of single sections; "
            "--objects volume takes it in the volume, --objects sections takes each section for itself"
        )
    for count in sorted(set(total.undefined.values()), reverse=True):
        names = ", ".join(name for name, n in total.undefined.items() if n == count)
        yield f"{names}: undefined in {count} sections or images, which are left out of the total"
    if total.single_segment:
        yield f"v_info: {total.single_segment} sections hold a single segment and score 0 by definition"
