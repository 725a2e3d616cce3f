"""Unpack an archive without trusting it: nothing outside the target, no links, no bombs, all or nothing."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from data_tools.fetch.errors import FetchError
from medseg.io.atomic import rename_when_free

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold: bytes and files in all, and bytes per byte of archive beyond 64 MiB."""

    total_bytes: int = 200 * 2**30
    files: int = 2_000_000
    ratio: float = 200.0


@dataclass(frozen=True)
class _Member:
    name: str
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, target: Path, limits: Limits = Limits()) -> Path:
    """Unpack a zip or tar file (also compressed) into the new folder `target` and return it.

    Raises:
        FetchError: damaged or cut off; members that lead out of the target, are links or devices, or have
            names that one file system would call the same; more than `limits` allow.
    """
    if target.exists():
        raise FetchError(f"{target}: exists already; remove it to unpack {archive.name} again")
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with _damage_is_reported(archive):
            partial.mkdir(parents=True)
            _unpack_members(archive, partial, limits)
        rename_when_free(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _unpack_members(archive: Path, root: Path, limits: Limits) -> None:
    allowed = min(limits.total_bytes, max(64 * 2**20, int(limits.ratio * archive.stat().st_size)))
    written, names = 0, {}
    with _opened(archive) as members:
        for count, member in enumerate(members, start=1):
            if count > limits.files:
                raise FetchError(f"{archive}: holds more than {limits.files} files; it was not unpacked")
            path = _safe_path(archive, member.name, root)
            key = str(path).casefold()
            if names.setdefault(key, member.name) != member.name:
                raise FetchError(
                    f"{archive}: {member.name!r} and {names[key]!r} are one name where case does not count"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            with member.open() as source, open(path, "wb") as file:
                # Counted while writing: the sizes that an archive declares may lie.
                while block := source.read(_BLOCK):
                    written += len(block)
                    if written > allowed:
                        raise FetchError(
                            f"{archive}: unpacks to more than {allowed >> 20} MiB, far more than its size lets expect; "
                            "it was not unpacked"
                        )
                    file.write(block)


@contextmanager
def _opened(archive: Path) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            yield (_zip_member(archive, file, m) for m in file.infolist() if not m.is_dir())
    else:
        with tarfile.open(archive) as file:
            yield (_tar_member(archive, file, m) for m in file if not m.isdir())


def _zip_member(archive: Path, file: zipfile.ZipFile, member: zipfile.ZipInfo) -> _Member:
    if stat.S_ISLNK(member.external_attr >> 16):
        raise FetchError(f"{archive}: holds the link {member.filename!r}; it was not unpacked")
    return _Member(member.filename, lambda: file.open(member))


def _tar_member(archive: Path, file: tarfile.TarFile, member: tarfile.TarInfo) -> _Member:
    if not member.isfile():
        raise FetchError(f"{archive}: holds {member.name!r}, a link or device; it was not unpacked")
    return _Member(member.name, lambda: file.extractfile(member))


def _safe_path(archive: Path, name: str, root: Path) -> Path:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    outside = not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or "\0" in name
    if outside or any(PureWindowsPath(part).drive for part in parts):  # where Windows would begin anew
        raise FetchError(f"{archive}: the member {name!r} leads out of the folder; it was not unpacked")
    return root.joinpath(*parts)


@contextmanager
def _damage_is_reported(archive: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        if isinstance(error, FetchError):
            raise
        raise FetchError(f"{archive}: is damaged or cut off ({error}); delete it and run the command again") from error
