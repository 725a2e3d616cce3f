"""Contingency tables of two label images, sparse: only the pairs of ids that meet."""

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
from medseg.kernels.label_blocks import label_blocks
from medseg.kernels.pair_runs import count_pairs, merge_pairs

_VOXELS_PER_THREAD = 1 << 22
_MERGE_ABOVE = 1 << 22


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
        rows, columns, counts = (np.asarray(side, np.int64) for side in (rows, columns, counts))
        if rows.size == 0:
            return cls(rows, columns, counts)
        merged = merge_pairs(rows, columns, counts)
        return cls(*(_merge_wide(rows, columns, counts) if merged is None else merged))

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
    pairs = count_pairs(rows, columns)
    return _count_wide(rows, columns) if pairs is None else ContingencyTable(*pairs)


def _count_wide(rows: np.ndarray, columns: np.ndarray) -> ContingencyTable:
    """Ids that do not fit one number with a count: the pairs of each block, sorted by two keys."""
    total = ContingencyTable(*np.zeros((3, 0), np.int64))
    waiting: list[ContingencyTable] = []
    for row_block, column_block in label_blocks(rows, columns):
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


def _merge_wide(rows: np.ndarray, columns: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
    """Sort by two keys and add up the counts of equal pairs."""
    order = np.lexsort((columns, rows))
    rows, columns, counts = rows[order], columns[order], counts[order]
    starts = np.flatnonzero(np.concatenate(([True], (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1]))))
    return [rows[starts], columns[starts], np.add.reduceat(counts, starts)]


def _check_ids(labels: np.ndarray) -> None:
    if not (np.issubdtype(labels.dtype, np.integer) or labels.dtype == bool):
        raise InputError(
            f"Label images hold integer ids; got {labels.dtype}. Convert with .astype(np.int32) if the values "
            "are ids, or threshold and label the image first if they are probabilities."
        )
    if labels.dtype == np.uint64 and labels.size and int(labels.max()) > np.iinfo(np.int64).max:
        raise InputError("Ids above 9223372036854775807 do not fit int64; relabel the image first.")


def _marginal(ids: np.ndarray, counts: np.ndarray) -> Marginal:
    first = int(ids.min()) if ids.size else 0
    width = int(ids.max()) - first + 1 if ids.size else 0
    if 0 < width <= 4 * ids.size:  # ids without large gaps need no sorting
        sizes, index = np.zeros(width, np.int64), np.empty(ids.size, np.int64)
        _compact_marginal(ids, counts, first, sizes, index)
        present = np.flatnonzero(sizes)
        return Marginal(present + first, sizes[present], index)
    unique, index = np.unique(ids, return_inverse=True)
    return Marginal(unique, np.bincount(index, weights=counts).astype(np.int64), index)


@njit(cache=True, nogil=True)
def _compact_marginal(ids, counts, first, sizes, index):
    for i in range(ids.size):
        sizes[ids[i] - first] += counts[i]
    places = np.empty(sizes.size, np.int64)
    number = 0
    for i in range(sizes.size):
        places[i] = number
        number += sizes[i] != 0
    for i in range(ids.size):
        index[i] = places[ids[i] - first]
