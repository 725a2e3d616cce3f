import numpy as np
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
