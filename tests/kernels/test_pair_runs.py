"""Packed pairs and the cache of runs, in small batches, against counting voxel by voxel."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medseg.kernels import label_blocks, pair_runs
from medseg.kernels.pair_runs import Bounds, Packing, count_pairs, merge_pairs


@pytest.fixture
def small_batches(monkeypatch):
    """Blocks, batches and merges of a few hundred voxels, so that small images go through all of them often."""
    monkeypatch.setattr(label_blocks, "BLOCK_VOXELS", 64)
    monkeypatch.setattr(pair_runs, "_BATCH", 256)
    monkeypatch.setattr(pair_runs, "_MERGE_ABOVE", 300)


def counted_one_by_one(rows, columns):
    return sorted(Counter(zip(rows.ravel().tolist(), columns.ravel().tolist(), strict=True)).items())


def as_items(pairs):
    rows, columns, counts = (side.tolist() for side in pairs)
    return list(zip(zip(rows, columns, strict=True), counts, strict=True))


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize(("ids", "run"), [(3, 1), (100, 5), (400, 2), (100_000, 1)])
def test_cache_that_overflows(small_batches, dtype, ids, run):
    """Up to 60 000 different pairs in a cache of 16 384 places, short and long runs."""
    rng = np.random.default_rng(ids)
    rows, columns = np.repeat(rng.integers(0, ids, (2, 60, 1000 // run), dtype), run, axis=2)
    assert as_items(count_pairs(rows, columns)) == counted_one_by_one(rows, columns)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 44), st.booleans()), min_size=1, max_size=8), st.integers(0, 2**31))
def test_ids_that_spread_on_the_way(small_batches, blocks, seed):
    """Each block brings ids of another size, above or below 0: the packing widens, or gives up for a reason."""
    rng = np.random.default_rng(seed)
    parts = [rng.integers(0, 1 << bits, (2, 130), endpoint=True) * (-1 if below else 1) for bits, below in blocks]
    rows, columns = np.concatenate(parts, axis=1)
    columns >>= 20
    pairs = count_pairs(rows, columns)
    bits = sum(int(side.max() - side.min()).bit_length() for side in (rows, columns)) + rows.size.bit_length()
    assert (pairs is None) == (bits > 63)
    if pairs is not None:
        assert as_items(pairs) == counted_one_by_one(rows, columns)


def test_ids_that_fitted_the_spare_bits_are_not_forgotten_when_these_shrink(small_batches):
    rows, columns = np.zeros((2, 192), np.int64)
    rows[70] = 1 << 20  # in the second block, without a wider packing
    columns[150] = 1 << 33  # in the third, leaving few bits to the rows
    assert as_items(count_pairs(rows, columns)) == counted_one_by_one(rows, columns)


ids = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=200)
@given(ids, ids, st.integers(0, 63), st.integers(0, 63), st.integers(1, 2**40), st.data())
def test_what_is_packed_comes_out_again(row, column, row_bits, column_bits, voxels, data):
    highest = [min(first + (1 << bits) - 1, 2**63 - 1) for first, bits in ((row, row_bits), (column, column_bits))]
    bounds = Bounds(row, highest[0], column, highest[1])
    packing = Packing.of(bounds, voxels)
    lengths = (highest[0] - row).bit_length() + (highest[1] - column).bit_length()
    assert (packing is None) == (lengths + voxels.bit_length() > 63)
    if packing is None:
        return
    assert packing.holds(bounds)
    sides = [
        np.array(sorted(data.draw(st.lists(st.integers(*limits), min_size=4, max_size=4))), np.int64)
        for limits in ((row, highest[0]), (column, highest[1]), (0, voxels))
    ]
    packed = packing.pack(*sides)
    assert (packed >= 0).all()
    assert (np.diff(packed) >= 0).all()
    for before, after in zip(sides, packing.unpack(packed), strict=True):
        np.testing.assert_array_equal(before, after)


def test_does_not_hold_ids_beyond_its_bits():
    packing = Packing.of(Bounds(0, 1 << 20, 0, 1 << 20), 1 << 20)
    last = packing.first_row + (1 << packing.row_bits) - 1
    assert packing.holds(Bounds(packing.first_row, last, 0, 0))
    assert not packing.holds(Bounds(0, last + 1, 0, 0))
    assert not packing.holds(Bounds(packing.first_row - 1, 0, 0, 0))
    assert not packing.holds(Bounds(0, 0, packing.first_column - 1, 0))
    assert not packing.holds(Bounds(0, 0, 0, packing.first_column + (1 << packing.column_bits)))


def test_merge_of_ids_too_far_apart_or_counts_below_zero_is_left_to_the_caller():
    few = np.array([0, 1])
    assert as_items(merge_pairs(few[::-1], few, few)) == [((0, 1), 1), ((1, 0), 0)]
    assert merge_pairs(few << 62, few << 62, few) is None
    assert merge_pairs(few, few, -few) is None
