"""A public data set: what it is, under which terms, where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data_tools.layout import Description


@dataclass(frozen=True)
class Download:
    """One file: its address and its checksum (`sha256:` or `md5:`); None = recorded on first download."""

    url: str
    checksum: str | None = None

    @property
    def filename(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PublicSet:
    """A public data set; without `downloads`, `by_hand` says how a user gets it."""

    title: str
    description: Description
    citation: str
    downloads: tuple[Download, ...] = ()
    by_hand: str = ""

    def as_json(self) -> dict[str, Any]:
        """What `medseg data list --json` says of it."""
        return {
            "title": self.title,
            "modality": self.description.modality,
            "licence": self.description.licence,
            "citation": self.citation,
            "source": self.description.source,
            "urls": [download.url for download in self.downloads],
            "by_hand": self.by_hand,
        }
