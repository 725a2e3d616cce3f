import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor
from scipy.ndimage import label

from medseg.errors import InputError
from medseg.transforms import ForegroundAndCores, ForegroundAndCoresd, InstancesFromCore


def discs(centres, radius: float, shape=(40, 60)) -> np.ndarray:
    """Discs with ids 1, 2, ...; where they overlap the first keeps the pixel."""
    labels = np.zeros(shape, np.int32)
    y, x = np.indices(shape)
    for number, (cy, cx) in enumerate(centres, start=1):
        labels[(labels == 0) & ((y - cy) ** 2 + (x - cx) ** 2 <= radius**2)] = number
    return labels


def masks(labels: np.ndarray, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    foreground, cores = ForegroundAndCores(share)(torch.from_numpy(labels)[None]).numpy()
    return foreground, cores


def test_the_core_of_a_disc_is_a_disc_of_half_its_size():
    for radius in (4, 8, 16):
        foreground, cores = masks(discs([(20, 30)], radius))
        assert np.array_equal(foreground, discs([(20, 30)], radius) > 0)
        assert cores.sum() == pytest.approx(foreground.sum() / 4, rel=0.25)


def test_touching_discs_have_one_foreground_and_two_cores():
    foreground, cores = masks(discs([(20, 20), (20, 37)], 9))
    assert (label(foreground)[1], label(cores)[1]) == (1, 2)


def test_the_edge_of_the_image_is_no_boundary():
    whole = discs([(20, 30)], 10)
    assert np.array_equal(masks(whole[20:])[1], masks(whole)[1][20:])


@settings(max_examples=40)
@given(st.integers(4, 12), st.integers(0, 2**32 - 1), st.floats(0.3, 0.7))
def test_the_watershed_gives_back_what_the_masks_were_made_of(radius, seed, share):
    centres = np.random.default_rng(seed).integers((radius, radius), (40 - radius, 60 - radius), (4, 2))
    labels = discs(centres, radius)
    # overlapped discs become crescents, whose cores may fall apart: keep those that are whole
    for number in range(1, 5):
        if (labels == number).sum() < 0.98 * (discs([(20, 30)], radius) > 0).sum():
            labels[labels == number] = 0
    found = InstancesFromCore()(torch.from_numpy(np.stack(masks(labels, share))))[0].numpy()
    assert np.array_equal(found > 0, labels > 0)
    pairs = {(a, b) for a, b in zip(labels.ravel(), found.ravel(), strict=True) if a}
    best = {a: max((found[labels == a] == b).mean() for x, b in pairs if x == a) for a, _ in pairs}
    assert all(share_kept > 0.8 for share_kept in best.values()), best
    assert found.max() == len(best)


def test_volumes_type_and_metadata():
    labels = MetaTensor(torch.ones(1, 3, 4, 5, dtype=torch.int32), meta={"filename_or_obj": "x.tif"})
    out = ForegroundAndCoresd("label")({"label": labels})["label"]
    assert (out.shape, out.dtype, out.meta["filename_or_obj"]) == ((2, 3, 4, 5), torch.float32, "x.tif")
    assert labels.dtype == torch.int32


def test_refuses_what_is_no_label_image():
    with pytest.raises(InputError, match="no id"):
        ForegroundAndCores()(torch.full((1, 3, 3), 0.5))
    with pytest.raises(InputError, match="share"):
        ForegroundAndCores(share=1)(torch.ones(1, 3, 3))
