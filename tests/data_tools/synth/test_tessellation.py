"""Random octree and Laguerre tessellation against a brute-force search."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data_tools.synth.tessellation import Tessellation, random_octree_leaves


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_leaves_cover_the_extent_once(seed):
    rng = np.random.default_rng(seed)
    extent = (20.0, 40.0, 30.0)
    origins, sizes = random_octree_leaves(rng, extent, largest=16.0, split=(0.7, 0.5))
    points = rng.uniform(0, 1, (100, 3)) * extent
    inside = (points[:, None] >= origins) & (points[:, None] < origins + sizes[:, None])
    assert (inside.all(axis=2).sum(axis=1) == 1).all()


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_points_go_to_the_nearest_seed_in_power_distance(seed):
    rng = np.random.default_rng(seed)
    t = Tessellation.draw(rng, (5.0, 30.0, 30.0), largest=12.0, split=(0.6,), merge=0.0)
    seeds, lift = t.tree.data[:, :3], t.tree.data[:, 3]
    points = rng.uniform(0, 30, (50, 3))
    power = ((points[:, None] - seeds) ** 2).sum(axis=2) + lift**2
    np.testing.assert_array_equal(t.cells(*points.T), t.cell_of_seed[power.argmin(axis=1)])


def test_merging_makes_fewer_cells():
    draw = {
        m: Tessellation.draw(np.random.default_rng(0), (9, 90, 90), largest=20, split=(0.5,), merge=m)
        for m in (0.0, 0.5)
    }
    assert draw[0.5].cell_of_seed.max() < draw[0.0].cell_of_seed.max()
