"""Count the pairs of ids of two label images: runs, gathered in a small cache, sorted by the batch.

Neighbouring voxels mostly hold the same pair, and so do neighbouring rows. A run of voxels becomes one number
`row id | column id | length`. A direct-mapped cache of such numbers adds up what comes back soon; what it must
let go is collected, sorted and added up there. None of the loops over voxels and runs has a branch that depends
on the ids, because label images with short runs make such branches unpredictable.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from medseg.kernels.compiled import compiled
from medseg.kernels.label_blocks import BLOCK_VOXELS, label_blocks

_CACHE_BITS = 14  # 128 KiB
_BATCH = 1 << 19  # numbers that are sorted at once: 4 MiB
_MERGE_ABOVE = 1 << 22
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads neighbouring ids (Knuth, vol. 3, 6.4)
_EMPTY = -1
_INT64 = np.iinfo(np.int64)


class Bounds(NamedTuple):
    """The smallest and largest ids seen so far."""

    lowest_row: int
    highest_row: int
    lowest_column: int
    highest_column: int


class Packing(NamedTuple):
    """How a pair and a count share the 63 bits of an int64: `row - first_row | column - first_column | count`."""

    first_row: int
    first_column: int
    row_bits: int
    column_bits: int
    count_bits: int

    @classmethod
    def of(cls, bounds: Bounds, voxels: int) -> Packing | None:
        """A packing for ids within the bounds, and as far around as bits are left; None if they are too far apart."""
        row_bits = (bounds.highest_row - bounds.lowest_row).bit_length()
        column_bits = (bounds.highest_column - bounds.lowest_column).bit_length()
        count_bits = voxels.bit_length()
        spare = 63 - row_bits - column_bits - count_bits
        if spare < 0:
            return None
        row_bits, column_bits = row_bits + spare // 2, column_bits + spare - spare // 2
        return cls(
            _first(bounds.lowest_row, bounds.highest_row, row_bits),
            _first(bounds.lowest_column, bounds.highest_column, column_bits),
            row_bits,
            column_bits,
            count_bits,
        )

    def holds(self, bounds: Bounds) -> bool:
        """Whether all ids within the bounds can be packed."""
        return (
            self.first_row <= bounds.lowest_row
            and bounds.highest_row - self.first_row < 1 << self.row_bits
            and self.first_column <= bounds.lowest_column
            and bounds.highest_column - self.first_column < 1 << self.column_bits
        )

    def unpack(self, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, columns and counts, int64."""
        pairs = packed >> self.count_bits
        return (
            (pairs >> self.column_bits) + self.first_row,
            (pairs & ((1 << self.column_bits) - 1)) + self.first_column,
            packed & ((1 << self.count_bits) - 1),
        )

    def pack(self, rows: np.ndarray, columns: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """The numbers that `unpack` takes apart; they sort by row, then column."""
        pairs = ((rows - self.first_row) << self.column_bits) | (columns - self.first_column)
        return (pairs << self.count_bits) | counts


def count_pairs(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Rows, columns and counts of the different pairs, int64, sorted by row, then column.

    `rows`, `columns`: integer arrays of one shape with at least one element. One pass; memory grows with the
    number of pairs. None if the ids are so far apart that a pair and a count do not fit 63 bits.
    """
    bounds, packing = Bounds(_INT64.max, _INT64.min, _INT64.max, _INT64.min), None
    cache = np.full(1 << _CACHE_BITS, _EMPTY, np.int64)
    ends = np.empty(BLOCK_VOXELS, np.int64)
    batch = np.empty(min(_BATCH, rows.size) + BLOCK_VOXELS, np.int64)
    used, found, found_size, merged_size = 0, [], 0, _MERGE_ABOVE
    for row_block, column_block in label_blocks(rows, columns):
        bounds = Bounds(*_widened(*bounds, row_block, column_block))
        if packing is None or not packing.holds(bounds):
            wider = Packing.of(bounds, rows.size)
            if wider is None:
                return None
            if packing is not None:
                found = [wider.pack(*packing.unpack(part)) for part in (*found, batch[:used], cache[cache != _EMPTY])]
                found_size, used = sum(part.size for part in found), 0
                cache[:] = _EMPTY
            packing = wider
        number = _run_ends(row_block, column_block, ends)
        if used > _BATCH:
            used = _merge_equal(batch[:used], packing.count_bits)
            if used > _BATCH // 2:
                found.append(batch[:used].copy())
                found_size, used = found_size + used, 0
        if found_size > 2 * merged_size:  # so that memory follows the distinct pairs
            found = [_merged(found, packing.count_bits)]
            found_size = merged_size = found[0].size
        used = _gather(row_block, column_block, ends[:number], *packing, cache, batch, used)
    return packing.unpack(_merged([*found, batch[:used], cache[cache != _EMPTY]], packing.count_bits))


def merge_pairs(
    rows: np.ndarray, columns: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The same for pairs already counted, int64, in any order, repeated or not; at least one pair."""
    if counts.min() < 0:
        return None
    bounds = Bounds(int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max()))
    packing = Packing.of(bounds, int(counts.sum()))
    if packing is None:
        return None
    return packing.unpack(_merged([packing.pack(rows, columns, counts)], packing.count_bits))


def _first(lowest: int, highest: int, bits: int) -> int:
    """Where a range of 2**bits ids begins that has `lowest` to `highest` in its middle."""
    return max(lowest - ((1 << bits) - 1 - (highest - lowest)) // 2, int(_INT64.min))


def _merged(found: list[np.ndarray], count_bits: int) -> np.ndarray:
    packed = np.concatenate(found)
    return packed[: _merge_equal(packed, count_bits)]


def _merge_equal(packed: np.ndarray, count_bits: int) -> int:
    """Sort in place and move the different pairs, their counts added up, to the front; return their number."""
    packed.sort()
    return _add_up(packed, count_bits)


@compiled
def _widened(lowest_row, highest_row, lowest_column, highest_column, rows, columns):
    low_row = high_row = rows[0]  # of the blocks' own type, for vector instructions
    low_column = high_column = columns[0]
    for i in range(1, rows.size):
        low_row, high_row = min(low_row, rows[i]), max(high_row, rows[i])
        low_column, high_column = min(low_column, columns[i]), max(high_column, columns[i])
    return (
        min(lowest_row, low_row),
        max(highest_row, high_row),
        min(lowest_column, low_column),
        max(highest_column, high_column),
    )


@compiled
def _run_ends(rows, columns, ends):
    """Write the last place of each run of equal pairs; return their number."""
    number = 0
    for i in range(rows.size - 1):
        ends[number] = i
        number += (rows[i] != rows[i + 1]) | (columns[i] != columns[i + 1])
    ends[number] = rows.size - 1
    return number + 1


@compiled
def _gather(rows, columns, ends, first_row, first_column, row_bits, column_bits, count_bits, cache, batch, used):
    """Count each run in the cache; append what it pushes out to `batch[used:]`; return what is used then."""
    shift = np.uint64(64 - _CACHE_BITS)
    before = -1
    for end in ends:
        pair = ((rows[end] - first_row) << column_bits) | (columns[end] - first_column)
        place = np.int64((np.uint64(pair) * _MULTIPLIER) >> shift)
        there = cache[place]
        same = (there >> count_bits) == pair
        batch[used] = there
        used += (not same) & (there != _EMPTY)
        cache[place] = (there if same else pair << count_bits) + (end - before)
        before = end
    return used


@compiled
def _add_up(packed, count_bits):
    counts = (1 << count_bits) - 1
    last = 0
    for i in range(1, packed.size):
        new = (packed[i] >> count_bits) != (packed[last] >> count_bits)
        last += new
        packed[last] = packed[i] if new else packed[last] + (packed[i] & counts)
    return min(packed.size, last + 1)
