"""Synthetic nuclei and phase-contrast cells: exact truth, seeded, any size, options that do what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from data_tools.synth.blobs import Blob, assign, scatter
from data_tools.synth.nuclei import nuclei
from data_tools.synth.phase_contrast import phase_contrast_cells
from medseg.errors import InputError


def assert_truth_is_consistent(labels):
    assert labels.dtype == np.uint16
    assert set(np.unique(labels)) | {0} == set(range(labels.max() + 1))
    for index in range(1, labels.max() + 1):
        assert label(labels == index, connectivity=1).max() == 1, f"id {index} lies in several pieces"


@settings(max_examples=15)
@given(
    shape=st.one_of(
        st.tuples(st.integers(16, 80), st.integers(16, 80)),
        st.tuples(st.integers(1, 12), st.integers(16, 50), st.integers(16, 50)),
    ),
    seed=st.integers(0, 2**32 - 1),
    touching=st.floats(0, 1),
)
def test_nuclei_of_any_size(shape, seed, touching):
    sample = nuclei(shape, seed, diameter_px=12, coverage=0.3, touching=touching)
    assert sample.image.shape == sample.labels.shape == shape
    assert sample.image.dtype == np.uint8
    assert_truth_is_consistent(sample.labels)


@settings(max_examples=10)
@given(st.tuples(st.integers(16, 150), st.integers(16, 150)), st.integers(0, 2**32 - 1))
def test_phase_contrast_of_any_size(shape, seed):
    sample = phase_contrast_cells(shape, seed, diameter_px=30)
    assert sample.image.shape == sample.labels.shape == shape
    assert_truth_is_consistent(sample.labels)


@pytest.mark.parametrize("draw", [nuclei, phase_contrast_cells])
def test_seed_decides_everything(draw):
    first, again, other = draw((96, 90), 5), draw((96, 90), 5), draw((96, 90), 6)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert (first.labels != other.labels).any()


def test_nuclei_are_bright_and_on_their_labels():
    for seed in range(4):
        sample = nuclei((128, 128), seed, coverage=0.25)
        inside, outside = sample.image[sample.labels > 0], sample.image[sample.labels == 0]
        assert np.median(inside) > 2 * np.median(outside)


def test_touching_nuclei_touch():
    def contacts(touching):
        labels = nuclei((256, 256), 1, touching=touching).labels.astype(int)
        a, b = labels[:, 1:].ravel(), labels[:, :-1].ravel()
        return len({tuple(p) for p in np.sort(np.stack([a, b], 1)[(a != b) & (a > 0) & (b > 0)])})

    assert contacts(1.0) > contacts(0.0) + 5


def test_options():
    assert nuclei((64, 64), coverage=0).labels.max() == 0
    assert nuclei((64, 64), bits=16).image.dtype == np.uint16
    small, large = (np.bincount(nuclei((200, 200), 3, diameter_px=d).labels.ravel())[1:].mean() for d in (12, 30))
    assert 3 < large / small < 12


def test_cells_have_dark_bodies_and_bright_halos():
    sample = phase_contrast_cells((256, 256), 2)
    from scipy.ndimage import binary_dilation

    cells = sample.labels > 0
    near = binary_dilation(cells, iterations=5) & ~binary_dilation(cells, iterations=1)
    far = ~binary_dilation(cells, iterations=25)
    assert sample.image[cells].mean() < sample.image[far].mean() - 5
    assert sample.image[near].mean() > sample.image[far].mean()


@pytest.mark.parametrize(
    ("draw", "options", "message"),
    [
        (nuclei, {"shape": (8, 8)}, "at least 16"),
        (nuclei, {"bits": 12}, "bits is 12"),
        (nuclei, {"coverage": 0.9}, "coverage is 0.9"),
        (nuclei, {"touching": -1}, "touching is -1"),
        (nuclei, {"diameter_px": 1}, "diameter_px is 1"),
        (phase_contrast_cells, {"shape": (4, 64, 64)}, "two-dimensional"),
        (phase_contrast_cells, {"diameter_px": float("nan")}, "diameter_px is nan"),
    ],
)
def test_bad_options(draw, options, message):
    with pytest.raises(InputError, match=message):
        draw(**options)


def test_gauge_is_one_on_the_outline():
    blob = Blob(np.array([20.0, 30.0]), np.array([5.0, 10.0]), np.eye(2))
    window, gauge = blob.gauge((60, 60))
    at = {(y + window[0].start, x + window[1].start): g for (y, x), g in np.ndenumerate(gauge)}
    assert at[20, 30] == 0
    assert at[25, 30] == pytest.approx(1)
    assert at[20, 40] == pytest.approx(1)


def test_assign_gives_pixels_to_the_nearer_blob_and_keeps_the_largest_piece():
    blobs = [Blob(np.array([10.0, c]), np.array([6.0, 6.0]), np.eye(2)) for c in (8.0, 16.0)]
    labels = assign((21, 30), blobs, smallest=1)
    assert labels[10, 11] == 1
    assert labels[10, 13] == 2
    cut = assign(
        (21, 40),
        [
            Blob(np.array([10.0, 20.0]), np.array([3.0, 18.0]), np.eye(2)),
            Blob(np.array([10.0, 15.0]), np.array([9.0, 4.0]), np.eye(2)),
        ],
        smallest=1,
    )
    assert label(cut == 1, connectivity=1).max() == 1
    assert np.argwhere(cut == 1)[:, 1].min() > 15, "the right piece is the larger one"


def test_scatter_keeps_distance():
    radii = np.full((40, 2), 6.0)
    centres, chosen = scatter(np.random.default_rng(0), (90, 90), radii, touching=0.5, closest=0.9)
    assert len(centres) == len(chosen) > 10
    apart = np.linalg.norm(centres[:, None] - centres, axis=2) + 1e3 * np.eye(len(centres))
    assert apart.min() >= 0.9 * 12 - 1e-6
