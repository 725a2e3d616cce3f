import torch

from medseg.training.weights_on_disk import weights_on_disk


def test_what_fits_is_halved_and_what_does_not_is_kept():
    state = {"weight": torch.rand(3), "var": torch.tensor([1.0, 1e5]), "steps": torch.tensor(70_000)}
    stored = weights_on_disk(state, torch.float16)
    assert [v.dtype for v in stored.values()] == [torch.float16, torch.float32, torch.int64]
    assert torch.equal(stored["var"], state["var"])
    torch.testing.assert_close(stored["weight"].float(), state["weight"], atol=1e-3, rtol=0)


def test_without_a_dtype_nothing_changes():
    state = {"weight": torch.tensor([1.0, float("inf")])}
    assert torch.equal(weights_on_disk(state, None)["weight"], state["weight"])


def test_infinity_stays_infinity():
    assert weights_on_disk({"weight": torch.tensor([float("inf")])}, torch.float16)["weight"].dtype == torch.float16
