import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data import MetaTensor
from scipy import ndimage

from medseg.transforms import InstancesFromProbability, InstancesFromProbabilityd

FIELDS = hnp.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(0, 1, width=16))


def run(probability: np.ndarray, **options) -> np.ndarray:
    return InstancesFromProbability(**options)(torch.from_numpy(probability)[None])[0].numpy()


@settings(max_examples=150)
@given(FIELDS, st.floats(0, 1, width=16), st.integers(0, 5))
def test_one_threshold_gives_the_connected_components(probability, threshold, min_size):
    found = run(probability, seed_threshold=threshold, threshold=threshold, min_size=min_size)
    components, count = ndimage.label(probability > threshold)
    kept = [k for k in range(1, count + 1) if (components == k).sum() >= min_size]
    assert found.max(initial=0) == len(kept)
    assert {frozenset(np.flatnonzero(found == k)) for k in range(1, len(kept) + 1)} == {
        frozenset(np.flatnonzero(components == k)) for k in kept
    }


@settings(max_examples=150)
@given(FIELDS, st.floats(0, 1, width=16), st.floats(0, 1, width=16), st.integers(0, 3))
def test_cells_grow_from_each_seed_within_the_threshold(probability, a, b, min_size):
    threshold, seed_threshold = sorted((a, b))
    found = run(probability, seed_threshold=seed_threshold, threshold=threshold, min_size=min_size)
    seeds, count = ndimage.label(probability > seed_threshold)
    kept = [seeds == k for k in range(1, count + 1) if (seeds == k).sum() >= min_size]
    assert sorted(np.unique(found[found > 0])) == list(range(1, len(kept) + 1))
    for seed in kept:  # each seed is in one cell of its own
        assert len(np.unique(found[seed])) == 1
        assert ndimage.label(found == found[seed][0])[1] == 1
    assert not found[probability <= threshold].any()
    # nothing that a seed could reach is left over
    reachable, parts = ndimage.label(probability > threshold)
    for part in range(1, parts + 1):
        has_seed = any(seed[reachable == part].any() for seed in kept)
        assert ((found[reachable == part] > 0).all()) == has_seed


def test_a_saddle_parts_two_cells():
    """Two bumps of 0.9 with a saddle of 0.6 between: one cell at 0.5, two from seeds at 0.8."""
    profile = np.array([[0.1, 0.9, 0.9, 0.7, 0.6, 0.7, 0.9, 0.9, 0.1]], np.float32)
    assert run(profile).tolist() == [[0, 1, 1, 1, 1, 1, 1, 1, 0]]
    parted = run(profile, seed_threshold=0.8)[0]
    assert parted[[1, 2, 3]].tolist() == [1, 1, 1]
    assert parted[[5, 6, 7]].tolist() == [2, 2, 2]
    assert parted[0] == parted[-1] == 0


def test_cells_meet_in_the_valley_between_them():
    """Though the valley lies beside one of the seeds: the flood does not run through it and up the other side."""
    profile = np.array([[0.95, 0.6, 0.7, 0.8, 0.95]], np.float32)
    assert run(profile, seed_threshold=0.9).tolist() == [[1, 1, 2, 2, 2]]


def test_no_id_occurs_in_two_sections():
    stack = np.zeros((2, 2, 3, 3), np.float32)
    stack[0, 0, 0, 0] = stack[0, 0, 2, 2] = stack[0, 1, 1, 1] = stack[1, 1, 0, 0] = 1
    found = run(stack)
    assert sorted(found[found > 0]) == [1, 2, 3, 4]
    assert found[0, 1, 1, 1] == 3
    solid = run(stack[:1], spatial_dims=3)
    assert solid.shape == (1, 2, 3, 3)


def test_keeps_metadata_and_input():
    probability = MetaTensor(torch.rand(1, 5, 6), meta={"filename_or_obj": "x.tif"})
    before = probability.clone()
    out = InstancesFromProbabilityd("pred")({"pred": probability})["pred"]
    assert (out.dtype, out.meta["filename_or_obj"]) == (torch.int32, "x.tif")
    assert torch.equal(probability, before)


@pytest.mark.parametrize(("seed_threshold", "threshold"), [(0.4, 0.5), (1.5, 0.5), (0.5, -0.1)])
def test_refuses_thresholds_out_of_order(seed_threshold, threshold):
    with pytest.raises(ValueError, match="threshold <= seed_threshold"):
        InstancesFromProbability(seed_threshold, threshold)


def test_refuses_several_channels():
    with pytest.raises(ValueError, match="one channel"):
        InstancesFromProbability()(torch.rand(2, 5, 6))
