import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medseg.kernels.run_lengths import (
    decode_runs,
    decode_string,
    encode_runs,
    encode_string,
    encode_window_runs,
)


@given(
    hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=5)),
    st.tuples(*[st.integers(0, 3)] * 4),
)
def test_a_window_gives_the_runs_of_the_whole_image(mask, rim):
    top, bottom, left, right = rim
    image = np.pad(mask, ((top, bottom), (left, right)))
    if image.size:
        runs = encode_window_runs(mask, (top, left), image.shape)
        assert runs == encode_runs(image)
        assert np.array_equal(decode_runs(decode_string(encode_string(runs)), image.shape), image)


@given(hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_runs_round_trip(mask):
    runs = encode_runs(mask)
    assert all(r > 0 for r in runs[1:])
    assert np.array_equal(decode_runs(runs, mask.shape), mask)
    assert decode_string(encode_string(runs)) == runs


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=12))
def test_strings_round_trip(runs):
    assert decode_string(encode_string(runs)) == runs


def test_compressed_string_of_the_coco_api():
    """The string that the COCO API gives for runs 6, 1, 40, 4, 5, 4, 5, 4, 21 (worked out by its rules)."""
    assert encode_string([6, 1, 40, 4, 5, 4, 5, 4, 21]) == "61X13mN000`0"
    assert decode_string("61X13mN000`0") == [6, 1, 40, 4, 5, 4, 5, 4, 21]


@pytest.mark.parametrize(
    ("text", "message"),
    [("6a", "middle of a number"), ("6 1", "' ' is no character"), ("6p", "'p' is no character")],
)
def test_what_is_no_compressed_string(text, message):
    with pytest.raises(ValueError, match=message):
        decode_string(text)


@pytest.mark.parametrize("runs", [[3, 2], [3, 4], [8, -2]])
def test_runs_that_do_not_fill_the_mask(runs):
    with pytest.raises(ValueError, match="do not fill a mask of 2 x 3"):
        decode_runs(runs, (2, 3))
