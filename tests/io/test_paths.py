from pathlib import Path

import pytest

from medseg.errors import InputError
from medseg.io import image_stem, list_images
from medseg.io.paths import VOLUME_SUFFIXES, is_image, is_volume


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("x.tif", "x"),
        ("x.ome.tif", "x"),
        ("x.OME.TIFF", "x"),
        ("x.nii.gz", "x"),
        ("a.b.png", "a.b"),
        ("dir.tif/x.y", "x"),
        (".tif", ".tif"),
    ],
)
def test_stem(name, stem):
    assert image_stem(name) == stem
    assert image_stem(Path("some") / name) == stem


def test_endings_in_capitals_count():
    assert [is_image(name) for name in ("x.TIF", "x.Png", "x.JPEG", "x.NII")] == [True, True, True, False]
    assert [is_volume(name) for name in ("x.NII.GZ", "x.Mha", "x.TIF")] == [True, True, False]


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def names(paths):
    return [p.name for p in paths]


def test_a_folder_in_natural_order(tmp_path):
    touch(tmp_path, "s10.tif", "s9.tif", "S1.TIFF", "s2.png", ".hidden.tif", "notes.txt", "sub/deep.tif")
    touch(tmp_path, "s2²3.tif")  # a digit that is no number
    assert names(list_images(tmp_path)) == ["S1.TIFF", "s2.png", "s2²3.tif", "s9.tif", "s10.tif"]


def test_a_link_that_leads_nowhere_is_not_passed_over(tmp_path):
    touch(tmp_path, "a.tif")
    (tmp_path / "b.tif").symlink_to(tmp_path / "gone.tif")
    assert names(list_images(tmp_path)) == names(list_images(str(tmp_path / "*.tif"))) == ["a.tif", "b.tif"]


def test_files_folders_and_patterns_without_repetition(tmp_path):
    touch(tmp_path, "a/1.tif", "a/2.tif", "b/3.tif", "b/3.txt")
    found = list_images([tmp_path / "b", tmp_path / "a" / "2.tif", str(tmp_path / "**" / "*.*")])
    assert names(found) == ["3.tif", "2.tif", "1.tif"]


def test_a_name_with_pattern_letters_is_a_file(tmp_path):
    touch(tmp_path, "cells [1].tif")
    assert names(list_images(str(tmp_path / "cells [1].tif"))) == ["cells [1].tif"]


def test_says_what_is_missing(tmp_path):
    touch(tmp_path, "empty/notes.txt", "ct/p1.nii.gz")
    for given, message in (
        (
            tmp_path / "empty",
            r"no images in this folder \(looked for \.tif, .*; save images of other formats as OME-TIFF",
        ),
        (tmp_path / "gone.tif", "no such file or folder"),
        (str(tmp_path / "*.czi"), r"no image matches this pattern \(looked for \.tif, .* as OME-TIFF"),
        (tmp_path / "ct", r"ct: holds volumes; CT bundles segment them"),
        ([], "no input given"),
    ):
        with pytest.raises(InputError, match=message):
            list_images(given)
    with pytest.raises(InputError, match=r"no image matches .* of a DICOM series name the folder"):
        list_images(str(tmp_path / "*.dcm"), VOLUME_SUFFIXES)
