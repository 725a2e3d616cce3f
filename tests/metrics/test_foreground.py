import warnings

import numpy as np
import pytest

from medseg.metrics.foreground import foreground_of


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64, np.float32])
@pytest.mark.parametrize("factor", [1, 13])
def test_objects_that_vanish_are_counted_whatever_their_ids(dtype, factor):
    for seed in range(20):
        image = (np.random.default_rng(seed).integers(0, 9, (2, 4)) * factor).astype(dtype)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            foreground = foreground_of(image, "labels")
        lost = np.setdiff1d(image[image != 0], image[foreground])
        said = [str(w.message).split(" vanished")[0] for w in caught]
        assert said == ([f"{lost.size} objects (first id: {lost[0]})"] if lost.size else [])
