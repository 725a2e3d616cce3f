"""Archives that try to write elsewhere, to fill the disk, or that are damaged, leave nothing behind."""

import io
import os
import tarfile
import zipfile

import pytest

from data_tools.fetch.archive import Limits, unpack
from data_tools.fetch.errors import FetchError


def make_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def make_tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as file:
        for name, content in members:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_good_archives(tmp_path, make):
    archive = make(tmp_path / "a.bin", [("top/ä.txt", b"one"), ("top/deep/b.txt", b"two" * 10000)])
    assert unpack(archive, tmp_path / "out") == tmp_path / "out"
    assert (tmp_path / "out/top/ä.txt").read_bytes() == b"one"
    assert (tmp_path / "out/top/deep/b.txt").stat().st_size == 30000
    with pytest.raises(FetchError, match="exists already"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize(
    "name",
    ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt", "..\\evil.txt", "C:\\evil.txt", "a/C:/evil.txt", "a/C:e"],
)
def test_names_that_lead_out(tmp_path, make, name):
    archive = make(tmp_path / "a.bin", [("good.txt", b"x"), (name, b"evil")])
    with pytest.raises(FetchError, match="leads out of the folder"):
        unpack(archive, tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("evil*"))
    assert not (tmp_path / "in" / "out").exists()
    assert list((tmp_path / "in").iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_tar_links_and_devices(tmp_path, kind):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, "/etc/passwd"
    archive = make_tar(tmp_path / "a.tar", [(link, b"")], "w")
    with pytest.raises(FetchError, match="a link or device"):
        unpack(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == ["a.tar"]


def test_zip_links(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(FetchError, match="holds the link"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_bombs(tmp_path, make):
    archive = make(tmp_path / "a.bin", [("zeros", bytes(80 * 2**20))])  # 80 MiB from some 80 KiB
    with pytest.raises(FetchError, match="more than 64 MiB"):
        unpack(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_size_that_lies_is_no_way_around(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("zeros", bytes(3 * 2**20))])
    data = archive.read_bytes()
    archive.write_bytes(data.replace((3 * 2**20).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(FetchError):
        unpack(archive, tmp_path / "out", Limits(total_bytes=2**20))
    assert os.listdir(tmp_path) == ["a.zip"]


def test_too_much_and_too_many(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [(f"{n}", b"x" * 100) for n in range(20)])
    with pytest.raises(FetchError, match="more than 19 files"):
        unpack(archive, tmp_path / "out", Limits(files=19))
    with pytest.raises(FetchError, match="unpacks to more than"):
        unpack(archive, tmp_path / "out", Limits(total_bytes=1999))
    unpack(archive, tmp_path / "out", Limits(total_bytes=2000, files=20))


def test_names_that_are_one_where_case_does_not_count(tmp_path):
    with pytest.raises(FetchError, match="where case does not count"):
        unpack(make_zip(tmp_path / "a.zip", [("a.tif", b"1"), ("A.tif", b"2")]), tmp_path / "out")


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.95])
def test_truncated_archives(tmp_path, make, keep):
    archive = make(tmp_path / "a.bin", [(f"{n}.bin", os.urandom(5000)) for n in range(5)])
    data = archive.read_bytes()
    archive.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    with pytest.raises(FetchError, match="damaged or cut off"):
        unpack(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_flipped_bit(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.bin", os.urandom(5000))])
    data = bytearray(archive.read_bytes())
    data[2000] ^= 1
    archive.write_bytes(data)
    with pytest.raises(FetchError, match="damaged"):
        unpack(archive, tmp_path / "out")
