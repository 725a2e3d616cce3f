import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import InteriorFromLabelsd, separate_touching


def test_a_ridge_parts_what_touches():
    labels = torch.tensor([[[1, 1, 1, 2, 2, 2]] * 6], dtype=torch.int32)
    interior = InteriorFromLabelsd("label")({"label": labels})["label"]
    assert interior.dtype == torch.float32
    assert set(interior.unique().tolist()) == {0.0, 1.0}
    assert (interior[0, :, 2:4] == 0).any(dim=1).all()
    assert interior[0, :, 0].all()
    assert interior[0, :, -1].all()


def test_each_section_by_itself():
    stack = np.random.default_rng(0).integers(0, 3, (1, 4, 8, 9)).astype(np.int32)
    interior = InteriorFromLabelsd("label")({"label": torch.from_numpy(stack)})["label"]
    expected = np.stack([separate_touching(section) > 0 for section in stack[0]])[None]
    np.testing.assert_array_equal(interior.numpy(), expected)


def test_objects_of_a_volume_touch_through_its_sections():
    volume = np.random.default_rng(0).integers(0, 3, (1, 4, 8, 9)).astype(np.int32)
    interior = InteriorFromLabelsd("label", spatial_dims=3)({"label": torch.from_numpy(volume)})["label"]
    np.testing.assert_array_equal(interior[0].numpy(), separate_touching(volume[0]) > 0)


def test_keeps_metadata_and_input():
    labels = MetaTensor(torch.ones(1, 4, 5, dtype=torch.int32), meta={"filename_or_obj": "x.tif"})
    out = InteriorFromLabelsd("label")({"label": labels, "image": 0})
    assert out["label"].meta["filename_or_obj"] == "x.tif"
    assert (labels == 1).all()
    assert not InteriorFromLabelsd("label")({"label": torch.zeros(1, 4, 5, dtype=torch.int32)})["label"].any()


def test_takes_what_monai_readers_give_and_names_what_is_no_label_image():
    labels = torch.tensor([[[1, 1, 1, 2, 2, 2]] * 6])
    transform = InteriorFromLabelsd("label")
    from_reader = transform({"label": labels.float()})["label"]
    torch.testing.assert_close(from_reader, transform({"label": labels})["label"])
    with pytest.raises(InputError, match=r"InteriorFromLabelsd.*one channel"):
        transform({"label": labels.repeat(2, 1, 1)})
    with pytest.raises(InputError, match=r"of x\.tif hold 0\.5, which is no id"):
        transform({"label": MetaTensor(0.5 * labels, meta={"filename_or_obj": "x.tif"})})
