import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch) -> Callable[..., ModuleType]:
    """Import a benchmark as its command does, with the arguments given."""
    monkeypatch.syspath_prepend(BENCHMARKS)

    def load(name: str, *arguments: object) -> ModuleType:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        return __import__(name)

    return load
