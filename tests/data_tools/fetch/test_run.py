"""A whole set over loopback: terms recorded first, steps skipped when done, split for training."""

import io
import json
import zipfile
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest

from data_tools.catalogue import SETS
from data_tools.convert.build import Conversion
from data_tools.convert.sets import CONVERTERS
from data_tools.fetch.errors import FetchError
from data_tools.fetch.run import _with_validation, fetch_set
from data_tools.layout import Dataset, Description, Entry, read_dataset
from data_tools.public_set import Download
from data_tools.synth.nuclei import nuclei
from medseg.errors import InputError


@pytest.fixture
def public(site):
    """Ten images as the Data Science Bowl 2018 ships them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for number in range(10):
            sample = nuclei((48, 48), number, diameter_px=14)
            rgba = np.dstack([sample.image] * 3 + [np.full_like(sample.image, 255)])
            file.writestr(f"id{number}/images/id{number}.png", imagecodecs.png_encode(rgba))
            for index in range(1, sample.labels.max() + 1):
                mask = (sample.labels == index) * np.uint8(255)
                file.writestr(f"id{number}/masks/{index:03d}.png", imagecodecs.png_encode(mask))
    site.files["/stage1_train.zip"] = buffer.getvalue()
    return replace(SETS["dsb2018"], downloads=(Download(f"{site.url}/stage1_train.zip"),))


def test_fetch(site, public, tmp_path):
    fetched = fetch_set("dsb2018", public, tmp_path / "ü")
    dataset = read_dataset(tmp_path / "ü" / "dataset")
    assert (len(dataset.training), len(dataset.validation)) == (8, 2)
    assert dataset.description.licence == "CC0-1.0"
    assert fetched.conversion.dataset == dataset
    assert (fetched.raw / "stage1_train" / "id3" / "masks").is_dir()
    source = json.loads((tmp_path / "ü" / "SOURCE.json").read_text())
    assert source["licence"] == "CC0-1.0"
    assert source["urls"] == [public.downloads[0].url]
    again = fetch_set("dsb2018", public, tmp_path / "ü")
    assert again.conversion is None
    assert len(site.requests) == 1


def test_archives_that_repeat_their_folder(site, tmp_path):
    sample = nuclei((48, 48), 3, diameter_px=14)
    for part, content in (("images", sample.image), ("masks", np.dstack([sample.labels.astype(np.uint8)] * 3))):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr(f"{part}/IXMtest_B07_s1_w1AB.png", imagecodecs.png_encode(content))
        site.files[f"/{part}.zip"] = buffer.getvalue()
    public = replace(SETS["bbbc039"], downloads=tuple(Download(f"{site.url}/{p}.zip") for p in ("images", "masks")))
    (entry,) = fetch_set("bbbc039", public, tmp_path).conversion.dataset.training
    assert entry.group == "B07"


def test_terms_are_recorded_before_the_download(public, site, tmp_path):
    site.files.clear()
    with pytest.raises(FetchError, match="answered 404"):
        fetch_set("dsb2018", public, tmp_path)
    assert (tmp_path / "SOURCE.json").exists()
    assert not (tmp_path / "raw").exists()


def test_truncated_archive(public, site, tmp_path):
    site.files["/stage1_train.zip"] = site.files["/stage1_train.zip"][:5000]
    with pytest.raises(FetchError, match="damaged or cut off"):
        fetch_set("dsb2018", public, tmp_path)
    assert not (tmp_path / "dataset").exists()


def test_a_page_in_place_of_the_archive_is_not_what_later_downloads_must_equal(public, site, tmp_path):
    good, site.files["/stage1_train.zip"] = site.files["/stage1_train.zip"], b"<html>down for maintenance</html>"
    with pytest.raises(FetchError, match="delete it and run the command again"):
        fetch_set("dsb2018", public, tmp_path)
    (tmp_path / "download" / "stage1_train.zip").unlink()
    site.files["/stage1_train.zip"] = good
    assert fetch_set("dsb2018", public, tmp_path).conversion
    assert "stage1_train.zip" in json.loads((tmp_path / "download" / "checksums.json").read_text())


def test_without_conversion(public, tmp_path):
    assert fetch_set("dsb2018", public, tmp_path, convert=False).conversion is None
    assert not (tmp_path / "dataset").exists()


def test_sets_to_be_got_by_hand(tmp_path):
    with pytest.raises(InputError, match="Kaggle requires a login"):
        fetch_set("chest_ct_kaggle", SETS["chest_ct_kaggle"], tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_file_in_the_way(public, tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(InputError, match="in the way"):
        fetch_set("dsb2018", public, tmp_path / "x")


@pytest.mark.parametrize("name", SETS)
def test_catalogue(name):
    public = SETS[name]
    assert name in CONVERTERS
    assert bool(public.downloads) != bool(public.by_hand)
    assert public.citation
    assert public.description.licence
    assert public.description.source
    assert all(d.url.startswith("https://") for d in public.downloads)


def test_what_a_set_keeps_for_validation_stays_so(tmp_path):
    entries = [Entry(f"images/{k}.tif", f"labels/{k}.tif") for k in range(4)]
    conversion = Conversion(Dataset(tmp_path, Description(), tuple(entries[:3]), (entries[3],)), ())
    assert _with_validation(conversion) is conversion
