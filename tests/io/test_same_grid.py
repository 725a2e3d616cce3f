import numpy as np
import pytest
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.io.same_grid import CheckSameGridd, why_elsewhere

CHECK = CheckSameGridd(["image", "label"])
AFFINE = np.array([[-0.8, 0, 0, 10], [0, -0.8, 0, 20], [0, 0, 2.5, 30], [0, 0, 0, 1]])


def volume(affine=AFFINE, shape=(1, 40, 30, 20), name="a.nii.gz") -> MetaTensor:
    return MetaTensor(np.zeros(shape, np.float32), affine=affine, meta={"filename_or_obj": name})


def test_rounded_headers_pass():
    rounded = AFFINE + np.array([[1e-5, 0, 0, 0.005]] * 3 + [[0, 0, 0, 0]])
    item = {"image": volume(), "label": volume(rounded)}
    assert CHECK(item) == item


def test_an_item_without_the_keys_passes_where_they_may_be_missing():
    assert CheckSameGridd(["image", "label"], allow_missing_keys=True)({"other": 1}) == {"other": 1}


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        (volume(shape=(1, 40, 30, 19), name="b.nii"), "it has 40 x 30 x 19 voxels, not 40 x 30 x 20"),
        (volume(np.diag([0.8, 0.8, 2.5, 1]), name="b.nii"), "it is stored as RAS, not as LPS"),
        (volume(AFFINE @ np.diag([1, 1, 1.02, 1]), name="b.nii"), "its corners are up to 0.95 mm beside"),
    ],
)
def test_a_label_of_another_place_is_refused_with_both_names(label, reason):
    with pytest.raises(InputError, match=f"of b.nii does not lie where that of a.nii.gz lies: {reason}"):
        CHECK({"image": volume(), "label": label})


def test_a_turn_about_a_corner_is_seen():
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.02), -np.sin(0.02)], [np.sin(0.02), np.cos(0.02)]]
    assert "beside" in why_elsewhere(AFFINE @ turn, (40, 30, 20), AFFINE, (40, 30, 20))


def test_an_array_without_place_is_refused():
    with pytest.raises(InputError, match="'label' is no MetaTensor"):
        CHECK({"image": volume(), "label": np.zeros((1, 2, 2, 2))})
