"""Building a folder: wholly or not at all, bad sources reported, names safe on every file system."""

import numpy as np
import pytest

from data_tools.convert.build import build_dataset
from data_tools.convert.source import Part, Sample, Source
from data_tools.layout import Description, read_dataset
from data_tools.pixels import read_pixels
from medseg.errors import InputError
from medseg.io import Geometry

SAMPLE = Sample(np.arange(12, dtype=np.uint8).reshape(3, 4), np.eye(3, 4, dtype=np.int64) * 70000)


def fails():
    raise InputError("b.tif: broken")


def test_bad_sources_are_reported_and_the_others_done(tmp_path):
    sources = [Source("a", lambda: SAMPLE, "g"), Source("b", fails), Source("c", lambda: SAMPLE)]
    conversion = build_dataset(tmp_path / "out", sources, Description("x"))
    assert conversion.problems == ("b.tif: broken",)
    dataset = read_dataset(tmp_path / "out")
    assert [(e.image, e.group) for e in dataset.training] == [("images/a.tif", "g"), ("images/c.tif", "")]
    assert dataset.description == Description("x")
    assert set(dataset.checksums) == {f"{part}/{stem}.tif" for part in ("images", "labels") for stem in "ac"}
    assert read_pixels(dataset.path("labels/a.tif"), labels=True).array.max() == 70000
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_nothing_is_left_behind_when_all_fail(tmp_path):
    with pytest.raises(InputError, match=r"nothing could be converted: b\.tif"):
        build_dataset(tmp_path / "out", [Source("b", fails)], Description())
    assert list(tmp_path.iterdir()) == []


def test_an_existing_target_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not an empty folder"):
        build_dataset(tmp_path / "out", [Source("a", lambda: SAMPLE)], Description())
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"
    with pytest.raises(InputError, match="not an empty folder"):
        build_dataset(tmp_path / "out" / "mine.txt", [Source("a", lambda: SAMPLE)], Description())
    (tmp_path / "empty").mkdir()
    build_dataset(tmp_path / "empty", [Source("a", lambda: SAMPLE)], Description())
    assert read_dataset(tmp_path / "empty").training[0].image == "images/a.tif"


def test_the_folder_one_is_in_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="name a new folder in it"):
        build_dataset(".", [Source("a", lambda: SAMPLE)], Description())


def test_names(tmp_path):
    names = ["zellkern ü", "x" * 300, "a/b:c", "A", "a"]
    conversion = build_dataset(tmp_path / "o", [Source(n, lambda: SAMPLE) for n in names], Description())
    stems = [e.image[len("images/") : -len(".tif")] for e in conversion.dataset.training]
    assert stems[0] == "zellkern ü"
    assert len(stems[1]) == 200
    assert stems[2:] == ["a_b_c", "A"]
    assert "where case does not count" in conversion.problems[0]


def test_shapes_must_agree_and_colour_stays(tmp_path):
    colour = Sample(np.zeros((3, 4, 3), np.uint8), np.zeros((3, 4), np.uint8), Geometry("YXC"))
    wrong = Sample(np.zeros((3, 4), np.uint8), np.zeros((4, 4), np.uint8))
    conversion = build_dataset(
        tmp_path / "o", [Source("rgb", lambda: colour), Source("wrong", lambda: wrong)], Description()
    )
    assert conversion.dataset.training[0].image == "images/rgb.png"
    assert "the image has shape (3, 4), its labels (4, 4)" in conversion.problems[0]


@pytest.mark.parametrize(("channels", "spacing"), [(2, None), (3, (0.5, 0.25)), (4, None)])
def test_channels_and_pixel_size_are_kept(tmp_path, channels, spacing):
    """PNG holds no pixel size, and a second or fourth channel as transparency only."""
    image = np.arange(12 * channels, dtype=np.uint8).reshape(3, 4, channels)
    sample = Sample(image, np.eye(3, 4, dtype=np.uint8), Geometry("YXC", spacing, spacing and "um"))
    dataset = build_dataset(tmp_path / "o", [Source("a", lambda: sample)], Description()).dataset
    back = read_pixels(dataset.path(dataset.training[0].image), axes="CYX")
    np.testing.assert_array_equal(back.array, np.moveaxis(image, -1, 0))
    assert (back.geometry.axes, back.geometry.spacing) == ("CYX", spacing)


def test_parts_of_a_stack(tmp_path):
    stack = Sample(np.zeros((5, 3, 4), np.uint8), np.zeros((5, 3, 4), np.uint8), Geometry("ZYX", (50, 4, 4), "nm"))
    parts = (Part("training", (0, 4)), Part("validation", (4, 5)))
    dataset = build_dataset(tmp_path / "o", [Source("s", lambda: stack, parts=parts)], Description()).dataset
    assert (dataset.training[0].sections, dataset.validation[0].sections) == ((0, 4), (4, 5))
    assert read_pixels(dataset.path("images/s.tif")).geometry.spacing == (50, 4, 4)
