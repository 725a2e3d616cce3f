import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark_path(monkeypatch) -> None:
    """Benchmarks find what they import as their commands do."""
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.fixture
def benchmark(monkeypatch, benchmark_path) -> Callable[..., ModuleType]:
    """Import a benchmark as its command does, with the arguments given."""

    def load(name: str, *arguments: object) -> ModuleType:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        return __import__(name)

    return load
