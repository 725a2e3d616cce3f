"""Contingency tables against counting pairs one by one."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from medseg.errors import InputError
from medseg.kernels import contingency, pair_runs
from medseg.kernels.contingency import ContingencyTable, contingency_table

INTEGERS = ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", ">u2", ">i8"]


def counted_one_by_one(rows, columns):
    return Counter(zip(rows.ravel().tolist(), columns.ravel().tolist(), strict=True))


def as_counter(table):
    return Counter(
        dict(zip(zip(table.rows.tolist(), table.columns.tolist(), strict=True), table.counts.tolist(), strict=True))
    )


@st.composite
def label_pairs(draw):
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6))
    return [draw(arrays(np.dtype(draw(st.sampled_from(INTEGERS))), shape)) for _ in range(2)]


@settings(max_examples=150)
@given(label_pairs())
def test_equals_counting_one_by_one(pair):
    before = [image.copy() for image in pair]
    rows, columns = pair
    if any(image.size and int(image.max()) > np.iinfo(np.int64).max for image in pair):
        with pytest.raises(InputError, match="int64"):
            contingency_table(rows, columns)
        return
    table = contingency_table(rows, columns)
    assert as_counter(table) == counted_one_by_one(rows, columns)
    assert table.total == rows.size
    keys = list(zip(table.rows.tolist(), table.columns.tolist(), strict=True))
    assert keys == sorted(keys)
    for image, copy in zip(pair, before, strict=True):
        np.testing.assert_array_equal(image, copy)


@settings(max_examples=60)
@given(arrays(np.int16, (2, 7, 8, 9), elements=st.integers(-2, 5)), st.integers(0, 7), st.permutations([0, 1, 2]))
def test_blocks_add_up_and_layout_does_not_matter(pair, cut, axes):
    rows, columns = pair
    whole = contingency_table(rows, columns)
    assert contingency_table(rows[:cut], columns[:cut]) + contingency_table(rows[cut:], columns[cut:]) == whole
    assert contingency_table(rows.transpose(axes), columns.transpose(axes)) == whole
    assert contingency_table(rows[::-1], np.asfortranarray(columns[::-1])) == whole
    assert ContingencyTable.from_pairs(whole.columns, whole.rows, whole.counts) == contingency_table(columns, rows)


def test_many_ids_in_many_blocks_and_threads(monkeypatch):
    """A million different pairs: more than are sorted at once, in several slabs, with near and far ids."""
    rng = np.random.default_rng(1)
    rows = rng.permutation(1_000_000).reshape(100, 100, 100) * (1 << 40)
    columns = np.arange(1_000_000, dtype=np.uint32).reshape(100, 100, 100)
    one = contingency_table(rows, columns)
    np.testing.assert_array_equal(one.rows, np.arange(1_000_000) << 40)
    np.testing.assert_array_equal(rows.ravel()[one.columns], one.rows)
    assert (one.counts == 1).all()
    monkeypatch.setattr(contingency, "_VOXELS_PER_THREAD", 1000)
    monkeypatch.setattr(contingency, "default_threads", lambda: 3)
    monkeypatch.setattr(contingency, "_MERGE_ABOVE", 1 << 17)
    monkeypatch.setattr(pair_runs, "_MERGE_ABOVE", 1 << 17)
    assert contingency_table(rows, columns) == one
    compact = contingency_table(rows >> 40, columns)
    np.testing.assert_array_equal(compact.rows << 40, one.rows)
    assert (compact.columns == one.columns).all()
    assert (compact.counts == 1).all()


@settings(max_examples=40)
@given(st.integers(-(2**62), 2**62), st.integers(0, 62), st.integers(0, 62), st.integers(1, 300))
def test_ids_near_and_far_apart(first, row_bits, column_bits, size):
    rng = np.random.default_rng(size)
    spread = rng.integers(0, 3, (2, size)) << np.array([[row_bits], [column_bits]]) >> 1
    rows, columns = spread + np.array([[first], [-first]])
    assert as_counter(contingency_table(rows, columns)) == counted_one_by_one(rows, columns)


@settings(max_examples=40)
@given(arrays(np.int8, 60, elements=st.integers(-3, 3)), arrays(np.int8, 60, elements=st.integers(-3, 3)))
def test_pairs_in_any_order(rows, columns):
    """Counts that are not negative go one way, others another."""
    for first in (0, -20):
        counts = np.arange(first, first + 60)
        table = ContingencyTable.from_pairs(rows, columns, counts)
        expected = Counter()
        for row, column, count in zip(rows.tolist(), columns.tolist(), counts.tolist(), strict=True):
            expected[row, column] += count
        assert as_counter(table) == expected
        assert list(zip(table.rows.tolist(), table.columns.tolist(), strict=True)) == sorted(expected)


def test_marginals():
    table = contingency_table(np.array([5, 5, 5, 0, -1]), np.array([2, 2, 9, 9, 9]))
    ids, counts, index = table.row_marginal
    assert (ids.tolist(), counts.tolist()) == ([-1, 0, 5], [1, 1, 3])
    assert ids[index].tolist() == table.rows.tolist()
    assert table.column_marginal.counts.tolist() == [2, 3]
    far = contingency_table(np.array([5, 5, 0]), np.array([1 << 40, 3, 3]))
    assert (far.column_marginal.ids.tolist(), far.column_marginal.counts.tolist()) == ([3, 1 << 40], [2, 1])
    assert far.column_marginal.ids[far.column_marginal.index].tolist() == far.columns.tolist()
    assert table.select(table.rows > 0).total == 3


def test_read_only_and_memory_mapped_files(tmp_path):
    labels = np.arange(60, dtype=np.uint16).reshape(3, 4, 5) // 7
    np.save(tmp_path / "labels.npy", labels)
    mapped = np.load(tmp_path / "labels.npy", mmap_mode="r")
    assert contingency_table(mapped, mapped) == contingency_table(labels, labels)


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        (np.zeros((2, 3), int), np.zeros((3, 2), int), r"\(2, 3\) and \(3, 2\)"),
        (np.zeros(3), np.zeros(3, int), "float64"),
        (np.array([1 << 63], np.uint64), np.array([0]), "relabel"),
    ],
)
def test_refuses(rows, columns, message):
    with pytest.raises(InputError, match=message):
        contingency_table(rows, columns)


def test_empty():
    table = contingency_table(np.zeros((0, 4), int), np.zeros((0, 4), int))
    assert table.total == 0
    assert table == ContingencyTable.from_pairs(*[np.zeros(0, np.int64)] * 3) == table + table
