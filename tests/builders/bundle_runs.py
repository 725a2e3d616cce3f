"""Runs bundles as MONAI does."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from monai.bundle import ConfigWorkflow

ROOT = Path(__file__).parents[2]


def run_bundle(root: Path, configs: Sequence[str], *settings: object) -> None:
    """``python -m monai.bundle run`` with these of a bundle's configs and settings, in a process of its own."""
    files = [str(root / "configs" / f"{name}.json") for name in configs]
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", files, "--bundle_root", root, *settings]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def missing_properties(root: Path, name: str, data: Path, out: Path, **settings: object) -> list[str]:
    """What MONAI asks of ``inference`` or ``train`` and this config lacks; ``data`` is a training folder."""
    workflow = ConfigWorkflow(
        config_file=str(root / "configs" / f"{name}.json"),
        meta_file=str(root / "configs" / "metadata.json"),
        logging_file=False,
        workflow_type="infer" if name == "inference" else name,
        bundle_root=str(root),
        dataset_dir=str(data / "images" if name == "inference" else data),
        output_dir=str(out),
        device="cpu",
        **settings,
    )
    workflow.initialize()
    return workflow.check_properties()
