import pytest
import torch

from medseg.errors import InputError
from medseg.workflow.device import pick_device


@pytest.mark.parametrize("name", ["tpu", "", "CPU", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "cuda:²", "cuda:0 "])
def test_refuses_other_names(name):
    with pytest.raises(InputError, match="give auto, cpu, cuda or cuda:N"):
        pick_device(name)


@pytest.mark.parametrize(
    ("name", "count", "expected"),
    [("cpu", 2, "cpu"), ("cuda", 1, "cuda"), ("cuda:1", 2, "cuda:1"), ("auto", 0, "cpu"), ("auto", 1, "cuda:0")],
)
def test_picks(monkeypatch, name, count, expected):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    assert pick_device(name) == torch.device(expected)


@pytest.mark.parametrize(("name", "count"), [("cuda", 0), ("cuda:0", 0), ("cuda:2", 2)])
def test_a_gpu_that_is_not_there(monkeypatch, name, count):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    with pytest.raises(InputError, match=f"{name}: torch sees {count} CUDA devices here; use --device cpu"):
        pick_device(name)


def test_a_torch_that_knows_no_gpu_is_told(monkeypatch):
    """On Windows, pip installs such a one also where there is a GPU."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(InputError, match=r"sees 0 CUDA devices here \(it is built without CUDA; .*pytorch\.org"):
        pick_device("cuda")
