"""Betti numbers against shapes that are known, scikit-image's Euler number, and slow counting."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.measure import euler_number

from medseg.errors import InputError
from medseg.metrics.betti import BettiNumbers, betti_error, betti_numbers

RING = np.pad(np.ones((5, 5), bool), 2)
RING[4, 4] = False
SHELL = np.pad(np.ones((5, 5, 5), bool), 1)
SHELL[3, 3, 3] = False
TORUS = np.zeros((3, 9, 9), bool)
TORUS[1, 1:8, 1:8] = True
TORUS[1, 3:6, 3:6] = False


@pytest.mark.parametrize(
    ("mask", "wanted"),
    [
        (RING, BettiNumbers(1, 1)),
        (np.eye(4, dtype=bool), BettiNumbers(4, 0)),  # corners do not join objects …
        (~np.pad(np.eye(2, dtype=bool), 1), BettiNumbers(1, 1)),  # … but the background
        (np.zeros((3, 4), bool), BettiNumbers(0, 0)),
        (np.ones((3, 4), bool), BettiNumbers(1, 0)),
        (SHELL, BettiNumbers(1, 0, 1)),
        (TORUS, BettiNumbers(1, 1, 0)),
        (np.concatenate([TORUS, TORUS]), BettiNumbers(2, 2, 0)),
        (np.ones((1, 1, 1), bool), BettiNumbers(1, 0, 0)),
    ],
)
def test_known_shapes(mask, wanted):
    assert betti_numbers(mask) == wanted


@settings(max_examples=60)
@given(arrays(bool, st.one_of(*(st.tuples(*[st.integers(1, 7)] * n) for n in (2, 3)))))
def test_euler_and_slow_counts(mask):
    found = betti_numbers(mask)
    outside = ndimage.label(~np.pad(mask, 1), np.ones([3] * mask.ndim))[1] - 1
    assert found.components == ndimage.label(mask)[1]
    assert (found.holes if mask.ndim == 2 else found.cavities) == outside
    assert found.components - found.holes + found.cavities == euler_number(mask, connectivity=1)


def test_the_error_counts_and_does_not_look_where():
    reference, prediction = np.zeros((2, 16, 16), bool)
    reference[2:5, 2:5] = prediction[11:14, 11:14] = True
    assert betti_error(prediction, reference).value == 0
    local = betti_error(prediction, reference, window=8)
    assert (local.value, local.components, local.windows) == (2 / 4, 2 / 4, 4)
    assert betti_error(prediction, reference, window=7).windows == 9  # the last ones are smaller
    assert betti_error(prediction, reference, window=1).value == (prediction != reference).mean()


def test_stacks_and_volumes():
    flat = np.stack([np.zeros((5, 5), bool), np.ones((5, 5), bool), np.zeros((5, 5), bool)])
    by_section = betti_error(SHELL, np.zeros_like(SHELL))
    assert (by_section.components, by_section.holes, by_section.windows) == (5 / 7, 1 / 7, 7)
    assert by_section.value == pytest.approx(6 / 7)
    whole = betti_error(SHELL, np.zeros_like(SHELL), volumetric=True)
    assert (whole.components, whole.holes, whole.cavities, whole.windows, whole.value) == (1, 0, 1, 1, 2)
    assert betti_error(flat, np.pad(flat[:2], ((1, 0), (0, 0), (0, 0))), volumetric=True).value == 0


def test_kinds():
    touching = np.repeat([[1, 1, 1, 2, 2, 2]], 3, axis=0)
    assert betti_numbers(touching, kind="labels").components == 2
    assert betti_numbers(touching).components == 2
    assert betti_error(touching, np.ones_like(touching, bool)).components == 1
    probability = torch.tensor([[0.6, 0.4, 0.6]])
    assert betti_error(probability, torch.tensor([[1, 0, 1]])).value == 0
    assert betti_error(probability, torch.tensor([[1, 0, 1]]), threshold=0.3).value == 1
    assert betti_error(np.stack([touching] * 2), np.stack([touching] * 2)).windows == 1  # two label volumes


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: betti_error(RING, RING, window=0), "window"),
        (lambda: betti_error(RING, RING[1:]), "same pixels"),
        (lambda: betti_error(RING * np.nan, RING), "NaN"),
        (lambda: betti_error(RING[None, None], RING[None, None], volumetric=True), "one volume"),
        (lambda: betti_numbers(RING[0]), "one section"),
        (lambda: betti_error(RING, RING, threshold=(0.1, 0.2)), "one number"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
