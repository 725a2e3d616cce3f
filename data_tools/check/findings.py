"""A finding: an error or a warning about one file (or the folder), and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """`code` names the kind of finding; `file` is relative to the folder, empty for the whole of it."""

    level: Level
    code: str
    file: str
    message: str

    def __str__(self) -> str:
        return f"{self.level}: {self.file or 'folder'}: {self.message} [{self.code}]"


def error(code: str, file: str, message: str) -> Finding:
    """Return a finding that training must not go past."""
    return Finding("error", code, file, message)


def warning(code: str, file: str, message: str) -> Finding:
    """Return a finding that a person should look at."""
    return Finding("warning", code, file, message)


@dataclass(frozen=True)
class Report:
    """All findings on a folder and a summary of what it holds."""

    findings: tuple[Finding, ...]
    summary: dict[str, object] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether there are no errors (warnings may be)."""
        return not any(f.level == "error" for f in self.findings)

    def to_json(self) -> dict[str, object]:
        """Return the report as plain dictionaries."""
        return {"ok": self.ok, "summary": self.summary, "findings": [asdict(f) for f in self.findings]}
