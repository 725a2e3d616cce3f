"""Cases of the ISBI 2012 metrics with the values of the reference implementation.

`@each_case` runs a test on each of them: synthetic ones from this folder, and those made from real labels
where the environment variable MEDSEG_ORACLE_DIR names the folder that holds them.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tifffile


class Isbi2012Case(NamedTuple):
    """Label and proposal as float32 stacks (Z, Y, X) in [0, 1], mask (Y, X) or None, the reference's values."""

    label: np.ndarray
    proposal: np.ndarray
    mask: np.ndarray | None
    expected: dict


def load_case(folder: Path) -> Isbi2012Case:
    mask = folder / "mask.tif"
    return Isbi2012Case(
        label=_stack(folder / "label.tif").astype(np.float32) / np.float32(255),
        proposal=_stack(folder / "proposal.tif").astype(np.float32) / np.float32(255),
        mask=tifffile.imread(mask) > 0 if mask.exists() else None,
        expected=json.loads((folder / "expected.json").read_text()),
    )


def _stack(path):
    pixels = tifffile.imread(path)
    return pixels.reshape(-1, *pixels.shape[-2:])


def _cases():
    folders = sorted((Path(__file__).parent / "isbi2012").glob("s*"))
    root = os.environ.get("MEDSEG_ORACLE_DIR")
    if root:
        folders += sorted((Path(root) / "isbi2012").glob("r*"))
        return [pytest.param(folder, id=folder.name) for folder in folders]
    skip = pytest.mark.skip(reason="cases from real labels need MEDSEG_ORACLE_DIR")
    return [*(pytest.param(f, id=f.name) for f in folders), pytest.param(None, id="real", marks=skip)]


each_case = pytest.mark.parametrize("case_folder", _cases())
