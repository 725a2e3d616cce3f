"""What a prediction did, for machines and for methods sections."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from medseg import __version__
from medseg.catalog import Bundle
from medseg.io.json_file import write_json
from medseg.workflow.predict import PredictionResult

_LIBRARIES = ("torch", "monai", "numpy", "scikit-image", "tifffile")


@dataclass
class RunReport:
    """Inputs, outputs, versions, weights, settings, time and warnings of one run."""

    header: dict[str, Any]
    started: float
    results: list[PredictionResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def begin(
        cls, bundle: Bundle, device: torch.device, weights: Path, weights_hash: str, settings: dict[str, Any]
    ) -> RunReport:
        """A report that starts now."""
        header = {
            "bundle": bundle.name,
            "bundle_version": bundle.metadata["version"],
            "weights": {"path": str(weights), "sha256": weights_hash},
            "device": str(device),
            "seed": 0,
            "settings": {
                k: v if isinstance(v, int | float | str | list | None) else str(v) for k, v in settings.items()
            },
            "versions": {"medseg": __version__, "python": platform.python_version()}
            | {name: version(name) for name in _LIBRARIES},
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        return cls(header, time.perf_counter())

    def write(self, path: Path) -> None:
        """Write as JSON, replacing an earlier report."""
        content = self.header | {
            "seconds": round(time.perf_counter() - self.started, 3),
            "images": [asdict(r) for r in self.results],
            "not_run": self.problems,
        }
        write_json(path, content, overwrite=True)
