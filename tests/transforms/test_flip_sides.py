import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import RandFlipSidesd, flip_sides

ITEM = {"image": torch.arange(12.0).reshape(1, 3, 2, 2), "label": torch.tensor([0, 3, 4]).repeat_interleave(4)}
ITEM["label"] = ITEM["label"].reshape(1, 3, 2, 2)


def test_the_right_becomes_the_left():
    before = {k: v.clone() for k, v in ITEM.items()}
    flipped = RandFlipSidesd(("image", "label"), "label", [[3, 4]], prob=1.0)(ITEM)
    torch.testing.assert_close(flipped["image"], ITEM["image"].flip(1))
    assert flipped["label"][0, :, 0, 0].tolist() == [3, 4, 0]  # mirrored 4, 3, 0 with sides exchanged
    for key, value in before.items():
        torch.testing.assert_close(ITEM[key], value)


@pytest.mark.parametrize(("axis", "dim"), [(1, 2), (-1, 3)])
def test_another_axis_from_side_to_side(axis, dim):
    flipped = RandFlipSidesd("image", (), [], spatial_axis=axis, prob=1.0)(ITEM)
    torch.testing.assert_close(flipped["image"], ITEM["image"].flip(dim))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.uint32, torch.int64, torch.float32])
def test_labels_of_any_dtype(dtype):
    flipped = RandFlipSidesd("label", "label", [[3, 4]], prob=1.0)({"label": ITEM["label"].to(dtype)})["label"]
    assert flipped[0, :, 0, 0].tolist() == [3, 4, 0]
    assert flipped.dtype == dtype


def test_twice_is_nothing_and_never_is_nothing():
    flip = RandFlipSidesd(("image", "label"), "label", [(3, 4)], prob=1.0)
    twice = flip(flip(ITEM))
    never = RandFlipSidesd(("image", "label"), "label", [(3, 4)], prob=0.0)(ITEM)
    for result in (twice, never):
        for key in ITEM:
            torch.testing.assert_close(torch.as_tensor(result[key]), ITEM[key], check_dtype=False)


def test_about_half_are_flipped_and_a_seed_repeats():
    def draws(seed):
        flip = RandFlipSidesd("label", "label", [(3, 4)], prob=0.5)
        flip.set_random_state(seed)
        return [bool((flip(ITEM)["label"] != ITEM["label"]).any()) for _ in range(100)]

    assert draws(0) == draws(0)
    assert 30 < sum(draws(0)) < 70


def test_refused():
    with pytest.raises(InputError, match="one partner"):
        RandFlipSidesd("label", "label", [[3, 4], [4, 5]])
    with pytest.raises(InputError, match="not among the keys"):
        RandFlipSidesd("image", "label", [[3, 4]])


@pytest.mark.parametrize("prob", [0.0, 1.0])
def test_arrays_become_tensors_whatever_is_drawn_and_the_affine_stays(prob):
    item = {"image": np.ones((1, 3, 2, 2), np.float32), "label": MetaTensor(ITEM["label"], affine=2 * torch.eye(4))}
    result = RandFlipSidesd(("image", "label"), "label", [[3, 4]], prob=prob)(item)
    assert all(isinstance(value, MetaTensor) for value in result.values())
    assert torch.equal(result["label"].affine, item["label"].affine)
    assert not result["label"].applied_operations


def test_keys_agree_when_another_thread_draws_between_them(monkeypatch):
    flip = RandFlipSidesd(("label", "image"), "label", [], prob=1.0)

    def interrupted(*args, plain=flip_sides.exchange_labels):
        flip._do_transform = False  # another thread leaves its image alone
        return plain(*args)

    monkeypatch.setattr(flip_sides, "exchange_labels", interrupted)
    item = flip({"image": ITEM["image"], "label": ITEM["image"]})
    torch.testing.assert_close(item["image"], item["label"])
