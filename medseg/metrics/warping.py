"""Topological warping error: what is wrong with a segmentation that moving borders cannot mend."""

import dataclasses
import warnings
from collections.abc import Sequence
from numbers import Real
from typing import Any

from medseg.errors import InputError
from medseg.metrics.foreground import Kind, as_array
from medseg.metrics.image_pair import ImagePair
from medseg.metrics.segments import SWEEP
from medseg.metrics.warping_score import WarpingError, summarise

CHALLENGE_THRESHOLDS = SWEEP[:10]
"""Thresholds over which the ISBI 2012 challenge takes the minimum: without the last, 1, of the other measures."""


def topological_warping_error(
    prediction: Any,
    reference: Any,
    *,
    threshold: float | Sequence[float] | None = None,
    mask: Any = None,
    radius: int | None = 20,
    volumetric: bool = False,
    positions: bool = False,
    threads: int | None = None,
) -> WarpingError:
    """Compare a segmentation with its reference by topology: splits and merges count, slightly shifted borders do not.

    The reference is warped towards the thresholded prediction by flipping simple points only; what then still
    differs is a split, a merge, or an added or deleted hole or object. A border that lies off by more than its
    thickness (of touching label images: one pixel) counts as a merge and a split. Foreground is the inside of cells.
    Deterministic, and equal to the reference implementation of the ISBI 2012 challenge to the pixel.

    Args:
        prediction: ``(Y, X)``, a stack of sections ``(Z, Y, X)``, or a volume; numpy or torch. Floats are
            foreground probabilities 0..1, compared as float32; bool or integers are a binary mask (one value
            beside 0) or labels (more values, or beside labels one piece or none), whose touching objects are parted
            (see ``paired_foregrounds``).
        reference: same shape; binary mask or labels.
        threshold: one level, or several of which the best counts. Default: the challenge's ten levels 0,
            0.1, .. 0.9. Masks and labels are always compared at 0. As in the challenge's code a level outside
            0..1.01 means 0.5.
        mask: ``(Y, X)`` or the full shape; non-zero pixels may move and be counted. The error stays a
            fraction of all pixels.
        radius: the window (pixels) in which a cut must part an object to be a split, as in the challenge.
            None, or more than the smallest side of a section, is the whole image.
        volumetric: treat ``(Z, Y, X)`` as one volume, foreground 6- and background 26-connected, instead of
            section by section with 4 and 8.
        positions: also return the places and a map of the classes, at the best threshold.
        threads: default: numba's number of threads. The result does not depend on it.

    Returns:
        A :class:`WarpingError`. It is defined for every image: without any object in the reference each
        predicted object is an object addition.

    Raises:
        InputError: shapes differ or are not 2D/3D, no pixels, NaN, probabilities outside 0..1, negative ids,
            a reference that is not whole numbers.

    Source: Jain et al., CVPR 2010; Arganda-Carreras et al., Frontiers in Neuroanatomy 9:142, 2015.

    Example:
        >>> import numpy as np
        >>> two_cells = np.array([[1, 1, 0, 1, 1]] * 5)
        >>> bridged = two_cells.copy()
        >>> bridged[2, 2] = 1
        >>> error = topological_warping_error(bridged, two_cells)
        >>> error.value, error.pixels.merge
        (0.04, 1)
    """
    truth = as_array(reference, "reference")
    pair = ImagePair.of(as_array(prediction, "prediction"), truth, mask, radius=radius, volumetric=volumetric)
    levels = None if threshold is None else effective_thresholds(threshold)
    thresholds = levels_for(pair.prediction_kind, levels)
    error = summarise(pair.count(thresholds, threads), truth.size, thresholds)
    if not positions:
        return error
    class_map, mismatches = pair.locate(error.threshold, threads)
    return dataclasses.replace(error, class_map=class_map.reshape(truth.shape), mismatches=mismatches)


def levels_for(kind: Kind, wanted: tuple[float, ...] | None) -> tuple[float, ...]:
    """Levels at which a prediction is cut: those wanted, else the challenge's sweep; 0 for masks and labels."""
    return (wanted or CHALLENGE_THRESHOLDS) if kind == "probability" else (0.0,)


def effective_thresholds(threshold: float | Sequence[float]) -> tuple[float, ...]:
    """Thresholds as numbers, 0.5 in place of those outside 0..1.01 (said in a warning)."""
    given = (threshold,) if isinstance(threshold, Real) else tuple(threshold)
    if not given or any(t != t for t in given):
        raise InputError(f"threshold: {threshold!r} holds no level or NaN; give numbers between 0 and 1")
    outside = [t for t in given if not 0 <= t <= 1.01]
    if outside:
        warnings.warn(f"threshold {outside} is outside 0..1.01 and means 0.5, as in ISBI 2012", stacklevel=3)
    return tuple(0.5 if t in outside else float(t) for t in given)
