from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def image(em_folder) -> Path:
    return em_folder / "images" / "s0.tif"


@pytest.fixture
def predict(medseg, tiny_bundle, tmp_path):
    """`medseg predict` with the tiny bundle into tmp_path/out."""
    return lambda *arguments: medseg("predict", tiny_bundle, *arguments, "-o", tmp_path / "out", "--device", "cpu")
