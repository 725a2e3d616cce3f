"""Downloads over loopback: resumed, checked, recorded; failures say what to do and keep what is worth keeping."""

import hashlib
import json
import os

import pytest

from data_tools.fetch.download import download_file, record_checksum
from data_tools.fetch.errors import FetchError
from data_tools.public_set import Download
from medseg.errors import InputError

CONTENT = os.urandom(700_000)
SHA = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def download(site):
    site.files["/set/a.zip"] = CONTENT
    return Download(f"{site.url}/set/a.zip", SHA)


def test_download_and_progress(site, download, tmp_path):
    seen = []
    path = download_file(download, tmp_path / "new", progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)
    assert os.listdir(tmp_path / "new") == ["a.zip"]
    download_file(download, tmp_path / "new")
    assert len(site.requests) == 1, "a file that is there is not downloaded again"


def test_resume(site, download, tmp_path):
    site.break_after = 300_000
    with pytest.raises(FetchError, match="goes on where it stopped"):
        download_file(download, tmp_path)
    kept = (tmp_path / "a.zip.part").stat().st_size
    assert 200_000 < kept <= 300_000
    assert not (tmp_path / "a.zip").exists()
    seen = []
    assert download_file(download, tmp_path, progress=lambda d, t: seen.append((d, t))).read_bytes() == CONTENT
    assert site.requests[-1] == ("/set/a.zip", f"bytes={kept}-")
    assert seen[0][0] > kept
    assert seen[-1] == (700_000, 700_000)
    assert os.listdir(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("obstacle", ["changed", "no ranges", "no etag", "complete part"])
def test_starts_anew_where_it_cannot_resume(site, download, tmp_path, obstacle):
    site.etags = obstacle != "no etag"
    site.break_after = 300_000
    if obstacle == "changed":
        site.files["/set/a.zip"] = os.urandom(700_000)
    with pytest.raises(FetchError):
        download_file(download, tmp_path)
    site.files["/set/a.zip"] = CONTENT
    site.ranges = obstacle != "no ranges"
    if obstacle == "complete part":
        (tmp_path / "a.zip.part").write_bytes(CONTENT + b"more")
    assert download_file(download, tmp_path).read_bytes() == CONTENT


def test_wrong_checksum(site, download, tmp_path):
    site.files["/set/a.zip"] = CONTENT[:-1] + b"!"
    with pytest.raises(FetchError, match="does not have the checksum sha256"):
        download_file(download, tmp_path)
    assert os.listdir(tmp_path) == []
    site.files["/set/a.zip"] = CONTENT
    assert download_file(download, tmp_path).exists()


def test_a_copy_that_was_changed_on_disk_is_fetched_again(site, download, tmp_path):
    download_file(download, tmp_path)
    (tmp_path / "a.zip").write_bytes(b"changed")
    assert download_file(download, tmp_path).read_bytes() == CONTENT
    assert len(site.requests) == 2


def test_md5(site, download, tmp_path):
    good = Download(download.url, "md5:" + hashlib.md5(CONTENT).hexdigest())
    assert download_file(good, tmp_path).exists()
    with pytest.raises(FetchError, match="checksum md5"):
        download_file(Download(download.url, "md5:" + "0" * 32), tmp_path)


def test_unknown_checksums_are_recorded_and_hold(site, download, tmp_path):
    unknown = Download(download.url)
    download_file(unknown, tmp_path)
    record_checksum(unknown, tmp_path)
    assert json.loads((tmp_path / "checksums.json").read_text()) == {"a.zip": SHA}
    (tmp_path / "a.zip").unlink()
    site.files["/set/a.zip"] = b"another file now"
    with pytest.raises(FetchError, match=rf"{SHA}.*delete .*checksums\.json to take the new one"):
        download_file(unknown, tmp_path)


def test_a_full_disk_does_not_cost_the_checksums(site, download, tmp_path, no_space_left):
    unknown = Download(download.url)
    download_file(unknown, tmp_path)
    record = tmp_path / "checksums.json"
    record.write_text('{"b.zip": "sha256:0"}')
    with no_space_left(10), pytest.raises(OSError, match="File too large"):
        record_checksum(unknown, tmp_path)
    assert json.loads(record.read_text()) == {"b.zip": "sha256:0"}
    record.write_text("{")
    with pytest.raises(InputError, match=r"checksums\.json: is not valid JSON"):
        download_file(unknown, tmp_path)


def test_404_and_no_connection(site, download, tmp_path):
    with pytest.raises(FetchError, match="answered 404"):
        download_file(Download(f"{site.url}/gone.zip"), tmp_path)
    with pytest.raises(FetchError, match="the connection failed"):
        download_file(Download("http://127.0.0.1:9/a.zip"), tmp_path)
    assert os.listdir(tmp_path) == []


def test_unwritable_target(site, download, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        download_file(download, tmp_path / "file" / "sub")
