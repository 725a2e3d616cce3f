import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.io import read_image
from medseg.report.overlay import SaveOverlayd, overlay, overlay_sections


def test_outlines_and_tints_objects_and_leaves_background_gray():
    image = np.tile(np.arange(20, dtype=np.uint8), (20, 1))
    labels = np.zeros((20, 20), np.int32)
    labels[3:9, 3:9] = 1
    labels[3:9, 9:15] = 2
    picture = overlay(image, labels)
    assert (picture.shape, picture.dtype) == ((20, 20, 3), np.uint8)
    gray = np.ptp(picture.astype(int), axis=2) == 0
    assert gray[labels == 0].all()
    assert not gray[labels > 0].any()
    # the outlines are one strong colour per object, other than the neighbour's
    ring = [{tuple(picture[3, x]) for x in range(3, 9)}, {tuple(picture[3, x]) for x in range(9, 15)}]
    assert [len(r) for r in ring] == [1, 1]
    assert ring[0] != ring[1]
    assert tuple(picture[5, 5]) not in ring[0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_size_and_constant_images(shape, dtype):
    for labels in (np.zeros(shape, np.uint16), np.ones(shape, np.uint32)):
        assert overlay(np.full(shape, 3, dtype), labels).shape == (*shape, 3)


def test_many_objects_and_large_ids():
    labels = np.arange(100 * 100).reshape(100, 100)
    assert overlay(np.zeros((100, 100)), labels).any()


def test_colour_images_keep_their_colours():
    image = np.zeros((9, 9, 3), np.uint8)
    image[..., 0] = 200
    assert overlay(image, np.zeros((9, 9), int))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(("sections", "shape"), [(1, (20, 30)), (2, (20, 64)), (3, (44, 64)), (9, (44, 64))])
def test_a_stack_side_by_side(sections, shape):
    labels = np.ones((sections, 20, 30), np.int32)
    assert overlay_sections(np.zeros((1, sections, 20, 30)), labels).shape == (*shape, 3)


def test_shows_first_and_last_section_and_reduces_large_pictures():
    image = np.zeros((1, 9, 20, 30))
    image[0, 8, :, :10] = 1
    sheet = overlay_sections(image, np.zeros((9, 20, 30), int))
    assert sheet[24:, 34:44].max() == 255
    assert sheet[:20, :30].max() == 0
    assert max(overlay_sections(np.zeros((1, 90, 50)), np.zeros((90, 50), int), max_side=30).shape) <= 30
    for section, sheet in (((90, 9), (30, 10, 3)), ((9, 60), (3, 44, 3))):  # every third pixel, and a gap of 4
        pair = np.zeros((2, *section), int)
        assert overlay_sections(pair[None], pair, max_side=40).shape == sheet


def test_outlines_of_a_reduced_picture_are_closed():
    labels = np.zeros((64, 64), int)
    labels[8:40, 8:40] = 1
    picture = overlay_sections(np.zeros((1, 64, 64)), labels, max_side=32)
    ring = picture[[4, 19, 10, 10], [10, 10, 4, 19]]
    assert (ring == ring[0]).all()
    assert (picture[10, 10] != ring[0]).any()


def test_writes_png(tmp_path):
    meta = {"filename_or_obj": "a/x.tif", "spatial_shape": [4, 5]}
    data = {k: MetaTensor(torch.ones(1, 4, 5, dtype=torch.int32), meta=meta) for k in ("pred", "raw")}
    SaveOverlayd("pred", tmp_path)(data)
    assert read_image(tmp_path / "x_overlay.png")[0].shape == (4, 5, 3)
    with pytest.raises(InputError, match="exists already"):
        SaveOverlayd("pred", tmp_path)(data)


def test_shows_the_channel_that_was_segmented(tmp_path):
    stains = torch.zeros(4, 4, 6)
    stains[2, :, 3:] = 9
    meta = {"filename_or_obj": "x.tif"}
    pred = MetaTensor(torch.zeros(1, 4, 6, dtype=torch.int32), meta=meta)
    SaveOverlayd("pred", tmp_path, channel=2)({"pred": pred, "raw": MetaTensor(stains, meta=meta)})
    assert read_image(tmp_path / "x_overlay.png")[0][0, :, 0].tolist() == [0, 0, 0, 255, 255, 255]
