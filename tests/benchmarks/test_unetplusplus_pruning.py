import json

import pytest

from medseg.networks import UNetPlusPlus


@pytest.fixture(scope="module")
def published(arch_oracle):
    return json.loads((arch_oracle / "unetpp_facts.json").read_text())["paper"]


@pytest.mark.parametrize("side", [96, 512])
def test_multiply_accumulates_of_every_level(benchmark, published, side):
    network = UNetPlusPlus(2, 1, 1)
    for level in network.levels:
        counted = benchmark("unetplusplus_pruning").multiply_accumulates(network.pruned(level), (1, 1, side, side))
        assert counted == published[f"unetpp_L{level}"][f"macs_{side}"]


def test_multiply_accumulates_in_3d(benchmark, published):
    network = UNetPlusPlus(3, 1, 1, mode="accurate")
    counted = benchmark("unetplusplus_pruning").multiply_accumulates(network, (1, 1, 64, 64, 64))
    assert counted == published["unetpp_3d_4heads"]["macs_64"]
