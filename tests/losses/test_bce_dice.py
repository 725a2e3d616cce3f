import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.losses import DeepSupervisionLoss

from medseg.errors import InputError
from medseg.losses import BCEDiceLoss


def formula(heads, target, lambda_bce=0.5, lambda_dice=1.0, smooth=1.0):
    """The definition, one number at a time."""
    per_head = []
    for logits in heads:
        terms = []
        for image, truth in zip(logits, target, strict=True):
            for z, y in zip(image, truth, strict=True):
                p = 1 / (1 + np.exp(-z))
                bce = np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))
                dice = (2 * (y * p).sum() + smooth) / (y.sum() + p.sum() + smooth)
                terms.append(lambda_bce * bce + lambda_dice * (1 - dice))
        per_head.append(np.mean(terms))
    return np.mean(per_head)


@given(
    seed=st.integers(0, 2**32 - 1),
    heads=st.integers(1, 4),
    batch=st.integers(1, 3),
    channels=st.integers(1, 3),
    size=st.lists(st.integers(1, 9), min_size=2, max_size=3),
    smooth=st.sampled_from([1e-5, 1.0]),
    bce=st.sampled_from([0.0, 0.5, 2.0]),
)
@settings(max_examples=60)
def test_equals_the_formula(seed, heads, batch, channels, size, smooth, bce):
    rng = np.random.default_rng(seed)
    target = (rng.random((batch, channels, *size)) < rng.random()).astype(float)
    logits = [3 * rng.normal(size=target.shape) for _ in range(heads)]
    loss = BCEDiceLoss(lambda_bce=bce, smooth=smooth)
    got = loss([torch.from_numpy(z) for z in logits], torch.from_numpy(target))
    assert got.dtype == torch.float64
    assert got.item() == pytest.approx(formula(logits, target, bce, smooth=smooth), rel=1e-4, abs=1e-6)


def test_defaults_are_those_of_the_paper_and_its_code():
    target = np.zeros((1, 1, 4, 4))
    target[..., 0] = 1
    logits = np.linspace(-2, 2, 16).reshape(target.shape)
    expected = formula([logits], target, lambda_bce=0.5, lambda_dice=1.0, smooth=1.0)
    assert BCEDiceLoss()(torch.from_numpy(logits), torch.from_numpy(target)).item() == pytest.approx(expected)


def test_a_single_tensor_is_one_head():
    logits, target = torch.randn(2, 1, 8, 8), torch.randint(0, 2, (2, 1, 8, 8))
    torch.testing.assert_close(BCEDiceLoss()(logits, target), BCEDiceLoss()([logits], target))


def test_images_weigh_the_same_however_large_their_objects():
    target = torch.zeros(2, 1, 32, 32)
    target[0, 0, :30], target[1, 0, :2, :2] = 1, 1
    dice_only = BCEDiceLoss(lambda_bce=0.0, smooth=1e-5)
    missed_small, missed_large = (torch.where(target > 0, 20.0, -20.0) for _ in range(2))
    missed_small[1], missed_large[0] = -20.0, -20.0
    assert dice_only(missed_small, target).item() == pytest.approx(0.5, abs=1e-4)
    assert dice_only(missed_large, target).item() == pytest.approx(0.5, abs=1e-4)


def test_head_weights_follow_the_order_of_the_heads():
    target = torch.ones(1, 1, 4, 4)
    good, bad = torch.full_like(target, 20), torch.full_like(target, -20)
    loss = BCEDiceLoss(head_weights=[1.0, 0.0])
    assert loss([good, bad], target) < 1e-4
    assert loss([bad, good], target) > 5


def test_is_what_deep_supervision_loss_sums():
    target = torch.randint(0, 2, (2, 1, 8, 8)).float()
    heads = [torch.randn(2, 1, 8, 8) for _ in range(3)]
    summed = DeepSupervisionLoss(BCEDiceLoss(), weight_mode="same")(heads, target)
    torch.testing.assert_close(BCEDiceLoss()(heads, target), summed / 3)


@pytest.mark.parametrize("heads", [1, 3])
def test_weights_per_pixel_are_those_of_the_formula_and_leave_the_dice_term_alone(heads):
    rng = np.random.default_rng(heads)
    target = rng.integers(0, 2, (2, 2, 5, 4)).astype(float)
    weight = rng.random((2, 1, 5, 4)) * 9
    logits = [3 * rng.normal(size=target.shape) for _ in range(heads)]
    p = [1 / (1 + np.exp(-z)) for z in logits]
    weighted = [-weight * (target * np.log(q) + (1 - target) * np.log(1 - q)) for q in p]
    bce = np.mean([w.sum() / (2 * weight.sum()) for w in weighted])
    expected = 0.5 * bce + formula(logits, target, lambda_bce=0)
    as_tensors = [torch.from_numpy(z) for z in logits], torch.from_numpy(target), torch.from_numpy(weight)
    got = BCEDiceLoss()(*as_tensors)
    assert got.item() == pytest.approx(expected, rel=1e-5)
    mapped = BCEDiceLoss()(as_tensors[0], {"label": as_tensors[1], "weight": as_tensors[2]})
    torch.testing.assert_close(mapped, got)
    named = BCEDiceLoss(weight_key="w", label_key="mask")(as_tensors[0], {"mask": as_tensors[1], "w": as_tensors[2]})
    torch.testing.assert_close(named, got)
    torch.testing.assert_close(BCEDiceLoss()(*as_tensors[:2], torch.ones(2, 1, 5, 4)), BCEDiceLoss()(*as_tensors[:2]))


def test_gradients_reach_the_weights():
    logits, target = torch.randn(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    weight = torch.ones(1, 1, 4, 4, requires_grad=True)
    BCEDiceLoss(lambda_bce=1.0)(logits, target, weight).backward()
    entropy = torch.nn.functional.softplus(-logits)
    torch.testing.assert_close(weight.grad, (entropy - entropy.mean()) / 16)  # of the weighted mean


def test_without_a_weighted_pixel_the_dice_term_is_left():
    logits, target = torch.randn(1, 2, 4, 4), torch.ones(1, 2, 4, 4)
    got = BCEDiceLoss()(logits, target, torch.zeros(1, 1, 4, 4))
    torch.testing.assert_close(got, BCEDiceLoss(lambda_bce=0.0)(logits, target))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"label": torch.zeros(1, 2, 4, 4)}, "BCEDiceLoss: the target has no 'weight', only 'label'"),
        ({"label": torch.zeros(1, 2, 4, 4), "weight": torch.ones(1, 2, 4, 4)}, r"weights have shape \(1, 2, 4, 4\)"),
        ({"label": torch.zeros(1, 2, 4, 4), "weight": -torch.ones(1, 1, 4, 4)}, "weights run from -1 to -1"),
    ],
)
def test_refuses_weights(target, message):
    with pytest.raises(InputError, match=message):
        BCEDiceLoss()(torch.zeros(1, 2, 4, 4), target)


def test_an_empty_image_teaches_to_predict_nothing():
    logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
    BCEDiceLoss(lambda_bce=0.0)(logits, torch.zeros(1, 1, 8, 8)).backward()
    assert (logits.grad > 0).all()


@pytest.mark.parametrize(
    ("heads", "weights", "message"),
    [
        ([torch.zeros(1, 1, 4, 4)], None, r"\(1, 1, 4, 4\).*\(1, 1, 8, 8\)"),
        ([], None, "no head"),
        ([torch.zeros(1, 1, 8, 8)], [1.0, 1.0], "2 head_weights for 1 heads"),
    ],
)
def test_refuses(heads, weights, message):
    with pytest.raises(ValueError, match=message):
        BCEDiceLoss(head_weights=weights)(heads, torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("value", [255, 7, -1, torch.nan])
def test_a_target_that_is_no_mask_is_named(value):
    with pytest.raises(InputError, match="masks of 0 and 1"):
        BCEDiceLoss()(torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), value))


def test_a_target_without_a_pixel_is_named():
    with pytest.raises(InputError, match=r"BCEDiceLoss: a target of shape \(0, 1, 4, 4\) has no pixel"):
        BCEDiceLoss()(torch.zeros(0, 1, 4, 4), torch.zeros(0, 1, 4, 4))


def test_an_interpolated_mask_may_overshoot_by_rounding():
    logits = torch.randn(1, 1, 4, 4)
    overshot = BCEDiceLoss()(logits, torch.full((1, 1, 4, 4), 1 + 1e-6))
    torch.testing.assert_close(overshot, BCEDiceLoss()(logits, torch.ones(1, 1, 4, 4)))


def test_gradients_in_double_precision():
    heads = torch.randn(2, 2, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    target, weight = torch.randint(0, 2, (2, 2, 3, 4)), torch.rand(2, 1, 3, 4)
    assert torch.autograd.gradcheck(lambda x: BCEDiceLoss()(list(x), target, weight), heads)
