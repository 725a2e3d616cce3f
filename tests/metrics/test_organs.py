"""Organs that were drawn and measured by hand, in voxels of 3 x 1 x 2 mm."""

import numpy as np
import pytest

from medseg.errors import InputError
from medseg.metrics import score_organs
from medseg.metrics.organs import mean_over_cases, mean_over_organs

SPACING_MM = (3.0, 1.0, 2.0)


def rod(start: int, z: int = 1, label: int = 2) -> np.ndarray:
    """Ten voxels in a row, 3 mm apart."""
    volume = np.zeros((14, 5, 6), np.uint8)
    volume[start : start + 10, 2, z] = label
    return volume


def test_a_step_along_the_rod():
    """Nine voxels of ten are common; the tenth is 3 mm away, in both directions: P95 of 0 (nine times) and 3."""
    score = score_organs(rod(2), rod(3), SPACING_MM, [2])[2]
    assert score.dice == pytest.approx(2 * 9 / 20)
    assert score.surface_dice == pytest.approx(18 / 20)
    assert score.hd95_mm == pytest.approx(0.55 * 3)
    assert score.prediction_ml == score.reference_ml == pytest.approx(10 * 6 / 1000)
    assert (score.counted, score.not_found, score.not_in_reference, score.on_neither_side) == (1, 0, 0, 0)
    assert score_organs(rod(2), rod(3), SPACING_MM, [2], tolerance_mm=3)[2].surface_dice == 1
    assert score_organs(rod(2), rod(3), SPACING_MM, [2], tolerance_mm=0)[2].surface_dice == pytest.approx(18 / 20)


def test_a_step_aside_is_as_far_as_its_own_axis_says():
    score = score_organs(rod(2, z=1), rod(2, z=3), SPACING_MM, [2], tolerance_mm=3.9)[2]
    assert (score.dice, score.surface_dice, score.hd95_mm) == (0, 0, 4)
    assert score_organs(rod(2, z=1), rod(2, z=3), SPACING_MM, [2], tolerance_mm=4)[2].surface_dice == 1


def test_organs_that_a_side_lacks():
    prediction, reference = rod(2, label=1), rod(2, label=2)
    scores = score_organs(prediction, reference, SPACING_MM, [1, 2, 3])
    assert scores[1].as_json() == {
        "dice": 0, "surface_dice": 0, "hd95_mm": None, "prediction_ml": pytest.approx(0.06), "reference_ml": 0,
        "counted": 1, "not_found": 0, "not_in_reference": 1, "on_neither_side": 0,
    }  # fmt: skip
    assert (scores[2].dice, scores[2].hd95_mm, scores[2].not_found) == (0, None, 1)
    assert (scores[3].dice, scores[3].counted, scores[3].on_neither_side) == (None, 0, 1)


def test_means():
    whole, lacking, absent = (
        score_organs(prediction, reference, SPACING_MM, [2])[2]
        for prediction, reference in ((rod(2), rod(2)), (rod(2) * 0, rod(2)), (rod(2) * 0, rod(2) * 0))
    )
    mean = mean_over_cases([whole, lacking, absent])
    assert (mean.dice, mean.surface_dice, mean.hd95_mm) == (0.5, 0.5, 0)
    assert (mean.prediction_ml, mean.reference_ml) == (pytest.approx(0.03), pytest.approx(0.06))
    assert (mean.counted, mean.not_found, mean.on_neither_side) == (2, 1, 1)
    of_organs = mean_over_organs([mean, whole])
    assert (of_organs.dice, of_organs.counted) == (0.75, 3)
    assert of_organs.prediction_ml is of_organs.reference_ml is None
    assert mean_over_cases([absent]).dice is None


def test_labels_beyond_those_that_are_scored_do_no_harm():
    both = rod(2) + rod(2, z=4, label=9)
    assert score_organs(both, both, SPACING_MM, iter([2]))[2].dice == 1
    assert score_organs(both, both, SPACING_MM, []) == {}
    far = rod(2).astype(np.int64) + (rod(2) > 0) * 2**32
    assert score_organs(far, far, SPACING_MM, [2])[2].on_neither_side == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference": rod(2)[:-1]}, "one grid"),
        ({"prediction": rod(2)[0], "reference": rod(2)[0]}, "one grid"),
        ({"prediction": rod(2).astype(np.float32)}, "integers, not float32"),
        ({"reference": rod(2).astype(np.float32)}, "and float32"),
        ({"tolerance_mm": float("nan")}, "tolerance of nan mm"),
        ({"tolerance_mm": -1.0}, "tolerance of -1"),
        ({"tolerance_mm": float("inf")}, "tolerance of inf mm"),
        ({"labels": [0]}, "1 to 65535, not 0"),
        ({"labels": [65536]}, "1 to 65535, not 65536"),
    ],
)
def test_what_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        score_organs(**{"prediction": rod(2), "reference": rod(2), "spacing_mm": SPACING_MM, "labels": [2]} | changes)
