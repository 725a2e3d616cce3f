"""Synthetic EM: the truth is exact, the seed decides everything, the look is that of real sections."""

import itertools

import numpy as np
import pytest
import tifffile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from skimage.measure import label

from data_tools.synth.em import em_sections
from data_tools.synth.em_cells import Section, section_labels
from medseg.errors import InputError


def assert_truth_is_consistent(labels):
    """Each id is one 4-connected piece per section, ids are dense, and no two ids are 4-neighbours."""
    assert labels.dtype == np.uint16
    assert set(np.unique(labels)) | {0} == set(range(labels.max() + 1))
    for section in labels.reshape(-1, *labels.shape[-2:]):
        pieces = label(section > 0, connectivity=1)
        pairs = np.unique(np.stack([section[section > 0], pieces[section > 0]]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1], "an id has two pieces"
        assert len(np.unique(pairs[1])) == pairs.shape[1], "two ids share a piece"


@settings(max_examples=15)
@given(
    shape=st.one_of(
        st.tuples(st.integers(16, 90), st.integers(16, 90)),
        st.tuples(st.integers(1, 4), st.integers(16, 60), st.integers(16, 60)),
    ),
    seed=st.integers(0, 2**32 - 1),
)
@example(shape=(16, 16), seed=761442)  # the square of the largest radius once rounded below itself
def test_any_size_and_seed_has_exact_truth(shape, seed):
    sample = em_sections(shape, seed)
    assert sample.image.shape == sample.labels.shape == shape
    assert sample.image.dtype == np.uint8
    assert_truth_is_consistent(sample.labels)


def test_pieces_of_a_cell_get_ids_of_their_own_and_crumbs_none():
    interior = np.zeros((12, 40), bool)
    interior[1:11, 1:15] = interior[1:11, 20:24] = interior[1:11, 30:33] = interior[0:2, 37:39] = True
    cells = np.full(interior.shape, 4)
    cells[:, 28:] = 6
    labels = section_labels(Section(cells, np.zeros(interior.shape), interior), next_id=50)
    assert [labels[5, x] for x in (5, 21, 31)] == [5, 50, 7]
    assert labels[1, 38] == 0


def test_seed_decides_everything():
    first, again, other = em_sections((64, 80), 5), em_sections((64, 80), 5), em_sections((64, 80), 6)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert (first.labels != other.labels).any()


def test_cells_keep_their_id_through_z_and_change_smoothly():
    labels = em_sections((5, 160, 160), 2).labels
    same = [np.mean((a == b)[(a > 0) & (b > 0)]) for a, b in itertools.pairwise(labels)]
    assert min(same) > 0.9
    assert all((a != b).any() for a, b in itertools.pairwise(labels))


def test_membranes_are_dark_and_as_frequent_as_in_real_sections():
    samples = [em_sections((256, 256), seed) for seed in range(4)]
    membrane = np.mean([(s.labels == 0).mean() for s in samples])
    assert 0.18 < membrane < 0.34
    for s in samples:
        assert s.image[s.labels > 0].mean() - s.image[s.labels == 0].mean() > 35


def test_looks_like_isbi2012(data_dir):
    """Grey level, contrast, cell count and power spectrum lie near those of a real section."""
    real = tifffile.imread(data_dir / "isbi2012_em" / "train-volume.tif", key=12)
    truth = tifffile.imread(data_dir / "isbi2012_em" / "train-labels.tif", key=12)
    synthetic = em_sections((512, 512), 11)
    assert abs(float(real.mean()) - synthetic.image.mean()) < 30
    assert abs(float(real.std()) - synthetic.image.std()) < 10
    assert 0.6 < synthetic.labels.max() / label(truth > 0, connectivity=1).max() < 1.6

    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512)))
    for low, high in ((0.01, 0.04), (0.04, 0.08), (0.08, 0.16), (0.16, 0.3), (0.3, 0.5)):
        ring = (radius >= low) & (radius < high)
        real_power, power = (
            np.log10((np.abs(np.fft.fft2(i - i.mean())) ** 2)[ring].mean()) for i in (real, synthetic.image)
        )
        assert abs(real_power - power) < 0.5, f"spatial frequencies {low}..{high} per px"


@pytest.mark.parametrize("shape", [(15, 64), (64,), (0, 32, 32), (2, 2, 32, 32), ("a", 4), (64.5, 64)])
def test_impossible_shapes_are_refused(shape):
    with pytest.raises(InputError, match="shape is"):
        em_sections(shape)


def test_too_thin_membranes_are_refused():
    with pytest.raises(InputError, match="membrane_px is 1"):
        em_sections((32, 32), membrane_px=1)


def test_thinnest_membrane_still_separates_cells():
    assert_truth_is_consistent(em_sections((120, 120), 3, membrane_px=3).labels)
