import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import CheckClassesd


def label(*values, dtype=torch.float32) -> MetaTensor:
    return MetaTensor(torch.tensor([[values]], dtype=dtype), meta={"filename_or_obj": "labels/p1.nii.gz"})


@pytest.mark.parametrize("values", [(0, 1, 2), (0, 0, 0), (2, 2, 1)])
def test_known_classes_pass_unchanged(values):
    data = {"label": label(*values), "image": 1}
    assert CheckClassesd("label", 3)(data)["label"] is data["label"]


@pytest.mark.parametrize(
    ("values", "shown"), [((0, 1, 5), "5"), ((0, 10, 20), "10, 20"), ((-1, 0, 1), "-1"),
                          (tuple(range(12)), "3, 4, 5, 6, 7 ...")])  # fmt: skip
def test_others_are_refused_with_the_file_and_what_to_do(values, shown):
    with pytest.raises(InputError, match=rf"of labels/p1\.nii\.gz hold {shown}, but the 3 classes are 0 .* to 2: num"):
        CheckClassesd("label", 3)({"label": label(*values)})


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf")])
def test_what_is_no_class_is_refused_as_such(value):
    with pytest.raises(InputError, match=rf"of labels/p1\.nii\.gz hold {value}: classes are whole numbers"):
        CheckClassesd("label", 3)({"label": label(0, value, 1)})


def test_arrays_of_integers():
    CheckClassesd("label", 3)({"label": np.array([[0, 2]], np.uint16)})
    with pytest.raises(InputError, match="the labels hold 3, but"):
        CheckClassesd("label", 3)({"label": np.array([[0, 3]], np.uint16)})


def test_classes_that_were_never_seen():
    check = CheckClassesd("label", 5)
    assert check.never_seen() == []
    check({"label": label(0, 3)})
    check({"label": label(0, 1)})
    assert check.never_seen() == [2, 4]
