import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.losses import PixelWeightedLoss


def reference(pred, label, weight):
    """The paper's energy pixel by pixel in float64, over the sum of the weights."""
    total = 0.0
    for b, *x in np.ndindex(pred.shape[0], *pred.shape[2:]):
        scores = pred[(b, slice(None), *x)]
        scores = np.array([0.0, scores[0]]) if len(scores) == 1 else scores
        log_p = scores - np.log(np.exp(scores).sum())
        total -= weight[(b, 0, *x)] * log_p[int(label[(b, 0, *x)])]
    return total / weight.sum()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    channels=st.integers(1, 4),
    spatial=st.lists(st.integers(1, 4), min_size=2, max_size=3),
)
def test_equals_the_energy_over_the_weights(seed, channels, spatial):
    rng = np.random.default_rng(seed)
    pred = rng.normal(0, 3, (2, channels, *spatial))
    label = rng.integers(0, max(channels, 2), (2, 1, *spatial))
    weight = rng.uniform(0, 20, (2, 1, *spatial))
    tensors = torch.from_numpy(pred), torch.from_numpy(label), torch.from_numpy(weight)
    loss = PixelWeightedLoss()(*tensors)
    assert loss.item() == pytest.approx(reference(pred, label, weight), rel=1e-4)
    packed = PixelWeightedLoss()(tensors[0], {"label": tensors[1], "weight": tensors[2]})
    assert packed.item() == loss.item()
    named = PixelWeightedLoss(weight_key="w", label_key="mask")(tensors[0], {"mask": tensors[1], "w": tensors[2]})
    assert named.item() == loss.item()
    assert PixelWeightedLoss()(tensors[0], tensors[1], 7 * tensors[2]).item() == pytest.approx(loss.item())


def test_pixels_of_weight_zero_get_no_gradient():
    pred = torch.randn(1, 1, 4, 4, requires_grad=True)
    weight = torch.ones(1, 1, 4, 4)
    weight[..., :2] = 0
    PixelWeightedLoss()(pred, torch.ones(1, 1, 4, 4), weight).backward()
    assert (pred.grad[..., :2] == 0).all()
    assert (pred.grad[..., 2:] != 0).all()


def test_no_weighted_pixel_is_a_loss_of_zero():
    pred = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = PixelWeightedLoss()(pred, torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
    loss.backward()
    assert loss.item() == 0
    assert (pred.grad == 0).all()


def test_half_precision_logits_are_summed_in_float32():
    loss = PixelWeightedLoss()(torch.zeros(1, 1, 300, 300).half(), torch.ones(1, 1, 300, 300))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(np.log(2), rel=1e-3)


@pytest.mark.parametrize(
    ("pred", "label", "weight", "message"),
    [
        ((1, 1, 4, 4), torch.ones(1, 1, 6, 6), None, r"labels have shape \(1, 1, 6, 6\).*crop"),
        ((1, 1, 4, 4), torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 5), "weights have shape"),
        ((1, 1, 4, 4), torch.ones(1, 1, 4, 4), torch.ones(1, 4, 4), "weights have shape"),
        ((0, 1, 4, 4), torch.ones(0, 1, 4, 4), None, r"shape \(0, 1, 4, 4\) has no pixel"),
        ((1, 1, 4, 4), 255 * torch.ones(1, 1, 4, 4), None, "from 255 to 255"),
        ((1, 3, 4, 4), 3 * torch.ones(1, 1, 4, 4), None, "classes 0 to 2"),
        ((1, 3, 4, 4), -torch.ones(1, 1, 4, 4), None, "from -1"),
        ((1, 3, 4, 4), 0.9 * torch.ones(1, 1, 4, 4), None, r"hold 0\.9.*nearest"),
        ((1, 3, 4, 4), torch.nan * torch.ones(1, 1, 4, 4), None, "hold nan"),
        ((1, 1, 4, 4), torch.nan * torch.ones(1, 1, 4, 4), None, "from nan"),
        ((1, 1, 4, 4), torch.ones(1, 1, 4, 4), -torch.ones(1, 1, 4, 4), "negative"),
        ((1, 1, 4, 4), torch.ones(1, 1, 4, 4), torch.full((1, 1, 4, 4), torch.nan), "weights run from nan to nan"),
        ((1, 1, 4, 4), torch.ones(1, 1, 4, 4), torch.full((1, 1, 4, 4), torch.inf), "from inf to inf, but must not"),
    ],
)
def test_bad_input_is_named(pred, label, weight, message):
    with pytest.raises(InputError, match=message):
        PixelWeightedLoss()(torch.zeros(pred), label, weight)
    with pytest.raises(InputError, match=message):
        PixelWeightedLoss()(torch.zeros(pred), MetaTensor(label), weight)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.uint16, torch.int32, torch.float16, torch.float64])
@pytest.mark.parametrize("channels", [1, 2])
def test_labels_and_weights_of_any_type(dtype, channels):
    pred, label = torch.randn(2, channels, 4, 5), torch.randint(0, 2, (2, 1, 4, 5))
    torch.testing.assert_close(PixelWeightedLoss()(pred, label.to(dtype)), PixelWeightedLoss()(pred, label))
    weight = 1 - label.flip(-1)
    expected = PixelWeightedLoss()(pred, label, weight.float())
    torch.testing.assert_close(PixelWeightedLoss()(pred, label, weight.to(dtype)), expected)


def test_a_missing_key_is_named():
    with pytest.raises(InputError, match="no 'weight', only 'label'"):
        PixelWeightedLoss()(torch.zeros(1, 1, 4, 4), {"label": torch.zeros(1, 1, 4, 4)})


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("ignored", [255, -1, 0.5])
def test_pixels_of_weight_zero_may_hold_any_label(channels, ignored):
    pred, label = torch.randn(2, channels, 4, 5), torch.randint(0, 2, (2, 1, 4, 5))
    weight = (torch.arange(5.0) % 3).expand(2, 1, 4, 5)
    expected = PixelWeightedLoss()(pred, label, weight)
    marked = torch.where(weight == 0, ignored, label)
    torch.testing.assert_close(PixelWeightedLoss()(pred, marked, weight), expected)
    with pytest.raises(InputError):
        PixelWeightedLoss()(pred, torch.where(weight == 0, ignored, 7), weight)


def test_class_weights_as_weights():
    pred, label, classes = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 1, 4, 5)), torch.tensor([1.0, 2.0, 5.0])
    expected = torch.nn.functional.cross_entropy(pred, label[:, 0], weight=classes)
    torch.testing.assert_close(PixelWeightedLoss()(pred, label, classes[label]), expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_in_double_precision(channels):
    pred = torch.randn(2, channels, 3, 4, dtype=torch.float64, requires_grad=True)
    label, weight = torch.randint(0, 2, (2, 1, 3, 4)), torch.rand(2, 1, 3, 4)
    assert torch.autograd.gradcheck(lambda x: PixelWeightedLoss()(x, label, weight), pred)


def test_heads_and_missing_axes_are_named():
    pred, label = torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4)
    with pytest.raises(InputError, match="not a list of them"):
        PixelWeightedLoss()([pred, pred], label)
    for wrong in (label[0], torch.zeros(1, 2, 4, 4)):
        with pytest.raises(InputError, match="channel axis of 1"):
            PixelWeightedLoss()(pred, wrong)
    with pytest.raises(InputError, match="crop labels"):
        PixelWeightedLoss()(pred, torch.zeros(1, 1, 8, 8))
