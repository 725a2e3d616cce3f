import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.io import Geometry, read_image, read_labels
from medseg.io.save import SaveImageResultd, geometry_of
from medseg.io.source_file import source_file


def result(array, axes="YX", name="some/where/x.ome.tif") -> MetaTensor:
    its = Geometry(axes, (0.5,) * sum(a in "ZYX" for a in axes), "um")
    meta = {**its.to_meta(), "filename_or_obj": name, "spatial_shape": np.asarray(array.shape[1:])}
    return MetaTensor(torch.as_tensor(array), meta=meta)


def test_integers_as_labels_floats_as_float32(tmp_path):
    data = {"pred": result(torch.tensor([[[0, 70000]]])), "prob": result(torch.rand(1, 2, 3, dtype=torch.float64))}
    SaveImageResultd("pred", tmp_path / "out")(data)
    out = SaveImageResultd("prob", tmp_path / "out", "probability")(data)
    assert out["prob"] is data["prob"]
    labels, its = read_labels(tmp_path / "out" / "x_labels.tif")
    assert (labels.tolist(), labels.dtype, its) == ([[0, 70000]], np.uint32, Geometry("YX", (0.5, 0.5), "um"))
    probability, _ = read_image(tmp_path / "out" / "x_probability.tif")
    np.testing.assert_array_equal(probability, data["prob"][0].float().numpy())


def test_channels_of_the_input_are_not_in_the_result(tmp_path):
    SaveImageResultd("pred", tmp_path)({"pred": result(torch.ones(1, 3, 4, 5, dtype=torch.int32), "CZYX")})
    assert read_labels(tmp_path / "x_labels.tif")[1].axes == "ZYX"


def test_overwrites_only_on_request(tmp_path):
    data = {"pred": result(torch.ones(1, 2, 2, dtype=torch.int32))}
    SaveImageResultd("pred", tmp_path)(data)
    with pytest.raises(InputError, match="exists already"):
        SaveImageResultd("pred", tmp_path)(data)
    SaveImageResultd("pred", tmp_path, overwrite=True)(data)


def test_refuses_several_channels_and_results_of_no_file(tmp_path):
    with pytest.raises(InputError, match=r"x\.ome\.tif: the result 'pred' has 2 channels"):
        SaveImageResultd("pred", tmp_path)({"pred": result(torch.ones(2, 4, 4))})
    for stranger in (torch.ones(1, 4, 4), MetaTensor(torch.ones(1, 4, 4))):
        with pytest.raises(InputError, match="no file name"):
            source_file(stranger)
    assert geometry_of(MetaTensor(torch.ones(1, 4, 4))) is None
    assert not list(tmp_path.iterdir())
