import errno
import os

import numpy as np
import pytest

from medseg.errors import InputError
from medseg.io import atomic
from medseg.io.atomic import atomic_target


def test_appears_whole_under_its_name(tmp_path):
    target = tmp_path / "a" / "b" / "x.txt"
    with atomic_target(target) as partial:
        partial.write_text("new")
        assert partial.suffix == ".txt"  # writers that look at the suffix
        assert not target.exists()
    assert [p.name for p in target.parent.iterdir()] == ["x.txt"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_an_error_leaves_what_was_there(tmp_path, error):
    target = tmp_path / "x.txt"
    target.write_text("old")

    def interrupted():
        with atomic_target(target, overwrite=True) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]
    assert target.read_text() == "old"


def test_replaces_only_on_request(tmp_path):
    target = tmp_path / "x.txt"
    target.write_text("old")
    with pytest.raises(InputError, match=r"x\.txt: exists already.*--overwrite"), atomic_target(target):
        pytest.fail("must not come to writing")
    with atomic_target(target, overwrite=True) as partial:
        partial.write_text("new")
    assert target.read_text() == "new"


@pytest.mark.parametrize("name", ["out", "."])
def test_a_folder_in_the_way(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=f"{name}: is a folder; name a file"), atomic_target(name, overwrite=True):
        pytest.fail("must not come to writing")


def test_a_file_in_the_way_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("a file")
    with (
        pytest.raises(InputError, match="a file of that name is in the way"),
        atomic_target(tmp_path / "out" / "x.txt"),
    ):
        pytest.fail("must not come to writing")


@pytest.mark.parametrize("write", [lambda path: path.write_bytes(bytes(10**5)), np.zeros(10**5).tofile])
def test_a_full_disk_names_the_file(tmp_path, no_space_left, write):
    with no_space_left(), pytest.raises(OSError, match=r"File too large|written") as caught:  # noqa: SIM117
        with atomic_target(tmp_path / "x.txt") as partial:
            write(partial)
    assert caught.value.filename == str(tmp_path / "x.txt")
    assert caught.value.strerror


def test_a_writer_that_gives_the_whole_path_of_the_temporary_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PermissionError) as caught, atomic_target("x.tif") as partial:
        raise PermissionError(errno.EACCES, "Permission denied", str(partial.absolute()))
    assert caught.value.filename == "x.tif"


def test_another_file_that_fails_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_target(tmp_path / "x.txt"):
        (tmp_path / "other").read_bytes()
    assert caught.value.filename == str(tmp_path / "other")


def test_a_folder_that_cannot_be_written_to_names_the_file(tmp_path):
    def without_folder():
        with atomic_target(tmp_path / "a" / "x.txt") as partial:
            partial.parent.rmdir()
            partial.write_text("new")

    with pytest.raises(FileNotFoundError) as caught:
        without_folder()
    assert caught.value.filename == str(tmp_path / "a" / "x.txt")


@pytest.fixture
def held_open(monkeypatch):
    """Makes os.replace fail so many times as on Windows where another program has the target open."""

    def hold(times):
        left, replace = [times], os.replace

        def refused(source, target):
            if left[0]:
                left[0] -= 1
                error = PermissionError(errno.EACCES, "Access is denied", str(source), None, str(target))
                error.winerror = 5
                raise error
            replace(source, target)

        monkeypatch.setattr(os, "replace", refused)
        monkeypatch.setattr(atomic, "_PAUSES_S", (0.0, 0.0))

    return hold


def test_a_virus_scanner_is_waited_for(tmp_path, held_open):
    held_open(2)
    with atomic_target(tmp_path / "x.txt") as partial:
        partial.write_text("new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("x.txt", "new")]


def test_a_file_that_stays_open_is_named_and_kept(tmp_path, held_open):
    (tmp_path / "x.csv").write_text("old")
    held_open(3)
    with (
        pytest.raises(PermissionError, match=r"denied; close it where it is open \(Excel") as caught,
        atomic_target(tmp_path / "x.csv", overwrite=True) as partial,
    ):
        partial.write_text("new")
    assert caught.value.filename == str(tmp_path / "x.csv")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("x.csv", "old")]


def test_what_failed_is_told_where_the_writer_left_its_file_open(tmp_path, monkeypatch):
    def in_use(path, missing_ok=False):
        raise PermissionError(errno.EACCES, "in use", str(path))

    monkeypatch.setattr(type(tmp_path), "unlink", in_use)
    with pytest.raises(OSError, match="No space left"), atomic_target(tmp_path / "x.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
