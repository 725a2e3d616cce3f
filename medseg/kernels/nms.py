"""Greedy non-maximum suppression of boxes in 2D or 3D, each box compared only with neighbours of its size."""

import math

import numpy as np

from medseg.kernels.compiled import compiled

_LEVELS = 24  # size classes; a box smaller than 2**-23 of the largest joins the smallest class


@compiled
def greedy_nms(boxes, order, groups, threshold):
    """Mark the boxes that survive greedy non-maximum suppression.

    A box is dropped if a kept box of its own group that comes before it in `order` has an intersection over
    union with it strictly above `threshold`. Kept boxes are hung into one hash grid per size class (side between
    two powers of two, cell as wide as the class's largest box), so a box meets only those near it and, because
    IoU never exceeds the ratio of the sides, only those of like size. About O(n) where the kept boxes are spread.

    Args:
        boxes: `(n, 2 d)` float64, finite: the d low corners, then the d high ones, d <= 3, low <= high.
        order: `(n,)` int64, the boxes in the order of their claim.
        groups: `(n,)` int64; boxes of different groups leave each other alone.
        threshold: from 0 to 1.

    Returns:
        `(n,)` bool.
    """
    n = boxes.shape[0]
    dims = boxes.shape[1] // 2
    kept = np.zeros(n, np.bool_)
    if n == 0:
        return kept
    classes, cell = _size_classes(boxes)
    buckets = 64
    while buckets < 2 * n:
        buckets *= 2
    first = np.full(buckets, -1, np.int64)  # chains of kept boxes; a hash collision costs one IoU, no error
    after = np.full(n, -1, np.int64)
    first_of_class = np.full(_LEVELS, -1, np.int64)  # the same boxes chained by class alone
    after_in_class = np.full(n, -1, np.int64)
    in_class = np.zeros(_LEVELS, np.int64)
    low = np.zeros(3, np.int64)
    high = np.zeros(3, np.int64)
    # 1-D IoU of intervals a and b whose centres lie d apart exceeds t only if d < (a + b) / 2 * (1 - t) / (1 + t)
    narrowing = (1 - threshold) / (1 + threshold)
    for k in range(n):
        i = order[k]
        longest = 0.0
        for axis in range(dims):
            longest = max(longest, boxes[i, dims + axis] - boxes[i, axis])
        dropped = False
        for level in range(_LEVELS):
            if in_class[level] == 0 or cell[level] < threshold * longest:
                continue
            if level > 0 and threshold * cell[level] / 2 > longest:
                continue
            cells = 1.0
            for axis in range(dims):
                side = boxes[i, dims + axis] - boxes[i, axis]
                centre = (boxes[i, dims + axis] + boxes[i, axis]) / 2
                reach = (side + cell[level]) / 2 * narrowing
                reach += 1e-9 * (abs(centre) + cell[level])  # rounding never hides a neighbour
                low[axis] = math.floor((centre - reach) / cell[level])
                high[axis] = math.floor((centre + reach) / cell[level])
                cells *= high[axis] - low[axis] + 1
            if cells > in_class[level]:
                dropped = _any_overlaps(boxes, groups, i, first_of_class[level], after_in_class, threshold, dims)
            else:
                dropped = _any_near_overlaps(boxes, groups, i, level, low, high, first, after, threshold, dims)
            if dropped:
                break
        if dropped:
            continue
        kept[i] = True
        level = classes[i]
        for axis in range(dims):
            low[axis] = math.floor((boxes[i, dims + axis] + boxes[i, axis]) / 2 / cell[level])
        bucket = _bucket(low, dims, level, groups[i], buckets)
        after[i] = first[bucket]
        first[bucket] = i
        after_in_class[i] = first_of_class[level]
        first_of_class[level] = i
        in_class[level] += 1
    return kept


@compiled
def _size_classes(boxes):
    """Class of each box by its longest side, and each class's cell: wider than any box in it."""
    n = boxes.shape[0]
    dims = boxes.shape[1] // 2
    exponents = np.zeros(n, np.int64)
    top = -1000
    for i in range(n):
        longest = 0.0
        for axis in range(dims):
            longest = max(longest, boxes[i, dims + axis] - boxes[i, axis])
        exponents[i] = math.frexp(longest)[1] if longest > 0 else -1000
        top = max(top, exponents[i])
    if top == -1000:
        top = 0  # points only
    classes = np.empty(n, np.int64)
    for i in range(n):
        classes[i] = max(0, exponents[i] - top + _LEVELS - 1)
    cell = np.empty(_LEVELS)
    for level in range(_LEVELS):
        cell[level] = math.ldexp(1.0, top - _LEVELS + 1 + level)
    return classes, cell


@compiled
def _any_near_overlaps(boxes, groups, i, level, low, high, first, after, threshold, dims):
    place = low.copy()
    while True:
        bucket = _bucket(place, dims, level, groups[i], first.size)
        if _any_overlaps(boxes, groups, i, first[bucket], after, threshold, dims):
            return True
        axis = 0
        while axis < dims:
            place[axis] += 1
            if place[axis] <= high[axis]:
                break
            place[axis] = low[axis]
            axis += 1
        if axis == dims:
            return False


@compiled
def _any_overlaps(boxes, groups, i, j, after, threshold, dims):
    """Whether box i has an IoU above the threshold with any box of the chain that starts at j."""
    while j >= 0:
        if groups[j] == groups[i]:
            inter = 1.0
            area_i = 1.0
            area_j = 1.0
            for axis in range(dims):
                lo = max(boxes[i, axis], boxes[j, axis])
                hi = min(boxes[i, dims + axis], boxes[j, dims + axis])
                inter *= max(0.0, hi - lo)
                area_i *= boxes[i, dims + axis] - boxes[i, axis]
                area_j *= boxes[j, dims + axis] - boxes[j, axis]
            union = area_i + area_j - inter
            # two boxes without area have no IoU and stay
            if union > 0 and inter / union > threshold:
                return True
        j = after[j]
    return False


@compiled
def _bucket(place, dims, level, group, buckets):
    key = np.uint64(level) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(group)
    for axis in range(dims):
        key ^= np.uint64(place[axis])
        key *= np.uint64(0xFF51AFD7ED558CCD)
        key ^= key >> np.uint64(32)
    return np.int64(key & np.uint64(buckets - 1))
