import numpy as np
import pytest
import torch
from csv_rows import csv_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data import MetaTensor

from medseg.errors import InputError, InputWarning
from medseg.io import Geometry
from medseg.report.objects import SaveObjectTabled, object_table

LABELS = np.array([[1, 1, 0, 0, 0], [1, 0, 0, 2, 0], [0, 0, 2, 2, 0], [0, 0, 0, 0, 0]])


def rows_of(*args, **kwargs):
    columns, rows = object_table(*args, **kwargs)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_drawn_by_hand():
    image = np.arange(20.0).reshape(1, 4, 5)
    first, second = rows_of(LABELS, image, Geometry("YX", (0.5, 0.25), "um"))
    assert first == {
        "label": 1,
        "area_px": 3,
        "area_um2": 3 * 0.125,
        "centroid_y": 0.3333333,
        "centroid_x": 0.3333333,
        "bbox_y0": 0,
        "bbox_x0": 0,
        "bbox_y1": 2,
        "bbox_x1": 2,
        "mean_intensity": 2.0,  # pixels 0, 1, 5
        "touches_border": True,
    }
    assert (second["bbox_y0"], second["bbox_x0"], second["bbox_y1"], second["bbox_x1"]) == (1, 2, 3, 4)
    assert (second["touches_border"], second["mean_intensity"]) == (False, pytest.approx((8 + 12 + 13) / 3))


@settings(max_examples=80)
@given(
    hnp.arrays(
        np.int32, st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 4)
    ),
    st.integers(1, 3),
)
def test_equals_a_slow_table(labels, channels):
    image = np.random.default_rng(labels.size).random((channels, *labels.shape))
    found = rows_of(labels, image)
    expected = [(z, k) for z in range(len(labels)) for k in np.unique(labels[z]) if k]
    assert [(r["section"], r["label"]) for r in found] == expected
    names = ["mean_intensity"] if channels == 1 else [f"mean_intensity_c{c}" for c in range(channels)]
    for row, (z, k) in zip(found, expected, strict=True):
        mask = labels[z] == k
        y, x = np.nonzero(mask)
        assert row["area_px"] == mask.sum()
        assert row["area_um2"] == ""
        assert (row["centroid_y"], row["centroid_x"]) == (pytest.approx(y.mean()), pytest.approx(x.mean()))
        assert [row[n] for n in names] == pytest.approx([image[c, z][mask].mean() for c in range(channels)], rel=1e-6)
        edge = y.min() == 0 or x.min() == 0 or y.max() == mask.shape[0] - 1 or x.max() == mask.shape[1] - 1
        assert row["touches_border"] == edge


def test_area_needs_a_known_pixel_size():
    image = np.zeros((1, 4, 5))
    assert rows_of(LABELS, image, Geometry("YX"))[0]["area_um2"] == ""
    assert rows_of(LABELS, image, Geometry("YX", (4.0, 4.0), "nm"))[0]["area_um2"] == pytest.approx(3 * 16e-6)


def test_areas_in_a_stack_are_those_of_its_pixels():
    labels = np.stack([LABELS, 0 * LABELS, LABELS[:, ::-1]])
    rows = rows_of(labels, np.zeros((1, 3, 4, 5)), Geometry("ZYX", (50.0, 0.5, 0.25), "um"))
    assert [(r["section"], r["label"], r["area_um2"]) for r in rows] == [(z, k, 0.375) for z in (0, 2) for k in (1, 2)]


def test_no_objects_and_one_pixel():
    assert object_table(np.zeros((3, 4), int), np.zeros((1, 3, 4)))[1] == []
    (row,) = rows_of(np.ones((1, 1), int), np.full((1, 1, 1), 7))
    assert (row["area_px"], row["mean_intensity"], row["touches_border"]) == (1, 7.0, True)


def test_refuses_an_image_of_another_shape():
    with pytest.raises(InputError, match="do not fit"):
        object_table(LABELS, np.zeros((1, 5, 4)))


def test_writes_csv_of_the_raw_image(tmp_path):
    meta = {**Geometry("YX", (0.5, 0.25), "um").to_meta(), "filename_or_obj": "a/x.tif", "spatial_shape": [4, 5]}
    data = {
        "pred": MetaTensor(torch.from_numpy(LABELS)[None], meta=meta),
        "raw": MetaTensor(torch.full((1, 4, 5), 9.0), meta=meta),
    }
    SaveObjectTabled("pred", tmp_path)(data)
    rows = csv_rows(tmp_path / "x_objects.csv")
    assert [(r["label"], r["area_um2"], r["mean_intensity"], r["touches_border"]) for r in rows] == [
        ("1", "0.375", "9.0", "True"),
        ("2", "0.375", "9.0", "False"),
    ]
    with pytest.raises(InputError, match="exists already"):
        SaveObjectTabled("pred", tmp_path)(data)


def test_mean_probability_of_each_object(tmp_path):
    meta = {"filename_or_obj": "x.tif", **Geometry("YX").to_meta()}
    labels = LABELS * 3  # ids need not be dense
    data = {
        "pred": MetaTensor(torch.from_numpy(labels)[None], meta=meta),
        "raw": MetaTensor(torch.zeros(1, 4, 5), meta=meta),
        "probability": torch.arange(20.0).reshape(1, 4, 5) / 20,
    }
    SaveObjectTabled("pred", tmp_path, probability_key="probability")(data)
    rows = csv_rows(tmp_path / "x_objects.csv")
    assert [(r["label"], r["mean_probability"]) for r in rows] == [("3", "0.1"), ("6", "0.55")]
    data["pred"] = 0 * data["pred"]
    SaveObjectTabled("pred", tmp_path, probability_key="probability", overwrite=True)(data)
    assert csv_rows(tmp_path / "x_objects.csv") == []


def test_a_pixel_size_of_no_microscope_is_warned_of(tmp_path):
    meta = {"filename_or_obj": "a.tif"} | Geometry("YX", (0.0353, 0.0353), "cm").to_meta()
    data = {"pred": MetaTensor(torch.tensor(LABELS)[None], meta=meta), "raw": torch.ones(1, 4, 5)}
    with pytest.warns(InputWarning, match=r"^a\.tif: the file states pixels of 353 x 353 µm, larger than cells"):
        SaveObjectTabled("pred", tmp_path)(data)


def test_volumes_drawn_by_hand():
    labels = np.zeros((3, 4, 5), np.int32)
    labels[1, 1:3, 2:4] = 1
    labels[0:2, 3, 0] = 2
    geometry = Geometry("ZYX", (2.0, 0.5, 0.5), "um")
    first, second = rows_of(labels, np.ones((1, 3, 4, 5)), geometry, spatial_dims=3)
    assert list(first)[:6] == ["label", "volume_px", "volume_um3", "centroid_z", "centroid_y", "centroid_x"]
    assert (first["volume_px"], first["volume_um3"]) == (4, 2.0)
    assert [first[f"bbox_{a}{k}"] for k in (0, 1) for a in "zyx"] == [1, 1, 2, 2, 3, 4]
    assert (first["touches_border"], second["touches_border"]) == (False, True)


def test_scores_stand_beside_the_objects_they_belong_to(tmp_path):
    labels = MetaTensor(torch.tensor([[[2, 0, 1]]], dtype=torch.int32), meta={"filename_or_obj": "a.tif"})
    data = {"pred": labels, "raw": torch.ones(1, 1, 3), "detections": {"scores": torch.tensor([0.75, 0.5])}}
    SaveObjectTabled("pred", tmp_path, detections_key="detections")(data)
    rows = csv_rows(tmp_path / "a_objects.csv")
    assert [(row["label"], row["score"]) for row in rows] == [("1", "0.75"), ("2", "0.5")]
