"""Download one file through pooch, going on where an earlier try stopped, and check it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data_tools.fetch.errors import FetchError
from data_tools.layout import file_checksum
from data_tools.public_set import Download
from medseg.io.json_file import read_json_object, write_json

Progress = Callable[[int, int | None], None]
_TIMEOUT_S = 30
_BLOCK = 1 << 16  # what is lost at most where a connection breaks off


def download_file(download: Download, folder: Path, *, progress: Progress | None = None) -> Path:
    """Bring `download` into `folder` and return its path.

    A file that is there already is checked, not downloaded again. An interrupted download stays as
    `NAME.part` and is continued next time if the server still has the same file. Where the catalogue knows no
    checksum, the one that :func:`record_checksum` wrote holds.

    Raises:
        FetchError: no connection, an HTTP error, a connection that broke off, or a wrong checksum.
        InputError: `checksums.json` is damaged.
        OSError: the folder cannot be written.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / download.filename
    record = folder / "checksums.json"
    recorded = None if download.checksum else _recorded(record).get(download.filename)
    known = download.checksum or recorded
    had_it = target.exists()
    try:
        pooch.retrieve(
            download.url,
            known_hash=known,
            fname=download.filename,
            path=folder,
            downloader=_Resuming(target.with_name(target.name + ".part"), progress),
        )
    except ValueError as error:  # pooch found another checksum
        raise FetchError(
            f"{download.url}: the file does not have the checksum {known}"
            f"{' (the copy on disk was changed or is incomplete)' if had_it else ''}; the download was not kept. "
            "Run the command again; if that fails too, the file at the source has changed"
            f"{f': delete {record} to take the new one' if recorded else ''}"
        ) from error
    return target


def record_checksum(download: Download, folder: Path) -> None:
    """Write the sha256 of a file that proved good to `checksums.json`, where the catalogue knows no checksum."""
    record = folder / "checksums.json"
    known = _recorded(record)
    if not download.checksum and download.filename not in known:
        checksum = {download.filename: file_checksum(folder / download.filename)}
        write_json(record, known | checksum, overwrite=True)


def _recorded(record: Path) -> dict[str, str]:
    return read_json_object(record) if record.is_file() else {}


class _Resuming:
    """A downloader for pooch that keeps what it got in a `.part` file and asks for the rest."""

    def __init__(self, part: Path, progress: Progress | None) -> None:
        self.part = part
        self.tag = part.with_name(part.name + ".etag")
        self.progress = progress

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        import requests

        try:
            self._receive(url, requests)
        except requests.RequestException as error:
            raise FetchError(
                f"{url}: the connection failed ({type(error).__name__}); check the network and run the command again, "
                "it goes on where it stopped"
            ) from error
        self.part.replace(output_file)
        self.tag.unlink(missing_ok=True)

    def _receive(self, url: str, requests: object) -> None:
        have = self.part.stat().st_size if self.part.is_file() and self.tag.is_file() else 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            # If-Range: the rest only if it is the same file still, else all of it.
            headers |= {"Range": f"bytes={have}-", "If-Range": self.tag.read_text(encoding="utf-8")}
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
            if response.status_code == 416:  # nothing is left to send: what is here is not what is there
                self.part.unlink(missing_ok=True)
                self.tag.unlink(missing_ok=True)
                return self._receive(url, requests)
            if response.status_code >= 400:
                raise FetchError(
                    f"{url}: the server answered {response.status_code} {response.reason}; the file may have moved, "
                    "look at the page of the data set"
                )
            resumed = response.status_code == 206 and _starts_at(response.headers, have)
            have = have if resumed else 0
            length = response.headers.get("Content-Length")
            total = have + int(length) if length else None
            validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
            if validator and not validator.startswith("W/"):
                self.tag.write_text(validator, encoding="utf-8")
            self._append(response, have, total)
        size = self.part.stat().st_size
        if total is not None and size != total:
            raise FetchError(
                f"{url}: the connection broke off after {size} of {total} bytes; run the command again, it goes on "
                "where it stopped"
            )
        return None

    def _append(self, response: object, have: int, total: int | None) -> None:
        with open(self.part, "ab" if have else "wb") as file:
            for block in response.iter_content(_BLOCK):
                file.write(block)
                have += len(block)
                if self.progress:
                    self.progress(have, total)


def _starts_at(headers: dict[str, str], position: int) -> bool:
    return headers.get("Content-Range", "").replace(" ", "").startswith(f"bytes{position}-")
