"""Contingency tables of two label images, sparse: only the pairs of ids that meet.

One pass over the voxels. Neighbouring voxels mostly hold the same pair, so the pass turns runs of them into
numbers `row id | column id | length`, sorts these while they are in the cache, and adds up the lengths of equal
pairs. Blocks are converted to int64 on the way, so that any integer dtype, memory layout and memory-mapped
file goes through one compiled kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit

from medseg.errors import InputError
from medseg.kernels.in_threads import default_threads

_BLOCK_VOXELS = 1 << 15
_VOXELS_PER_THREAD = 1 << 22
_MERGE_ABOVE = 1 << 22
_PACKED = 1 << 19  # runs that are sorted at once: 4 MiB


class Marginal(NamedTuple):
    """One side of a contingency table: its ids (ascending), their sizes, and each pair's place among them."""

    ids: np.ndarray
    counts: np.ndarray
    index: np.ndarray


@dataclass(frozen=True, eq=False)
class ContingencyTable:
    """The pairs `(row id, column id)` that occur in two label images, and how many voxels hold each.

    `rows`, `columns`, `counts` are int64, shape `(pairs,)`, sorted by row, then column. Id 0 is an id like any
    other here. Tables add: the table of a volume is the sum of the tables of its blocks.
    """

    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray

    @classmethod
    def from_pairs(cls, rows: np.ndarray, columns: np.ndarray, counts: np.ndarray) -> ContingencyTable:
        """Table of pairs given in any order, repeated or not; counts of equal pairs are added."""
        order = _order(rows, columns)
        rows, columns, counts = rows[order], columns[order], counts[order]
        if rows.size:
            first = np.concatenate(([True], (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])))
            starts = np.flatnonzero(first)
            rows, columns, counts = rows[starts], columns[starts], np.add.reduceat(counts, starts)
        return cls(rows, columns, counts)

    @property
    def total(self) -> int:
        """Number of voxels counted."""
        return int(self.counts.sum())

    @cached_property
    def row_marginal(self) -> Marginal:
        """Row ids with their voxel counts."""
        return _marginal(self.rows, self.counts)

    @cached_property
    def column_marginal(self) -> Marginal:
        """Column ids with their voxel counts."""
        return _marginal(self.columns, self.counts)

    def select(self, keep: np.ndarray) -> ContingencyTable:
        """The table of the pairs where the boolean array `keep` (one value per pair) is true."""
        return ContingencyTable(self.rows[keep], self.columns[keep], self.counts[keep])

    def transpose(self) -> ContingencyTable:
        """The table with rows and columns exchanged."""
        return ContingencyTable.from_pairs(self.columns, self.rows, self.counts)

    def __add__(self, other: ContingencyTable) -> ContingencyTable:
        if not isinstance(other, ContingencyTable):
            return NotImplemented
        return ContingencyTable.from_pairs(
            np.concatenate((self.rows, other.rows)),
            np.concatenate((self.columns, other.columns)),
            np.concatenate((self.counts, other.counts)),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ContingencyTable):
            return NotImplemented
        return (
            np.array_equal(self.rows, other.rows)
            and np.array_equal(self.columns, other.columns)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None


def contingency_table(rows: np.ndarray, columns: np.ndarray) -> ContingencyTable:
    """Count the pairs of ids that two label images hold at the same voxels.

    `rows`, `columns`: integer or boolean arrays of one shape, any number of dimensions, any id an int64 can
    hold (negative ones too: what they mean is the caller's business). Memory grows with the number of pairs,
    not with the ids or the voxels. Raises `InputError` for other dtypes, different shapes, larger ids.
    """
    rows, columns = np.asarray(rows), np.asarray(columns)
    if rows.shape != columns.shape:
        raise InputError(
            f"Two label images of one shape are compared voxel by voxel; got {rows.shape} and {columns.shape}."
        )
    for array in (rows, columns):
        _check_ids(array)
    parts = _parts(rows, columns)
    if len(parts) == 1:
        return _count(*parts[0])
    with ThreadPoolExecutor(len(parts)) as pool:
        return _sum(pool.map(lambda part: _count(*part), parts))


def _parts(rows: np.ndarray, columns: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The images in as many slabs as there are threads, where they are large enough to be worth it."""
    number = min(default_threads(), rows.size // _VOXELS_PER_THREAD, rows.shape[0] if rows.ndim else 1)
    if number <= 1:
        return [(rows, columns)]
    edges = np.linspace(0, rows.shape[0], number + 1).astype(int)
    return [(rows[a:b], columns[a:b]) for a, b in pairwise(edges)]


def _count(rows: np.ndarray, columns: np.ndarray) -> ContingencyTable:
    if rows.size == 0:
        return ContingencyTable(*np.zeros((3, 0), np.int64))
    packing = _Packing.of(rows, columns)
    if packing is None:
        return _count_wide(rows, columns)
    found: list[np.ndarray] = []
    found_size, merged_size = 0, _MERGE_ABOVE
    packed = np.empty(min(_PACKED, rows.size), np.int64)
    used = 0
    for row_block, column_block in _blocks(rows, columns):
        if used + row_block.size > packed.size:
            used = _merge_equal(packed[:used], packing.count_bits)
            if used > packed.size // 2:
                found.append(packed[:used].copy())
                found_size, used = found_size + used, 0
        if found_size > 2 * merged_size:  # so that memory follows the distinct pairs
            found = [_merged(found, packing.count_bits)]
            found_size = merged_size = found[0].size
        used = _pack_runs(row_block, column_block, *packing, packed, used)
    return packing.table(_merged([*found, packed[:used]], packing.count_bits))


def _count_wide(rows: np.ndarray, columns: np.ndarray) -> ContingencyTable:
    """Ids that do not fit one number with a count: the pairs of each block, sorted by two keys."""
    total = ContingencyTable(*np.zeros((3, 0), np.int64))
    waiting: list[ContingencyTable] = []
    for row_block, column_block in _blocks(rows, columns):
        changes = (row_block[1:] != row_block[:-1]) | (column_block[1:] != column_block[:-1])
        starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
        lengths = np.diff(starts, append=row_block.size)
        waiting.append(ContingencyTable.from_pairs(row_block[starts], column_block[starts], lengths))
        if sum(table.counts.size for table in waiting) > max(_MERGE_ABOVE, total.counts.size):
            total, waiting = _sum([total, *waiting]), []
    return _sum([total, *waiting])


def _sum(tables: Iterable[ContingencyTable]) -> ContingencyTable:
    pairs = [(table.rows, table.columns, table.counts) for table in tables]
    return ContingencyTable.from_pairs(*(np.concatenate(side) for side in zip(*pairs, strict=True)))


class _Packing(NamedTuple):
    """How a pair and a count share the 63 bits of an int64: `row - first_row | column - first_column | count`."""

    first_row: int
    first_column: int
    column_bits: int
    count_bits: int

    @classmethod
    def of(cls, rows: np.ndarray, columns: np.ndarray) -> _Packing | None:
        """The packing for two images, None if their ids are too far apart."""
        first_row, first_column = int(rows.min()), int(columns.min())
        row_bits = (int(rows.max()) - first_row).bit_length()
        packing = cls(first_row, first_column, (int(columns.max()) - first_column).bit_length(), rows.size.bit_length())
        return packing if row_bits + packing.column_bits + packing.count_bits <= 63 else None

    def table(self, packed: np.ndarray) -> ContingencyTable:
        """Undo it, for pairs that are sorted and different."""
        pairs = packed >> self.count_bits
        return ContingencyTable(
            (pairs >> self.column_bits) + self.first_row,
            (pairs & ((1 << self.column_bits) - 1)) + self.first_column,
            packed & ((1 << self.count_bits) - 1),
        )


def _merged(found: list[np.ndarray], count_bits: int) -> np.ndarray:
    packed = np.concatenate(found)
    return packed[: _merge_equal(packed, count_bits)]


def _merge_equal(packed: np.ndarray, count_bits: int) -> int:
    """Sort in place and move the different pairs, their counts added up, to the front; return their number."""
    packed.sort()
    return _add_up(packed, count_bits)


def _order(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Indices that sort pairs by row, then column; through one key where both ids fit in it."""
    if rows.size == 0:
        return np.zeros(0, np.intp)
    first_row, first_column = int(rows.min()), int(columns.min())
    width = int(columns.max()) - first_column + 1
    if (int(rows.max()) - first_row + 1) * width < np.iinfo(np.int64).max:
        return np.argsort((rows - first_row) * width + (columns - first_column))
    return np.lexsort((columns, rows))


def _check_ids(labels: np.ndarray) -> None:
    if not (np.issubdtype(labels.dtype, np.integer) or labels.dtype == bool):
        raise InputError(
            f"Label images hold integer ids; got {labels.dtype}. Convert with .astype(np.int32) if the values "
            "are ids, or threshold and label the image first if they are probabilities."
        )
    if labels.dtype == np.uint64 and labels.size and int(labels.max()) > np.iinfo(np.int64).max:
        raise InputError("Ids above 9223372036854775807 do not fit int64; relabel the image first.")


def _blocks(rows: np.ndarray, columns: np.ndarray) -> np.nditer:
    """Iterate both arrays in one memory order as contiguous int64 blocks, copying only what must be cast."""
    return np.nditer(
        [rows, columns],
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[["readonly", "contig", "aligned", "nbo"]] * 2,
        op_dtypes=[np.dtype(np.int64)] * 2,
        casting="unsafe",  # uint64 was checked, every other integer dtype fits
        buffersize=_BLOCK_VOXELS,
        order="K",
    )


def _marginal(ids: np.ndarray, counts: np.ndarray) -> Marginal:
    first = int(ids.min()) if ids.size else 0
    if ids.size and int(ids.max()) - first < 4 * ids.size:  # ids without large gaps need no sorting
        places = ids - first
        sums = np.bincount(places, weights=counts).astype(np.int64)  # float64 is exact up to 2**53 voxels
        present = sums > 0
        return Marginal(np.flatnonzero(present) + first, sums[present], (np.cumsum(present) - 1)[places])
    unique, index = np.unique(ids, return_inverse=True)
    return Marginal(unique, np.bincount(index, weights=counts).astype(np.int64), index)


@njit(cache=True, nogil=True)
def _pack_runs(rows, columns, first_row, first_column, column_bits, count_bits, packed, used):
    """Append the runs of a block to `packed[used:]`; return what is used then. Runs are short: no branches."""
    start = 0
    for end in range(1, rows.size + 1):
        pair = ((rows[end - 1] - first_row) << column_bits) | (columns[end - 1] - first_column)
        packed[used] = (pair << count_bits) | (end - start)
        if end == rows.size:
            break
        new = (rows[end] != rows[end - 1]) | (columns[end] != columns[end - 1])
        start = end if new else start
        used += new
    return used + 1


@njit(cache=True, nogil=True)
def _add_up(packed, count_bits):
    counts = (1 << count_bits) - 1
    last = 0
    for i in range(1, packed.size):
        new = (packed[i] >> count_bits) != (packed[last] >> count_bits)
        last += new
        packed[last] = packed[i] if new else packed[last] + (packed[i] & counts)
    return min(packed.size, last + 1)
