import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from roifile import ImagejRoi, roiread

from data_tools.convert.rois import roi_masks
from medseg.errors import InputError
from medseg.io import Geometry
from medseg.report.rois import SaveRoisd, image_rois


def labelled(labels: np.ndarray, axes: str = "YX") -> dict:
    meta = {"filename_or_obj": "a/x.tif", **Geometry(axes).to_meta()}
    return {"pred": MetaTensor(torch.from_numpy(labels[None]), meta=meta)}


def painted(path, shape) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    for roi, (window, mask) in zip(roiread(path), roi_masks(path, shape), strict=True):
        assert not labels[window][mask].any()
        labels[window][mask] = int(roi.name)
    return labels


@pytest.mark.parametrize("seed", range(3))
def test_regions_have_exactly_the_pixels_of_their_objects(tmp_path, seed):
    # noise: objects of one pixel, with holes, of several pieces, touching by corners and along the border
    labels = np.random.default_rng(seed).choice([0, 0, 1, 2, 7], (23, 31)).astype(np.int32)
    labels[5:15, 5:15] = 9
    labels[8:10, 8:10] = 0
    SaveRoisd("pred", tmp_path)(labelled(labels))
    np.testing.assert_array_equal(painted(tmp_path / "x_rois.zip", labels.shape), labels)


def test_a_plain_object_is_one_outline_of_few_points():
    labels = np.zeros((9, 20), np.int32)
    labels[2:6, 3:15] = 3
    (roi,) = image_rois(labels)
    assert (roi.name, roi.composite, roi.left, roi.top) == ("0003", False, 3, 2)
    assert len(roi.coordinates()) <= 9
    again = ImagejRoi.frombytes(roi.tobytes())
    assert again.coordinates().min(axis=0).tolist() == [3, 2]
    assert again.coordinates().max(axis=0).tolist() == [15, 6]


@pytest.mark.parametrize(("axes", "place"), [("ZYX", (2, 2, 0)), ("TYX", (2, 0, 2)), ("IYX", (2, 0, 0))])
def test_of_a_stack_each_region_knows_its_section(tmp_path, axes, place):
    labels = np.zeros((3, 5, 6), np.int32)
    labels[1, 2:4, 2:4] = 12
    SaveRoisd("pred", tmp_path)(labelled(labels, axes))
    roi = roiread(tmp_path / "x_rois.zip")
    (roi,) = roi if isinstance(roi, list) else [roi]
    assert (roi.name, (roi.position, roi.z_position, roi.t_position)) == ("0002-0012", place)


def test_a_file_that_exists_stays_and_no_objects_are_an_empty_file(tmp_path):
    data = labelled(np.zeros((4, 4), np.int32))
    SaveRoisd("pred", tmp_path)(data)
    before = (tmp_path / "x_rois.zip").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        SaveRoisd("pred", tmp_path)(data)
    SaveRoisd("pred", tmp_path, overwrite=True)(data)
    assert (tmp_path / "x_rois.zip").read_bytes() == before
