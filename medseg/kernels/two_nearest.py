"""Exact distances to the nearest and the second-nearest object, for all pixels in one sweep per axis.

A pixel's two nearest *different* objects are among the two nearest different objects of the pixels on its
line along any axis, so it is enough to carry two (squared distance, id) pairs per pixel from axis to
axis. On a line each pair is a parabola. The lower envelope of the nearest pairs gives the nearest object
(Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions", Theory of Computing 2012). It
cuts the line into runs of one object each. All parabolas have the same width, so nothing beyond the
envelope points of the neighbouring runs can come second inside a run: the envelope of the other objects'
parabolas between these points gives the second-nearest. Such windows overlap at most twice, so the time
is linear in the pixels, however many objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numba
import numpy as np

from medseg.errors import InputError
from medseg.kernels.check_labels import check_labels
from medseg.kernels.compiled import compiled
from medseg.kernels.in_threads import in_threads

_FAR = np.float32(np.inf)
_LINES_AT_ONCE = 16  # neighbouring lines are gathered together: one cache line of memory feeds sixteen
_SMALL = 1 << 15  # pixels below which starting threads costs more than it gains


class TwoNearest(NamedTuple):
    """What :func:`two_nearest` returns; all arrays have the shape of the labels."""

    d1: np.ndarray  # float32, distance to the nearest object; 0 inside it
    d2: np.ndarray  # float32, distance to the nearest object other than id1
    id1: np.ndarray  # id of the nearest object, 0 where there is none
    id2: np.ndarray  # id of the second-nearest object, 0 where there is none


def two_nearest(
    labels: np.ndarray,
    spacing: Sequence[float] | None = None,
    cutoff: float | None = None,
    inside: bool = True,
    threads: int | None = None,
) -> TwoNearest:
    """Euclidean distances from each pixel to its two nearest different objects, and their ids.

    Args:
        labels: ``(*spatial)`` integer label image of any dimension, 0 = background. Distances are between
            pixel centres. Not modified.
        spacing: size of a pixel along each axis; distances are in its unit. None: 1 everywhere.
        cutoff: largest distance of interest; farther objects count as absent. None: no limit.
        inside: whether pixels of objects need their second-nearest object too; False is faster and leaves
            them an infinite d2.
        threads: number of threads, None for all of ``NUMBA_NUM_THREADS``.

    Returns:
        :class:`TwoNearest`. Where there is no first or second object (within the cut-off) the distance is
        infinite and the id 0. Among equally near objects the choice is arbitrary, their distances are not.

    Raises:
        InputError: not a label image, a spacing of wrong length or not positive, a cut-off not positive.

    Example:
        >>> near = two_nearest(np.array([[5, 0, 0, 0, 7]]))
        >>> near.d1, near.d2, near.id1
        (array([[0., 1., 2., 1., 0.]], dtype=float32),
         array([[4., 3., 2., 3., 4.]], dtype=float32),
         array([[5, 5, 5, 7, 7]]))
    """
    check_labels(labels)
    step = _checked_spacing(spacing, labels.ndim)
    if cutoff is not None and not cutoff > 0:
        raise InputError(f"two_nearest: cutoff={cutoff}; give a positive distance, or None for no limit.")
    ids, names = _as_int32(labels)
    id1, id2 = np.empty(labels.shape, np.int32), np.empty(labels.shape, np.int32)
    q1, q2 = np.empty(labels.shape, np.float32), np.empty(labels.shape, np.float32)
    if labels.size:
        limit = np.float32(np.inf if cutoff is None else cutoff * cutoff * (1 + 1e-6))
        threads = 1 if labels.size < _SMALL else threads
        rows = [a.reshape(-1, labels.shape[-1]) for a in (ids, q1, q2, id1, id2)]
        sweep = partial(_along_rows, *rows, step[-1], limit, inside or labels.ndim > 1)
        in_threads(sweep, len(rows[0]), threads)
        for axis in range(labels.ndim - 2, -1, -1):
            n = labels.shape[axis]
            lines = [a.reshape(int(np.prod(labels.shape[:axis])), n, -1) for a in (q1, q2, id1, id2)]
            outer, _, inner = lines[0].shape
            blocks = outer * -(-inner // _LINES_AT_ONCE)
            sweep = partial(_along_axis, *lines, step[axis], limit, inside or axis > 0)
            in_threads(sweep, blocks, threads)
        np.sqrt(q1, out=q1)
        np.sqrt(q2, out=q2)
    return TwoNearest(q1, q2, names(id1), names(id2))


def _checked_spacing(spacing: Sequence[float] | None, ndim: int) -> np.ndarray:
    step = np.ones(ndim) if spacing is None else np.asarray(spacing, dtype=np.float64)
    if step.shape != (ndim,):
        raise InputError(f"two_nearest: spacing={spacing} must have one value per axis, {ndim} for these labels.")
    if not (np.isfinite(step).all() and (step > 0).all()):
        raise InputError(f"two_nearest: spacing={spacing} must be positive and finite.")
    return step


def _as_int32(labels: np.ndarray):
    """The labels as contiguous int32, and the way back from such ids to the ids of ``labels``."""
    plain = labels.astype(np.uint8) if labels.dtype == bool else labels
    if plain.size == 0 or int(plain.max()) <= np.iinfo(np.int32).max:
        return np.ascontiguousarray(plain, dtype=np.int32), lambda ids: ids.astype(plain.dtype)
    values, inverse = np.unique(np.append(plain.ravel(), plain.dtype.type(0)), return_inverse=True)
    ids = inverse[:-1].astype(np.int32).reshape(plain.shape)
    return ids, lambda ids: values[ids]


@compiled
def _along_rows(labels, q1, q2, id1, id2, step, limit, inside, start, stop):
    """First axis: the two nearest different labels to the left and to the right, and the best two of them."""
    n = labels.shape[1]
    for r in range(start, stop):
        a = b = at_a = at_b = 0
        for x in range(n):
            here = labels[r, x]
            if here != 0:
                if here != a:
                    b, at_b = a, at_a
                a, at_a = here, x
            id1[r, x], id2[r, x] = a, b
            q1[r, x] = np.float32((step * (x - at_a)) ** 2) if a else _FAR
            q2[r, x] = np.float32((step * (x - at_b)) ** 2) if b else _FAR
        a = b = at_a = at_b = 0
        for x in range(n - 1, -1, -1):
            here = labels[r, x]
            if here != 0:
                if here != a:
                    b, at_b = a, at_a
                a, at_a = here, x
            for right, at in ((a, at_a), (b, at_b)):
                if right == 0:
                    break
                q = np.float32((step * (x - at)) ** 2)
                if q < q1[r, x]:
                    if right != id1[r, x]:
                        id2[r, x], q2[r, x] = id1[r, x], q1[r, x]
                    id1[r, x], q1[r, x] = right, q
                elif q < q2[r, x] and right != id1[r, x]:
                    id2[r, x], q2[r, x] = right, q
            if q1[r, x] > limit:
                id1[r, x], q1[r, x] = 0, _FAR
            if q2[r, x] > limit or (here != 0 and not inside):
                id2[r, x], q2[r, x] = 0, _FAR


@compiled
def _along_axis(q1, q2, id1, id2, step, limit, inside, start, stop):
    """A further axis: lines run along axis 1 of ``(outer, n, inner)``, a block of neighbours at a time."""
    n, inner = q1.shape[1], q1.shape[2]
    blocks = -(-inner // _LINES_AT_ONCE)
    side = n + 16  # lines a power of two apart would share few places of the cache
    f, g = np.empty((_LINES_AT_ONCE, 2, side), np.float32), np.empty((_LINES_AT_ONCE, 2, side), np.float32)
    of, og = np.empty((_LINES_AT_ONCE, 2, side), np.int32), np.empty((_LINES_AT_ONCE, 2, side), np.int32)
    site = np.empty(n, np.int64)
    half_inverse = 0.5 / (step * step * np.maximum(np.arange(n), 1))
    envelope = (np.empty(n, np.int64), np.empty(n, np.float64), np.empty(n, np.float64), half_inverse)
    for block in range(start, stop):
        o = block // blocks
        first = (block % blocks) * _LINES_AT_ONCE
        width = min(_LINES_AT_ONCE, inner - first)
        for i in range(n):
            for j in range(width):
                f[j, 0, i], f[j, 1, i] = q1[o, i, first + j], q2[o, i, first + j]
                of[j, 0, i], of[j, 1, i] = id1[o, i, first + j], id2[o, i, first + j]
        for j in range(width):
            g[j], og[j] = _FAR, 0
            line, out = (f[j], of[j], n, step * step, limit), (g[j], og[j])
            if _first(*line, *out, site, envelope):
                _second(*line, *out, site, inside, envelope)
        for i in range(n):
            for j in range(width):
                q1[o, i, first + j], q2[o, i, first + j] = g[j, 0, i], g[j, 1, i]
                id1[o, i, first + j], id2[o, i, first + j] = og[j, 0, i], og[j, 1, i]


@compiled
def _first(f, of, n, s2, limit, g, og, site, envelope):
    """Nearest object along one line, from heights ``f[0]`` of objects ``of[0]``; False: there is none."""
    stack, heights, begins, _ = envelope
    count = 0
    for i in range(n):
        # between two pixels of objects a pixel is nearest to itself alone
        deep = 0 < i < n - 1 and f[0, i - 1] == f[0, i] == f[0, i + 1] == 0
        if f[0, i] < _FAR and not deep:
            count = _push(count, i, f[0, i], envelope)
    if count == 0:
        return False
    k = 0
    for x in range(n):
        if f[0, x] == 0:
            site[x], g[0, x], og[0, x] = x, 0, of[0, x]
            continue
        while k + 1 < count and begins[k + 1] <= x:
            k += 1
        site[x] = stack[k]
        q = np.float32(s2 * (x - stack[k]) ** 2 + heights[k])
        if q <= limit:
            g[0, x], og[0, x] = q, of[0, stack[k]]
    return True


@compiled
def _second(f, of, n, s2, limit, g, og, site, inside, envelope):
    """Second-nearest object, run by run of pixels that share the nearest one, which is at ``site``."""
    stack, heights, begins, _ = envelope
    x0 = 0
    while x0 < n:
        own = of[0, site[x0]]
        x1 = x0 + 1
        while x1 < n and of[0, site[x1]] == own:
            x1 += 1
        low = site[x0 - 1] if x0 > 0 else -1
        high = site[x1] if x1 < n else n
        # the neighbours of the run are other objects: nothing above their parabolas can be second
        bound = np.float32(-1)
        for x in range(x0, x1):
            if inside or f[0, x] > 0:
                q = limit
                if low >= 0:
                    q = min(q, np.float32(s2 * (x - low) ** 2 + f[0, low]))
                if high < n:
                    q = min(q, np.float32(s2 * (x - high) ** 2 + f[0, high]))
                bound = max(bound, q)
        count = 0
        for i in range(max(low, 0), min(high, n - 1) + 1):
            row = 1 if of[0, i] == own else 0
            if f[row, i] <= bound and f[row, i] < _FAR:
                count = _push(count, i, f[row, i], envelope)
        k = 0
        for x in range(x0, x1 if count else x0):
            if inside or f[0, x] > 0:
                while k + 1 < count and begins[k + 1] <= x:
                    k += 1
                i = stack[k]
                q = np.float32(s2 * (x - i) ** 2 + heights[k])
                if q <= limit:
                    g[1, x], og[1, x] = q, of[1 if of[0, i] == own else 0, i]
        x0 = x1


@numba.njit(nogil=True, inline="always")
def _push(count, place, height, envelope):
    """Add the parabola at ``place``, right of all others, to a lower envelope; returns the new count."""
    stack, heights, begins, half_inverse = envelope
    while count > 0:
        top = stack[count - 1]
        cross = 0.5 * (place + top) + (height - heights[count - 1]) * half_inverse[place - top]
        if count == 1 or cross > begins[count - 1]:
            begins[count] = cross
            break
        count -= 1
    stack[count], heights[count] = place, height
    return count + 1
