"""Contingency tables of two label images, sparse: only the pairs of ids that meet.

One pass over the voxels. Neighbouring voxels mostly hold the same pair, so the pass counts runs and looks a
pair up in a hash table once per run; blocks are converted to int64 while they are in the cache, so that any
integer dtype, memory layout and memory-mapped file goes through one compiled kernel.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit

from medseg.errors import InputError

_BLOCK_VOXELS = 1 << 15
_VOXELS_PER_THREAD = 1 << 22
_MERGE_ABOVE = 1 << 22
_SLOTS = 1 << 16  # of the tally, which has to stay in the cache: 128 KiB, and 192 KiB of entries


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
        findings = [_tally(*parts[0])]
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            findings = list(pool.map(lambda part: _tally(*part), parts))
    return _merged([entries for found in findings for entries in found])


def _parts(rows: np.ndarray, columns: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The images in as many slabs as there are threads, where they are large enough to be worth it."""
    number = min(get_num_threads(), rows.size // _VOXELS_PER_THREAD, rows.shape[0] if rows.ndim else 1)
    if number <= 1:
        return [(rows, columns)]
    edges = np.linspace(0, rows.shape[0], number + 1).astype(int)
    return [(rows[a:b], columns[a:b]) for a, b in pairwise(edges)]


def _tally(rows: np.ndarray, columns: np.ndarray) -> list[np.ndarray]:
    """Entries `(row, column, count)` whose sums are the table; a pair may have several entries."""
    found: list[np.ndarray] = []
    found_size, merged_size = 0, _MERGE_ABOVE
    slots = np.full(_SLOTS, -1, np.int32)
    entries = np.zeros((_SLOTS // 4, 3), np.int64)
    run_ends = np.zeros(_BLOCK_VOXELS, np.int32)
    used = 0
    for row_block, column_block in _blocks(rows, columns):
        runs = _find_runs(row_block, column_block, run_ends)
        run = 0
        while run < runs:
            run, used = _tally_runs(slots, entries, used, row_block, column_block, run_ends, run, runs)
            if used == entries.shape[0]:
                found.append(entries.copy())
                found_size += used
                slots[:], entries[:, 2], used = -1, 0, 0
        if found_size > 2 * merged_size:  # so that memory follows the distinct pairs
            table = _merged(found)
            found = [np.stack((table.rows, table.columns, table.counts), axis=1)]
            found_size = merged_size = table.counts.size
    found.append(entries[:used])
    return found


def _merged(found: list[np.ndarray]) -> ContingencyTable:
    return ContingencyTable.from_pairs(*np.ascontiguousarray(np.concatenate(found).T))


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
    unique, index = np.unique(ids, return_inverse=True)
    sums = np.zeros(unique.size, np.int64)
    np.add.at(sums, index, counts)
    return Marginal(unique, sums, index)


@njit(cache=True, nogil=True)
def _slot_of(slots, entries, row, column):  # pragma: no cover - compiled
    """Slot that points to the pair's entry, or the empty one where it belongs (linear probing)."""
    mixed = np.uint64(row) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(column) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(32)
    mask = slots.size - 1
    slot = np.int64(mixed & np.uint64(mask))
    while slots[slot] >= 0:
        entry = slots[slot]
        if entries[entry, 0] == row and entries[entry, 1] == column:
            break
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def _find_runs(rows, columns, run_ends):  # pragma: no cover - compiled
    """Write where each run of one pair ends; return their number. Without a branch: runs are short."""
    runs = 0
    for position in range(1, rows.size):
        run_ends[runs] = position
        runs += (rows[position] != rows[position - 1]) | (columns[position] != columns[position - 1])
    if rows.size:
        run_ends[runs] = rows.size
        runs += 1
    return runs


@njit(cache=True, nogil=True)
def _tally_runs(slots, entries, used, rows, columns, run_ends, run, runs):  # pragma: no cover - compiled
    """Count runs from number `run` until they end or the entries are full; return (run, used)."""
    start = 0 if run == 0 else run_ends[run - 1]
    while run < runs and used < entries.shape[0]:
        row, column = rows[start], columns[start]
        slot = _slot_of(slots, entries, row, column)
        if slots[slot] < 0:
            slots[slot] = used
            entries[used, 0] = row
            entries[used, 1] = column
            used += 1
        entries[slots[slot], 2] += run_ends[run] - start
        start = run_ends[run]
        run += 1
    return run, used
