import numpy as np
import pytest
import tifffile
import torch

from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels
from medseg.io.save import geometry_of
from medseg.transforms import LoadSectiond


def pair(folder, image, labels, axes="ZYX"):
    spacing = (0.5, 0.2, 0.1)[-sum(a in "ZYX" for a in axes) :]
    write_image(folder / "i.tif", image, Geometry(axes, spacing, "um"))
    write_labels(folder / "l.tif", labels)
    return {"image": str(folder / "i.tif"), "label": str(folder / "l.tif")}


def test_one_section_of_a_stack(tmp_path):
    image = np.random.default_rng(0).integers(0, 2**16, (4, 5, 6)).astype(np.uint16)
    labels = (image // 1000).astype(np.uint16)
    item = pair(tmp_path, image, labels) | {"section": 2}
    out = LoadSectiond()(item)
    assert isinstance(item["image"], str)
    np.testing.assert_array_equal(out["image"].numpy(), image[2][None])
    np.testing.assert_array_equal(out["label"].numpy(), labels[2][None])
    assert out["label"].dtype == torch.int32
    assert geometry_of(out["image"]) == Geometry("YX", (0.2, 0.1), "um")
    assert out["image"].meta["filename_or_obj"].endswith("i.tif")


def test_a_flat_image_and_channels(tmp_path):
    image = np.random.default_rng(0).random((5, 6)).astype(np.float32)
    out = LoadSectiond()(pair(tmp_path, image, np.ones((5, 6), np.uint8), "YX") | {"section": -1})
    assert (out["image"].shape, out["image"].dtype) == ((1, 5, 6), torch.float32)
    (tmp_path / "c").mkdir()
    stack = np.random.default_rng(0).integers(0, 255, (3, 2, 5, 6)).astype(np.uint8)
    item = pair(tmp_path / "c", stack, np.zeros((3, 5, 6), np.uint8), "ZCYX")
    np.testing.assert_array_equal(LoadSectiond()(item | {"section": 1})["image"].numpy(), stack[1])


@pytest.mark.parametrize("shape", [(4, 6), (3, 5, 6), (5, 5, 6), (5, 6), (4, 6, 5)])
def test_labels_of_another_shape_are_refused(tmp_path, shape):
    """A stack of other length would pair each section with another's labels."""
    item = pair(tmp_path, np.zeros((4, 5, 6), np.uint8), np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match=r"l\.tif: has shape .*, its image \(4, 5, 6\)"):
        LoadSectiond()(item | {"section": 0})


def test_a_section_that_is_not_there(tmp_path):
    item = pair(tmp_path, np.zeros((4, 5, 6), np.uint8), np.zeros((4, 5, 6), np.uint8))
    with pytest.raises(InputError, match=r"i\.tif: has 4 sections, so none of index 4"):
        LoadSectiond()(item | {"section": 4})


def test_large_numbers_never_wrap(tmp_path):
    big = np.full((5, 6), 2**31 + 5, np.uint32)
    tifffile.imwrite(tmp_path / "i.tif", big)
    write_labels(tmp_path / "l.tif", np.ones((5, 6), np.uint8))
    item = {"image": str(tmp_path / "i.tif"), "label": str(tmp_path / "l.tif")}
    assert (LoadSectiond()(item)["image"] > 2**30).all()
    with pytest.raises(InputError, match="more than int32 holds"):
        LoadSectiond()(item | {"label": str(tmp_path / "i.tif")})


def test_names_the_axes_of_files_that_do_not(tmp_path):
    tifffile.imwrite(tmp_path / "i.tif", np.zeros((3, 25, 26), np.uint8), photometric="minisblack", metadata=None)
    write_labels(tmp_path / "l.tif", np.zeros((3, 25, 26), np.uint8))
    item = {"image": str(tmp_path / "i.tif"), "label": str(tmp_path / "l.tif"), "section": 1}
    with pytest.raises(InputError, match="name them with --axes"):
        LoadSectiond()(item)
    assert LoadSectiond(axes="ZYX")(item)["image"].shape == (1, 25, 26)


def test_what_is_written_into_the_result_does_not_reach_the_next_read(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((5, 6), np.float32))
    load, item = LoadSectiond("image", label_keys=()), {"image": tmp_path / "a.tif"}
    load(item)["image"][:] = 7
    assert float(load(item)["image"].max()) == 1


def test_a_file_written_anew_is_read_anew(tmp_path):
    image = np.zeros((5, 6), np.uint8)
    assert LoadSectiond()(pair(tmp_path, image, np.ones((5, 6), np.uint8), "YX"))["label"].max() == 1
    for file in tmp_path.iterdir():
        file.unlink()
    assert LoadSectiond()(pair(tmp_path, image, np.full((5, 6), 2, np.uint8), "YX"))["label"].max() == 2
