import os

import pytest

from medseg.errors import InputError
from medseg.io.output_place import check_output_file, check_output_folder


@pytest.fixture
def no_writing(monkeypatch):
    """A folder that may not be written to, also where root runs the tests."""
    allowed = os.access
    return lambda folder: monkeypatch.setattr(
        os, "access", lambda path, mode: os.fspath(path) != os.fspath(folder) and allowed(path, mode)
    )


def test_what_can_be_made_passes_and_is_not_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("", ".", "a/b", tmp_path, tmp_path / "a" / "b"):
        check_output_folder(folder)
    check_output_file("x.csv", overwrite=False)
    check_output_file("a/b/x.csv", overwrite=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", ["out", "out/a/b"])
def test_a_file_in_the_way(tmp_path, given):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match=r"cannot be made a folder, the file .*out is in the way"):
        check_output_folder(tmp_path / given)


@pytest.mark.parametrize("given", [".", "a/b"])
def test_a_folder_that_may_not_be_written_to(tmp_path, no_writing, given):
    no_writing(tmp_path)
    for check in (
        lambda: check_output_folder(tmp_path / given),
        lambda: check_output_file(tmp_path / given / "x", overwrite=True),
    ):
        with pytest.raises(InputError, match="you may not write to this folder") as caught:
            check()
        assert str(caught.value).startswith(f"{tmp_path}: ")


def test_files_and_folders_that_are_there(tmp_path):
    (tmp_path / "x.csv").write_text("old")
    with pytest.raises(InputError, match=r"x\.csv: exists already.*--overwrite"):
        check_output_file(tmp_path / "x.csv", overwrite=False)
    check_output_file(tmp_path / "x.csv", overwrite=True)
    with pytest.raises(InputError, match="is a folder; name a file"):
        check_output_file(tmp_path, overwrite=True)
