"""Pairs come with the groups and strata of their `index.csv`, and one that does not fit is refused."""

import numpy as np
import pytest
from drawn_squares import IMAGE, square

from data_tools.convert.pairs import image_label_pairs
from data_tools.pixels import Pixels, write_pixels
from medseg.errors import InputError
from medseg.io import write_image, write_labels


@pytest.fixture
def folder(tmp_path):
    for stem in ("a", "b.1"):
        write_image(tmp_path / f"images/{stem}.tif", IMAGE)
        write_labels(tmp_path / f"labels/{stem}.tif", square(0, 0))
    return tmp_path


def test_accents_as_finder_and_as_others_write_them(tmp_path):
    write_image(tmp_path / "images/cafe\u0301.tif", IMAGE)
    write_labels(tmp_path / "labels/caf\xe9.tif", square(0, 0))
    (tmp_path / "index.csv").write_text("file,group\ncaf\xe9.tif,w1\n", encoding="utf-8")
    (source,) = image_label_pairs(tmp_path)
    assert (source.name, source.group) == ("caf\xe9", "w1")
    np.testing.assert_array_equal(source.read().labels, square(0, 0))


def test_nifti_and_other_formats_are_not_mixed(tmp_path):
    write_pixels(tmp_path / "images/a.nii.gz", Pixels(np.ones((4, 4, 4), np.int16), None, np.eye(4)))
    write_labels(tmp_path / "labels/a.tif", np.ones((4, 4, 4), np.uint8))
    (source,) = image_label_pairs(tmp_path)
    with pytest.raises(InputError, match=r"one of it and a\.nii\.gz is NIfTI"):
        source.read()


@pytest.mark.parametrize(
    "content",
    [
        b"file,group\na,M\xc3\xbcller\nb.1,x\n",
        b"\xef\xbb\xbffile,group\r\na,M\xc3\xbcller\r\nb.1,x\r\n,\r\n",
        b"file, field_group, modality\na.tif, M\xc3\xbcller, EM\nimages/b.1.tif, x, EM\n",
    ],
    ids=["plain", "excel", "file names"],
)
def test_groups_and_strata(folder, content):
    (folder / "index.csv").write_bytes(content)
    sources = image_label_pairs(folder)
    assert [s.group for s in sources] == ["Müller", "x"]
    assert {s.stratum for s in sources} == {"EM" if b"modality" in content else ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"file,group\na,M\xfcller\nb.1,x\n", "no CSV in UTF-8"),
        (b"file;group\na;1\nb.1;2\n", r"columns are \['file;group'\]; separate columns by commas"),
        (b"", "no column 'file'"),
        (b"file,group\na,1\n", r"1 images without a row \(b\.1\)"),
        (b"file,group\na,1\nb.2,2\n", r"\(b\.1\) and 1 rows without an image \(b\.2\)"),
        (b"file,group\na,1\na.tif,2\nb.1,2\n", "two rows for 'a'"),
    ],
)
def test_an_index_that_does_not_fit(folder, content, message):
    (folder / "index.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        image_label_pairs(folder)
