import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label
from skimage.segmentation import watershed

from medseg.transforms.flood import flood


@st.composite
def landscapes(draw):
    """An image, seeds and a mask in 2D or 3D; plateaus are common, but no two pixels of seeds are equally high."""
    shape = draw(st.one_of(st.tuples(*[st.integers(1, 24)] * 2), st.tuples(*[st.integers(1, 8)] * 3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mask = rng.random(shape) < draw(st.sampled_from([0.3, 0.6, 0.9, 1]))
    seeds = label((rng.random(shape) < draw(st.sampled_from([0, 0.1, 0.3, 0.7]))) & mask, connectivity=1)
    seeds[np.isin(seeds, draw(st.lists(st.integers(1, 9))))] = 0  # ids with gaps, components without a seed
    image = rng.integers(0, draw(st.integers(1, 9)), shape).astype(np.float32)
    image[seeds > 0] += rng.permutation(np.count_nonzero(seeds)) / seeds.size
    return image, seeds, mask


@settings(max_examples=400)
@given(landscapes())
def test_equals_the_watershed_of_the_whole_image(landscape):
    image, seeds, mask = landscape
    found, expected = flood(image, seeds, mask), watershed(image, seeds, mask=mask)
    assert found.dtype == expected.dtype
    assert (found == expected).all()


def test_arguments_stay_as_they_are():
    image, seeds, mask = np.zeros((3, 5), np.float32), np.zeros((3, 5), np.int32), np.ones((3, 5), bool)
    seeds[1, 0], seeds[1, 4] = 1, 2
    copies = [a.copy() for a in (image, seeds, mask)]
    flood(image, seeds, mask)
    assert all((a == b).all() for a, b in zip((image, seeds, mask), copies, strict=True))
