"""clDice of drawn vessels."""

import numpy as np
import pytest
import torch

from medseg.errors import InputError
from medseg.metrics.centerline import cl_dice
from medseg.metrics.pixel import dice

VESSEL = np.zeros((30, 60), bool)
VESSEL[12:17, 5:55] = True


def test_a_gap_costs_little_area_and_a_thin_vessel_is_as_good_as_a_thick_one():
    thin, cut = np.zeros_like(VESSEL), VESSEL.copy()
    thin[14, 5:55] = True
    cut[:, 28:32] = False
    assert cl_dice(VESSEL, VESSEL).value == 1
    assert cl_dice(thin, VESSEL).value > 0.95 > 0.5 > dice(thin, VESSEL).value
    found = cl_dice(cut, VESSEL)
    assert found.precision == 1
    assert found.sensitivity == found.true_inside / found.true < 0.95
    assert found.value == pytest.approx(2 * found.sensitivity / (1 + found.sensitivity))


def test_shifted_sideways():
    aside = np.roll(VESSEL, 6, axis=0)
    assert cl_dice(aside, VESSEL).value == 0


@pytest.mark.parametrize(("prediction", "reference", "value"), [(0, 1, 0), (1, 0, 0), (0, 0, float("nan"))])
def test_empty_sides(prediction, reference, value):
    assert cl_dice(VESSEL & bool(prediction), VESSEL & bool(reference)).value == pytest.approx(value, nan_ok=True)


def test_stacks_add_up_and_volumes_have_one_skeleton():
    stack = np.stack([VESSEL, VESSEL])
    assert cl_dice(stack, stack).true == 2 * cl_dice(VESSEL, VESSEL).true
    upright = np.zeros((30, 9, 9), bool)
    upright[:, 3:6, 3:6] = True
    assert cl_dice(upright, upright, volumetric=True).true < cl_dice(upright, upright).true
    tube = cl_dice(upright, np.roll(upright, 4, axis=1), volumetric=True)
    assert tube.value == 0


def test_probabilities_and_labels():
    assert cl_dice(torch.from_numpy(VESSEL * np.float32(0.6)), VESSEL).value == 1
    assert cl_dice(torch.from_numpy(VESSEL * np.float32(0.6)), VESSEL, threshold=0.7).value == 0
    halves = VESSEL * (np.arange(60) // 30 + 1)
    assert cl_dice(halves, VESSEL).value == 1  # touching objects are not parted


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cl_dice(VESSEL, VESSEL[1:]), "same pixels"),
        (lambda: cl_dice(VESSEL * 3.5, VESSEL), "0 to 1"),
        (lambda: cl_dice(VESSEL[None, None], VESSEL[None, None], volumetric=True), "one volume"),
        (lambda: cl_dice(VESSEL, VESSEL, threshold=None), "one number"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
