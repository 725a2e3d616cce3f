"""Each format becomes the label image that drawing it by hand gives."""

import zipfile

import imagecodecs
import numpy as np
import pytest
import tifffile
from drawn_squares import IMAGE, square

from data_tools.convert.cell_tracking import cell_tracking_sequences
from data_tools.convert.formats import FORMATS, Extra
from data_tools.convert.nifti_pairs import nifti_pairs
from data_tools.convert.object_masks import object_mask_folders
from data_tools.convert.openkbp import openkbp_patients
from data_tools.convert.rgb_masks import colours_to_labels, rgb_mask_pairs
from data_tools.convert.rois import roi_folder, roi_masks
from data_tools.convert.stacks import interior_components, interior_stack
from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels


def cellpose_folder(folder):
    return FORMATS["cellpose"].sources(folder, Extra())


def read_one(sources):
    assert len(sources) == 1
    return sources[0].read()


# --- one mask per object -----------------------------------------------------------------------------------


def test_object_masks(tmp_path):
    rgba = np.dstack([IMAGE, IMAGE, IMAGE, np.full_like(IMAGE, 255)])
    (tmp_path / "id/images").mkdir(parents=True)
    (tmp_path / "id/images/id.png").write_bytes(imagecodecs.png_encode(rgba))
    for name, mask in {"1": square(0, 0), "2": square(1, 1), "3": square(0, 0), "4": square(4, 5) * 0}.items():
        write_image(tmp_path / f"id/masks/{name}.png", mask)
    green = np.dstack([square(1, 1) * 0, square(1, 1), square(1, 1) * 0])
    write_image(tmp_path / "id/masks/2.png", green, Geometry("YXC"), overwrite=True)
    (tmp_path / "unmarked/images").mkdir(parents=True)  # as those of a test set
    sample = read_one(object_mask_folders(tmp_path))
    np.testing.assert_array_equal(sample.image, IMAGE)
    expected = np.zeros((6, 8), int)
    expected[1:3, 1:3] = 2
    expected[:2, :2] = 1
    np.testing.assert_array_equal(sample.labels, expected)
    assert [n.split()[0] for n in sample.notes] == ["5", "1", "1"]


def test_object_masks_of_another_shape(tmp_path):
    write_image(tmp_path / "id/images/id.png", IMAGE)
    write_image(tmp_path / "id/masks/1.png", np.ones((3, 3), np.uint8))
    with pytest.raises(InputError, match=r"1\.png: the mask has shape \(3, 3\)"):
        read_one(object_mask_folders(tmp_path))


# --- colours -----------------------------------------------------------------------------------------------


def test_colours_that_differ_in_any_channel_are_objects():
    mask = np.zeros((3, 6, 4), np.uint8)
    mask[..., 3] = 255
    mask[:2, 0, 0] = 9
    mask[:2, 1, 1] = 9
    mask[:2, 4, 0] = 9
    labels = colours_to_labels(mask, split_pieces=False)
    assert labels[0, 0] == labels[0, 4] != labels[0, 1]
    assert labels[2].max() == 0
    assert len(np.unique(colours_to_labels(mask, split_pieces=True))) == 4


def test_a_mask_without_black_has_no_background():
    assert colours_to_labels(np.full((2, 2), 7, np.uint8), split_pieces=False).tolist() == [[1, 1], [1, 1]]


def test_rgb_pairs(tmp_path):
    write_image(tmp_path / "i/a.tif", IMAGE)
    write_image(tmp_path / "m/a.png", square(0, 0) // 255 * 3)
    sample = read_one(rgb_mask_pairs(tmp_path / "i", tmp_path / "m", split_pieces=True))
    assert sample.labels.sum() == 4
    colours = np.dstack([square(2, 3), square(0, 0), square(4, 4)])
    write_image(tmp_path / "m/a.png", colours, Geometry("YXC"), overwrite=True)
    sample = read_one(rgb_mask_pairs(tmp_path / "i", tmp_path / "m", split_pieces=True, first_channel=True))
    np.testing.assert_array_equal(sample.labels, square(2, 3) // 255)


# --- regions of interest -----------------------------------------------------------------------------------


def test_rois(tmp_path):
    roifile = pytest.importorskip("roifile")
    polygon = roifile.ImagejRoi.frompoints(np.array([[1, 1], [4, 1], [4, 4], [1, 4]]))  # x, y corners
    line = roifile.ImagejRoi.frompoints(np.array([[0, 0], [5, 5]]))
    line.roitype = roifile.ROI_TYPE.POLYLINE
    write_image(tmp_path / "a.tif", IMAGE)
    roifile.roiwrite(tmp_path / "a.zip", [polygon, line], name=["p", "l"])
    sample = read_one(roi_folder(tmp_path))
    expected = np.zeros((6, 8), int)
    expected[1:4, 1:4] = 1
    np.testing.assert_array_equal(sample.labels, expected)


@pytest.mark.parametrize("channels", [3, 4])
def test_channels_in_planes_are_all_kept(tmp_path, channels):
    roifile = pytest.importorskip("roifile")
    planes = np.stack([IMAGE + c for c in range(channels)])
    write_image(tmp_path / "a.tif", planes, Geometry("CYX"))
    roifile.ImagejRoi.frompoints(np.array([[1, 1], [3, 1], [3, 3], [1, 3]])).tofile(tmp_path / "a.roi")
    sample = read_one(roi_folder(tmp_path))
    assert (sample.geometry, int((sample.labels == 1).sum())) == (Geometry("YXC"), 4)
    np.testing.assert_array_equal(sample.image, np.moveaxis(planes, 0, -1))


def test_roi_rectangles_ovals_and_edges(tmp_path):
    roifile = pytest.importorskip("roifile")
    rectangle = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.RECT, top=4, left=-2, bottom=9, right=3)
    oval = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.OVAL, top=0, left=0, bottom=3, right=3)
    labels = [np.zeros((6, 8), int) for _ in range(2)]
    roifile.roiwrite(tmp_path / "r.zip", [rectangle, oval], name=["r", "o"])
    for out, (window, mask) in zip(labels, roi_masks(tmp_path / "r.zip", (6, 8)), strict=True):
        out[window] = mask
    assert labels[0].sum() == 2 * 3
    assert labels[1].sum() == labels[1][:3, :3].sum() == 9
    flat = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.OVAL, top=1, left=2, bottom=5, right=8)
    flat.tofile(tmp_path / "flat.roi")
    ((window, mask),) = roi_masks(tmp_path / "flat.roi", (6, 9))
    assert window == (slice(1, 5), slice(2, 8))
    assert mask.astype(int).tolist() == [[0, 1, 1, 1, 1, 0], [1] * 6, [1] * 6, [0, 1, 1, 1, 1, 0]]
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as z:
        z.writestr("x.roi", b"no")
    with pytest.raises(InputError, match="ImageJ regions"):
        roi_masks(tmp_path / "bad.zip", (6, 8))


def square_path(low, high):
    """A closed square as ImageJ saves it: move to, line to (three times), close."""
    corners = ((low, low), (high, low), (high, high), (low, high))
    return [number for i, (x, y) in enumerate(corners) for number in (min(i, 1), x, y)] + [4]


def test_composite_rois_have_pieces_and_holes(tmp_path):
    roifile = pytest.importorskip("roifile")
    shape = np.array(square_path(0, 5) + square_path(1, 3) + square_path(6, 7), np.float32)
    region = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT, right=7, bottom=7, shape_roi_size=len(shape), multi_coordinates=shape
    )
    region.tofile(tmp_path / "r.roi")
    expected = np.zeros((7, 7), bool)
    expected[:5, :5] = True
    expected[1:3, 1:3] = False
    expected[6, 6] = True
    ((window, mask),) = roi_masks(tmp_path / "r.roi", (9, 9))
    assert window == (slice(0, 7), slice(0, 7))
    np.testing.assert_array_equal(mask, expected)
    shape[3] = 2  # a curve
    region.name = "cell 7"
    region.tofile(tmp_path / "curved.roi")
    with pytest.raises(InputError, match=r"outline of 'cell 7' cannot be read"):
        roi_masks(tmp_path / "curved.roi", (9, 9))


# --- pairs, cellpose, stacks, NIfTI, sequences -------------------------------------------------------------


def test_cellpose(tmp_path):
    write_image(tmp_path / "a.tif", IMAGE)
    write_labels(tmp_path / "a_masks.tif", square(0, 0, value=3))
    write_image(tmp_path / "b.tif", IMAGE)
    write_image(tmp_path / "b_cp_masks.png", square(2, 2, value=4))
    write_image(tmp_path / "b_flows.tif", IMAGE)  # what else cellpose writes
    assert {s.name: int(s.read().labels.max()) for s in cellpose_folder(tmp_path)} == {"a": 3, "b": 4}


def test_two_files_of_one_stem_are_refused(tmp_path):
    for name in ("a.tif", "a.png", "a_masks.tif"):
        write_image(tmp_path / name, IMAGE)
    with pytest.raises(InputError, match="same stem 'a'"):
        cellpose_folder(tmp_path)
    with pytest.raises(InputError, match="same stem 'a'"):
        rgb_mask_pairs(tmp_path, tmp_path, split_pieces=False)


def test_interior_components_are_4_connected_and_per_section():
    mask = np.zeros((2, 3, 3), bool)
    mask[0] = np.eye(3)
    mask[1, 0] = True
    labels = interior_components(mask)
    assert np.unique(labels[0]).tolist() == [0, 1, 2, 3]
    assert np.unique(labels[1]).tolist() == [0, 4]


@pytest.mark.parametrize("interior", [255, 0])
def test_interior_stack(tmp_path, interior):
    marks = np.full((5, 6, 8), 255 - interior, np.uint8)
    marks[:, 1:3, 1:3] = interior
    tifffile.imwrite(tmp_path / "v.tif", np.stack([IMAGE] * 5), photometric="minisblack")
    tifffile.imwrite(tmp_path / "m.tif", marks, photometric="minisblack")
    sample = interior_stack(tmp_path / "v.tif", tmp_path / "m.tif", name="s", interior_value=interior).read()
    assert sample.labels.max() == 5
    assert (sample.labels > 0).sum() == 20
    tifffile.imwrite(tmp_path / "m.tif", marks // 255 * 3 + np.arange(5, dtype=np.uint8)[:, None, None])
    with pytest.raises(InputError, match="holds the values"):
        interior_stack(tmp_path / "v.tif", tmp_path / "m.tif", name="s", interior_value=interior).read()


def test_cell_tracking_prefers_gold(tmp_path):
    for frame in (0, 1):
        write_image(tmp_path / f"01/t00{frame}.tif", IMAGE)
        write_labels(tmp_path / f"01_ST/SEG/man_seg00{frame}.tif", square(0, 0, value=2))
    write_labels(tmp_path / "01_GT/SEG/man_seg001.tif", square(0, 0, value=9))
    write_labels(tmp_path / "01_GT/SEG/man_seg_001_003.tif", square(0, 0, value=8))
    assert [int(s.read().labels.max()) for s in cell_tracking_sequences(tmp_path)] == [2, 9]
    assert {s.group for s in cell_tracking_sequences(tmp_path)} == {"sequence 01"}


def test_cell_tracking_of_several_data_sets(tmp_path):
    for value, parent in enumerate(("raw/A", "raw/B"), start=1):
        write_image(tmp_path / parent / "01/t000.tif", IMAGE)
        write_labels(tmp_path / parent / "01_GT/SEG/man_seg000.tif", square(0, 0, value=value))
    sources = cell_tracking_sequences(tmp_path)
    assert [(s.name, s.group) for s in sources] == [("A_01_t000", "sequence A_01"), ("B_01_t000", "sequence B_01")]
    assert [int(s.read().labels.max()) for s in sources] == [1, 2]
    assert [s.name for s in cell_tracking_sequences(tmp_path / "raw/A")] == ["01_t000"]


@pytest.mark.parametrize(
    "convert",
    [object_mask_folders, roi_folder, nifti_pairs, cellpose_folder, cell_tracking_sequences, openkbp_patients],
)
def test_empty_and_missing_folders(tmp_path, convert):
    with pytest.raises(InputError, match="expected"):
        convert(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        convert(tmp_path / "x")
