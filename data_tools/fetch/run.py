"""Fetch a known public set: record its terms, download, unpack, convert to the layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from data_tools.convert.build import Conversion, build_dataset
from data_tools.convert.sets import CONVERTERS
from data_tools.fetch.archive import unpack
from data_tools.fetch.download import Progress, download_file, record_checksum
from data_tools.layout import write_dataset_json
from data_tools.public_set import PublicSet
from data_tools.split import split_dataset
from medseg.errors import InputError
from medseg.io.atomic import atomic_target


@dataclass(frozen=True)
class Fetched:
    """Where the parts of a fetched set lie; `conversion` is None where only the files were wanted."""

    raw: Path
    conversion: Conversion | None


def fetch_set(
    name: str,
    public: PublicSet,
    folder: str | Path,
    *,
    convert: bool = True,
    progress: Callable[[str], Progress] | None = None,
) -> Fetched:
    """Fetch a set into `folder`: `download/` (archives), `raw/` (unpacked), `dataset/` (the layout).

    Each step is skipped where its result is there already. `SOURCE.json` is written before the first byte is
    downloaded: title, licence, citation, addresses and the time.

    Args:
        name: key of the set in the catalogue.
        public: its entry.
        folder: target; made where it is missing.
        convert: also make `dataset/`.
        progress: given a file name, returns what is called with (bytes so far, bytes in all or None).

    Raises:
        InputError: the set has to be got by hand, or a target is in the way.
        FetchError: the download or an archive failed.
    """
    if not public.downloads:
        raise InputError(
            f"{name} cannot be downloaded by a program: {public.by_hand}; then run\n"
            f"  medseg data convert {name} THE_FOLDER DATASET_FOLDER"
        )
    root = Path(folder)
    record_source(name, public, root)
    raw = root / "raw"
    for download in public.downloads:
        report = progress(download.filename) if progress else None
        archive = download_file(download, root / "download", progress=report)
        part = raw / archive.name.split(".")[0]
        if not part.exists():
            unpack(archive, part)
        record_checksum(download, archive.parent)
    conversion = None
    if convert and not (root / "dataset" / "dataset.json").is_file():
        conversion = _with_validation(build_dataset(root / "dataset", CONVERTERS[name](raw), public.description))
    return Fetched(raw, conversion)


def _with_validation(conversion: Conversion) -> Conversion:
    """Set a fifth apart where the set itself does not say what is for validation."""
    if conversion.dataset.validation or len(conversion.dataset.training) < 2:
        return conversion
    result = split_dataset(conversion.dataset)
    write_dataset_json(result.dataset, overwrite=True)
    return replace(conversion, dataset=result.dataset)


def record_source(name: str, public: PublicSet, root: Path) -> Path:
    """Write `SOURCE.json`, the terms a set comes under, into `root`, once."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{root}: cannot be made a folder, a file of that name is in the way") from error
    path = root / "SOURCE.json"
    if not path.exists():
        content = {
            "name": name,
            "title": public.title,
            "licence": public.description.licence,
            "citation": public.citation,
            "source": public.description.source,
            "urls": [d.url for d in public.downloads],
            "fetched": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        with atomic_target(path) as partial:
            partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
