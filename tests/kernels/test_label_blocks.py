"""Blocks of two label images: every place once, both images at the same one."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from medseg.kernels import label_blocks as module
from medseg.kernels.label_blocks import label_blocks


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_VOXELS", 12)
    monkeypatch.setattr(module, "_SLAB", 2)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=7),
    st.sampled_from(["u1", "i4", ">i4", "u4", "i8", "u8"]),
    st.sampled_from(["i2", "i4", "i8"]),
    st.randoms(use_true_random=False),
)
def test_every_place_once_in_any_layout(small_blocks, shape, row_dtype, column_dtype, random):
    places = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    rows, columns = places.astype(row_dtype, order=random.choice("CF")), places.astype(column_dtype)
    axes = random.sample(range(len(shape)), len(shape))
    steps = tuple(slice(None, None, random.choice([1, 1, -1, 2])) for _ in shape)
    rows, columns = rows.transpose(axes)[steps], columns.transpose(axes)[steps]
    seen = []
    for row_block, column_block in label_blocks(rows, columns):
        narrow = all(np.iinfo(dtype).max <= np.iinfo(np.int32).max for dtype in (row_dtype, column_dtype))
        for block in (row_block, column_block):
            assert block.dtype == (np.int32 if narrow else np.int64)
            assert block.ndim == 1
            assert block.flags.c_contiguous
            assert block.flags.aligned
            assert not block.flags.writeable
        np.testing.assert_array_equal(row_block % 256, column_block % 256)
        assert 0 < row_block.size <= 12
        seen += column_block.tolist()
    assert sorted(seen) == sorted(columns.ravel().tolist())


def test_a_band_is_followed_by_the_same_band_of_the_next_section(small_blocks):
    places = np.arange(3 * 4 * 6).reshape(3, 4, 6)
    order = [tuple(np.argwhere(places == block[0])[0]) for block, _ in label_blocks(places, places)]
    assert order == [(0, 0, 0), (1, 0, 0), (0, 2, 0), (1, 2, 0), (2, 0, 0), (2, 2, 0)]


def test_images_stay_writeable_and_are_not_copied():
    image = np.zeros((2, 128, 256), np.int32)
    blocks = list(label_blocks(image, image))
    assert image.flags.writeable
    assert all(np.shares_memory(block, image) for pair in blocks for block in pair)
