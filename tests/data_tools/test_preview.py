"""The contact sheet shows the images with their contours, the right way round."""

import shutil

import imagecodecs
import numpy as np
import pytest

from data_tools.layout import Dataset, Entry, read_dataset
from data_tools.preview import section_with_labels, write_preview
from data_tools.synth.dataset import write_synthetic
from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels


def test_sheet(tmp_path):
    dataset = write_synthetic("nuclei", tmp_path / "d", count=5, shape=(64, 64)).dataset
    shown = write_preview(dataset, tmp_path / "p.png", count=4, seed=1)
    picture = imagecodecs.png_decode((tmp_path / "p.png").read_bytes())
    assert len(shown) == 4
    assert picture.shape[0] > 400
    yellow = (picture[..., 0] > 230) & (picture[..., 1] > 190) & (picture[..., 2] < 60)
    assert yellow.sum() > 500
    with pytest.raises(InputError, match="exists already"):
        write_preview(dataset, tmp_path / "p.png")
    with pytest.raises(InputError, match="count is 0"):
        write_preview(dataset, tmp_path / "q.png", count=0)


def test_names_that_are_no_plain_text(tmp_path):
    dataset = write_synthetic("nuclei", tmp_path / "d", count=1, shape=(64, 64)).dataset
    (entry,) = dataset.training
    for name in ("images/$\\frac$.tif", "images/caf\udce9.tif"):
        shutil.copy(dataset.root / entry.image, dataset.root / name)
        one = Dataset(dataset.root, dataset.description, (Entry(name, entry.label),))
        assert write_preview(one, tmp_path / "p.png", overwrite=True) == [name]


def test_volumes_are_seen_from_the_feet_with_the_front_up(tmp_path):
    dataset = write_synthetic("ct", tmp_path / "d", count=1, shape=(48, 40, 24)).dataset
    image, labels = section_with_labels(dataset, dataset.training[0])
    assert image.shape == labels.shape == (40, 48)
    row, column = np.argwhere(labels == 5).mean(axis=0)
    assert row > 20, "the cord is behind, so below the middle"
    assert np.argwhere(labels == 1)[:, 1].mean() < column, "the liver is the patient's right, so on the left"


def test_sections_of_an_entry(tmp_path):
    labels = np.zeros((4, 4, 5), np.uint8)
    for k in range(4):
        labels[k].flat[: k + 1] = range(1, k + 2)  # the later, the more objects
    for name in ("images", "labels"):
        write_image(tmp_path / name / "a.tif", labels, Geometry("ZYX"))
    dataset = read_dataset(tmp_path)
    for sections, busiest in (((0, 2), 1), ((1, 3), 2), (None, 3)):
        _, shown = section_with_labels(dataset, Entry("images/a.tif", "labels/a.tif", sections=sections))
        np.testing.assert_array_equal(shown, labels[busiest])


@pytest.mark.parametrize("channels", [2, 3])
def test_three_channels_are_colours_and_others_their_mean(tmp_path, channels):
    image = np.random.default_rng(0).random((channels, 6, 8), np.float32)
    write_image(tmp_path / "images" / "a.tif", image, Geometry("CYX"))
    write_labels(tmp_path / "labels" / "a.tif", np.ones((6, 8), np.uint8))
    dataset = read_dataset(tmp_path)
    shown, _ = section_with_labels(dataset, dataset.training[0])
    expected = np.moveaxis(image, 0, -1) if channels == 3 else image.mean(axis=0)
    assert shown.shape == expected.shape
    assert np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.99


def test_times_of_sections(tmp_path):
    image = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    labels = np.zeros_like(image)
    labels[1, 0, 1:3, 1:3] = 7
    for name, array in (("images", image), ("labels", labels)):
        write_image(tmp_path / name / "a.tif", array, Geometry("TZYX"))
    dataset = read_dataset(tmp_path)
    shown, contours = section_with_labels(dataset, dataset.training[0])
    np.testing.assert_array_equal(contours, labels[1, 0])
    assert shown.shape == (4, 5)
    write_preview(dataset, tmp_path / "p.png")


def test_shapes_that_differ(tmp_path):
    dataset = write_synthetic("nuclei", tmp_path / "d", count=2, shape=(64, 64)).dataset
    first, second = dataset.training[0], dataset.validation[0]
    other = write_synthetic("nuclei", tmp_path / "e", count=1, shape=(32, 64)).dataset
    (dataset.root / first.label).write_bytes((other.root / other.training[0].label).read_bytes())
    with pytest.raises(InputError, match="has shape"):
        write_preview(Dataset(dataset.root, dataset.description, (first, second)), tmp_path / "p.png")
    assert read_dataset(dataset.root)
