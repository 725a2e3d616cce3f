import importlib.util
import json
from pathlib import Path

import pytest

from medseg.networks import UNetPlusPlus

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "unetplusplus_pruning.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("unetplusplus_pruning", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def published(arch_oracle):
    return json.loads((arch_oracle / "unetpp_facts.json").read_text())["paper"]


@pytest.mark.parametrize("side", [96, 512])
def test_multiply_accumulates_of_every_level(benchmark, published, side):
    network = UNetPlusPlus(2, 1, 1)
    for level in network.levels:
        counted = benchmark.multiply_accumulates(network.pruned(level), (1, 1, side, side))
        assert counted == published[f"unetpp_L{level}"][f"macs_{side}"]


def test_multiply_accumulates_in_3d(benchmark, published):
    network = UNetPlusPlus(3, 1, 1, mode="accurate")
    counted = benchmark.multiply_accumulates(network, (1, 1, 64, 64, 64))
    assert counted == published["unetpp_3d_4heads"]["macs_64"]
