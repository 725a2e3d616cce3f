from typing import NamedTuple

import pytest
import torch

from medseg.inferers import AutocastInferer, ImageDetections, autocast


def precision_inside(inferer):
    seen = []
    network = torch.nn.Conv2d(1, 1, 1)
    network.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    assert inferer(torch.rand(1, 1, 8, 8), network).dtype == torch.float32
    return seen[0]


def test_runs_in_bfloat16_and_returns_float32():
    assert precision_inside(AutocastInferer(enabled=True)) == torch.bfloat16
    assert precision_inside(AutocastInferer(enabled=False)) == torch.float32


@pytest.mark.parametrize(("has", "inside"), [(True, torch.bfloat16), (False, torch.float32)])
def test_by_default_only_where_the_processor_has_it(monkeypatch, has, inside):
    monkeypatch.setattr(autocast, "has_bfloat16", lambda device: has)
    assert precision_inside(AutocastInferer()) == inside


@pytest.mark.parametrize(
    ("avx512", "avx512_bf16", "has"), [(True, True, True), (True, False, False), (False, False, True)]
)
def test_avx512_without_instructions_for_bfloat16_emulates_it(monkeypatch, avx512, avx512_bf16, has):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True, raising=False)  # as on any AVX-512
    monkeypatch.setattr(torch.cpu, "_is_avx512_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    assert autocast.has_bfloat16("cpu") is has


def test_keeps_several_heads():
    network = torch.nn.Conv2d(1, 1, 1)
    heads = AutocastInferer()(torch.rand(1, 1, 8, 8), lambda x: [network(x), network(x)])
    assert [h.dtype for h in heads] == [torch.float32] * 2


def test_a_detectors_losses_and_images_in_a_list():
    network = torch.nn.Conv2d(1, 1, 1)
    images = [torch.rand(1, 8, 8), torch.rand(1, 6, 8)]
    result = AutocastInferer()(images, lambda x: {"loss": network(x[0]).mean(), "count": torch.tensor(len(x))})
    assert {key: value.dtype for key, value in result.items()} == {"loss": torch.float32, "count": torch.int64}


def test_detections_pass_through():
    found = [ImageDetections({"boxes": torch.zeros(0, 4)})]
    assert AutocastInferer()(torch.rand(1, 1, 8, 8), lambda x: found) == found


class Heads(NamedTuple):
    fine: torch.Tensor
    coarse: torch.Tensor


@pytest.mark.parametrize("kind", [lambda *heads: heads, Heads])
def test_a_tuple_stays_what_it_is(kind):
    network = torch.nn.Conv2d(1, 1, 1)
    heads = AutocastInferer(True)(torch.rand(1, 1, 8, 8), lambda x: kind(network(x), network(x)))
    assert type(heads) is type(kind(1, 2))
    assert [h.dtype for h in heads] == [torch.float32] * 2
