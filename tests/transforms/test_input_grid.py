from unittest import mock

import nibabel as nib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor
from monai.transforms import (
    Compose,
    CropForegroundd,
    EnsureChannelFirstd,
    LoadImaged,
    Orientationd,
    Spacingd,
    SpatialPadd,
)
from scipy.ndimage import map_coordinates

from medseg.errors import InputError
from medseg.transforms import LabelsOnInputGridd
from medseg.transforms import input_grid as module
from medseg.transforms.input_grid import labels_on_grid


def rotated(spacing, flip, angle=0.35) -> np.ndarray:
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.cos(0.2), -np.sin(0.2)], [0, np.sin(0.2), np.cos(0.2)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ tilt * (np.array(spacing) * flip)
    affine[:3, 3] = (12, -40, 7)
    return affine


def ball(shape, affine, radius_mm=14.0) -> np.ndarray:
    """A ball of two labels, divided by a plane, drawn in physical space."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    place = index @ affine[:3, :3].T + affine[:3, 3]
    centre = affine[:3, :3] @ (np.array(shape) / 2) + affine[:3, 3]
    labels = (np.linalg.norm(place - centre, axis=-1) < radius_mm).astype(np.int16)
    return (labels * (1 + (place[..., 0] > centre[0]))).astype(np.int16)


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)])
@pytest.mark.parametrize("spacing", [(2, 2, 2), (1.5, 2.5, 4.0)])
def test_labels_come_back_to_the_voxels_of_an_oblique_flipped_file(tmp_path, flip, spacing):
    """A "network" that sees the truth itself must give it back, whatever lies between."""
    affine = rotated(spacing, flip)
    truth = ball((30, 26, 18), affine)
    nib.save(nib.Nifti1Image(truth, affine), tmp_path / "a.nii.gz")
    load = Compose(
        [
            LoadImaged("image", reader="medseg.io.volume_reader.VolumeReader"),
            EnsureChannelFirstd("image"),
            Orientationd("image", axcodes="RAS", labels=None),
            CropForegroundd("image", source_key="image", margin=3, allow_smaller=False),
            Spacingd("image", pixdim=(1.0, 1.0, 1.0), mode="nearest"),
            SpatialPadd("image", (40, 50, 16)),
        ]
    )
    item = load({"image": str(tmp_path / "a.nii.gz")})
    item["pred"] = 9 * torch.stack([(item["image"][0].round() == k).float() for k in range(3)])
    labels = LabelsOnInputGridd("pred")(item)["pred"]
    assert (labels.shape, labels.dtype) == ((1, *truth.shape), torch.uint8)
    np.testing.assert_allclose(labels.affine.numpy(), affine, atol=1e-5)
    for k in (1, 2):  # nearest and linear resampling move the surface by less than a voxel
        mine, its = labels[0].numpy() == k, truth == k
        assert 2 * (mine & its).sum() / (mine.sum() + its.sum()) > 0.93
    assert set(np.unique(labels)) == {0, 1, 2}


def test_same_grid_is_the_argmax(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SLAB_FLOATS", 200)  # several slabs
    probability = torch.rand(4, 7, 5, 6, generator=torch.Generator().manual_seed(0))
    labels = labels_on_grid(probability, np.eye(4), (7, 5, 6))
    np.testing.assert_array_equal(labels, probability.argmax(0))


def test_another_grid_is_linear_interpolation_and_outside_is_background():
    generator = torch.Generator().manual_seed(1)
    probability = torch.rand(3, 8, 9, 7, generator=generator)
    matrix = np.array([[0.7, 0.1, 0, -1], [0, -0.9, 0.2, 7], [0.1, 0, 0.6, -0.4], [0, 0, 0, 1.0]])
    labels = labels_on_grid(probability, matrix, (10, 9, 11)).numpy()
    index = np.stack(np.meshgrid(*map(np.arange, labels.shape), indexing="ij"), axis=-1)
    place = np.moveaxis(index @ matrix[:3, :3].T + matrix[:3, 3], -1, 0)
    expected = np.stack([map_coordinates(c.numpy(), place, order=1, mode="nearest") for c in probability])
    size = np.array(probability.shape[1:]).reshape(3, 1, 1, 1)
    outside = ((place < -0.5) | (place > size - 0.5)).any(axis=0)
    two_best = np.sort(expected, axis=0)[-2:]
    clear = (two_best[1] - two_best[0] > 1e-4) & ~outside
    np.testing.assert_array_equal(labels[clear], expected.argmax(0)[clear])
    assert outside.any()
    assert not labels[outside].any()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 0.003, 0.05]), st.booleans())
def test_places_among_background_need_no_sampling(seed, share, turned):
    rng = np.random.default_rng(seed)
    source, target = rng.integers(1, 12, 3), tuple(map(int, rng.integers(1, 16, 3)))
    probability = rng.random((3, *source)).astype(np.float32)
    probability[0][rng.random(source) >= share] = 1  # background, with equals
    matrix = rotated(rng.uniform(0.2, 2, 3), rng.choice([-1, 1], 3), angle=0.35 * turned)
    matrix[:3, 3] = source / 2 - matrix[:3, :3] @ rng.uniform(0, target)
    found = labels_on_grid(torch.from_numpy(probability), matrix, target)
    with mock.patch.object(module, "_box_of_objects", return_value=[range(n) for n in target]):
        everywhere = labels_on_grid(torch.from_numpy(probability), matrix, target)
    np.testing.assert_array_equal(found, everywhere)


def test_an_image_of_another_reader_or_shape_is_refused():
    with pytest.raises(InputError, match="does not know the grid"):
        LabelsOnInputGridd("pred")({"image": MetaTensor(torch.zeros(1, 4, 4, 4)), "pred": torch.zeros(2, 4, 4, 4)})
    meta = {"input_affine": np.eye(4), "input_shape": np.array([4, 4, 4])}
    image = MetaTensor(torch.zeros(1, 4, 4, 4), meta=meta)
    with pytest.raises(InputError, match="share one grid"):
        LabelsOnInputGridd("pred")({"image": image, "pred": torch.zeros(2, 4, 4, 5)})


def test_an_item_without_the_keys_passes_where_they_may_be_missing():
    assert LabelsOnInputGridd("pred", allow_missing_keys=True)({"other": 1}) == {"other": 1}


def test_nan_is_no_background():
    meta = {"input_affine": np.eye(4), "input_shape": [3, 3, 3], "filename_or_obj": "ct.nii.gz"}
    image = MetaTensor(torch.zeros(1, 3, 3, 3), affine=torch.eye(4), meta=meta)
    with pytest.raises(InputError, match=r"'pred' of ct\.nii\.gz has NaN"):
        LabelsOnInputGridd("pred")({"image": image, "pred": torch.full((2, 3, 3, 3), torch.nan)})
