"""One array type per kind of image: float32 is a probability, bool a mask, integers are labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from medseg.errors import InputError
from medseg.metrics.foreground import Kind, as_array
from medseg.metrics.segments import as_sections, components


def as_kind(image: Any, name: str, kind: Kind | None = None) -> np.ndarray:
    """The image as float32 foreground probability, bool mask, or integer label image.

    Args:
        image: numpy or torch, any real dtype; not modified, copied only where the dtype changes.
        name: `"prediction"` or `"reference"`, for messages; only a prediction is looked upon as a probability
            without being told so.
        kind: what the image is. None: floats of a prediction are a probability; numbers with one value beside 0 are a
            mask, others labels. Integer probabilities are divided by the largest value of their dtype, in float32;
            floats can be labels if they are whole numbers.

    Raises:
        InputError: no pixels, NaN, probabilities outside 0..1, negative or fractional ids, a mask of more than
            two values, or an unknown kind.
    """
    array = as_array(image, name)
    if kind is None:
        kind = _kind_seen(array, name)
    if kind == "probability":
        return _as_probability(array, name)
    if kind == "binary":
        return _as_mask(array, name)
    if kind == "labels":
        return _as_labels(array, name)
    raise InputError(f"{name}: kind {kind!r} is not known; use 'probability', 'binary' or 'labels'")


def as_kinds(
    prediction: Any, reference: Any, prediction_kind: Kind | None = None, reference_kind: Kind | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as `as_kind` has them, each with a look at the other.

    Integers with at most one value beside 0 can be a mask or a label image with one object or none. Beside a label
    image they are the latter if they are one piece, in each section too, so that a volume in which little was found is
    compared as the others are.

    Raises:
        InputError: as `as_kind`, or shapes that differ.
    """
    predicted = as_kind(prediction, "prediction", prediction_kind)
    truth = as_kind(reference, "reference", reference_kind)
    if predicted.shape != truth.shape:
        raise InputError(
            f"prediction has the shape {predicted.shape}, its reference {truth.shape}; they must show the same pixels"
        )
    if kind_of(truth) == "labels" and prediction_kind is None and _is_one_piece(prediction, predicted):
        predicted = as_kind(prediction, "prediction", "labels")
    elif kind_of(predicted) == "labels" and reference_kind is None and _is_one_piece(reference, truth):
        truth = as_kind(reference, "reference", "labels")
    return predicted, truth


def _is_one_piece(image: Any, mask: np.ndarray) -> bool:
    """Whether an image of integers that was taken for a mask has one component or none, also in each section."""
    if kind_of(mask) != "binary" or as_array(image, "image").dtype.kind == "b":
        return False
    if mask.ndim not in (2, 3):
        return not mask.any()
    return all(components(section).max() <= 1 for section in as_sections(mask)) and components(mask).max() <= 1


def kind_of(array: np.ndarray) -> Kind:
    """The kind of an array that `as_kind` returned."""
    return {"f": "probability", "b": "binary"}.get(array.dtype.kind, "labels")


def one_volume(prediction: np.ndarray, reference: np.ndarray, volumetric: bool | None) -> bool:
    """Whether arrays from `as_kinds` are compared whole: as said, else where both are label images."""
    return kind_of(prediction) == kind_of(reference) == "labels" if volumetric is None else volumetric


def _kind_seen(array: np.ndarray, name: str) -> Kind:
    if array.dtype.kind == "b":
        return "binary"
    if array.dtype.kind == "f":
        if name == "prediction":
            return "probability"
        fractional = int((array != np.trunc(array)).sum())  # NaN and infinity differ from themselves
        if fractional or np.isinf(array).any():
            raise InputError(
                f"{name}: {fractional or np.isinf(array).sum()} pixels are not whole numbers; "
                f"the {name} is a binary mask or a label image, not a probability"
            )
    if array.min() < 0:
        raise InputError(f"{name}: smallest value {array.min()}; 0 is background and ids are positive")
    highest = array.max()
    return "binary" if all(((s == 0) | (s == highest)).all() for s in array) else "labels"


def _as_probability(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype.kind in "ui":
        if array.min() < 0:
            raise InputError(f"{name}: smallest value {array.min()}; a probability is 0 to 1")
        return array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
    probability = array.astype(np.float32, copy=False)
    low, high = probability.min(), probability.max()  # in float32, in which they are compared: 1 + 1e-12 is 1
    if np.isnan(low):
        raise InputError(f"{name}: {np.isnan(array).sum()} pixels are NaN; a probability is 0 to 1")
    if low < 0 or high > 1:
        ids = (
            f'. They are whole numbers: if they are ids, call them labels ({name}_kind="labels", on the command '
            f"line --{name}-kind labels)"
        )
        raise InputError(
            f"{name}: values from {low:g} to {high:g}, but a probability is 0 to 1; apply a sigmoid to "
            "logits, divide grey levels by their maximum (in float32), or give masks and labels as integers"
            f"{ids if np.array_equal(array, np.trunc(array)) else ''}"
        )
    return np.asarray(probability)


def _as_mask(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype == bool:
        return np.asarray(array)
    foreground = np.asarray(array != 0)
    low, high = array.min(), array.max()
    if not (low >= 0 and np.array_equal(foreground, (array == high) & foreground)):  # NaN is not >= 0
        raise InputError(
            f"{name}: a binary image holds 0 and one other value; this one has several, from {low:g} to "
            f"{high:g}. Call it labels or a probability, or threshold it first"
        )
    return foreground


def _as_labels(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype.kind == "f":
        if not np.array_equal(array, np.trunc(array)) or np.isinf(array).any():
            raise InputError(f"{name}: labels are whole numbers; this float image has fractions or NaN")
        array = array.astype(np.int64)
    if array.dtype == bool:
        array = array.astype(np.uint8)
    if array.dtype.kind == "i" and array.min() < 0:
        raise InputError(f"{name}: smallest value {array.min()}; 0 is background and ids are positive")
    return np.asarray(array)
