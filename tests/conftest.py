"""Fixtures that several test folders share."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "oracle"))  # fill_weights: numbers of the parity oracles

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def arch_oracle() -> Path:
    """Folder of the architectures' stored inputs and outputs."""
    return Path(__file__).parent / "oracle" / "arch"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real labelled images; the test skips where there is none."""
    folder = os.environ.get("MEDSEG_DATA_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("MEDSEG_DATA_DIR names no folder of real images")
    return Path(folder)


@pytest.fixture(scope="session")
def oracle_dir() -> Path:
    """Folder of reference values that may not be copied here; the test skips where there is none."""
    folder = os.environ.get("MEDSEG_ORACLE_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("MEDSEG_ORACLE_DIR names no folder of reference values")
    return Path(folder)


@pytest.fixture
def no_space_left():
    """A context in which the disk takes no file larger than 4 kB: a real failing write, as on a full disk."""
    resource = pytest.importorskip("resource", reason="the limit on file sizes is a POSIX one")

    @contextmanager
    def limited(size: int = 4096):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
