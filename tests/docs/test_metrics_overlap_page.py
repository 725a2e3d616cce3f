"""The page on overlap metrics: it explains every score, its table of undefined cases is true."""

from pathlib import Path

import numpy as np
import pytest

from medseg.metrics import (
    aggregated_jaccard_index,
    average_precision,
    betti_error,
    cl_dice,
    dice,
    f1_score,
    iou,
    panoptic_quality,
    pixel_error,
    rand_error,
    topological_warping_error,
    v_info,
    v_rand,
    variation_of_information,
)
from medseg.metrics.evaluation_options import METRICS, ON_REQUEST

PAGE = (Path(__file__).parents[2] / "docs" / "metrics_overlap.md").read_text(encoding="utf-8")
NAN = float("nan")

NOTHING = np.zeros((20, 20), bool)
CELLS = NOTHING.copy()
CELLS[2:9, 2:18] = CELLS[11:18, 2:18] = True
ONE = NOTHING.copy()
ONE[2:18, 2:18] = True


def test_every_score_is_explained():
    for name in (*METRICS, *ON_REQUEST):
        assert f"`{name}`" in PAGE


# reference, prediction -> value; the columns of the page's table
UNDEFINED = {
    topological_warping_error: (0, 0, 0, 0),
    pixel_error: (1, 1, 0, 0),
    rand_error: (0, 1, 0, 0),
    v_rand: (NAN, None, NAN, 1),
    v_info: (NAN, 0, NAN, 0),
    variation_of_information: (NAN, None, NAN, 0),
    average_precision: (0, 0, NAN, 1),
    panoptic_quality: (0, 0, NAN, 1),
    aggregated_jaccard_index: (0, 0, NAN, 1),
    dice: (0, 0, NAN, 1),
    iou: (0, 0, NAN, 1),
    betti_error: (2, 2, 0, 0),
    cl_dice: (0, 0, NAN, 1),
}


@pytest.mark.parametrize("metric", UNDEFINED, ids=lambda metric: metric.__name__)
def test_undefined_cases(metric):
    pairs = [(CELLS, NOTHING), (NOTHING, CELLS), (NOTHING, NOTHING), (ONE, ONE)]  # prediction, reference
    for (prediction, reference), wanted in zip(pairs, UNDEFINED[metric], strict=True):
        value = metric(prediction, reference).value
        if wanted is None:
            assert np.isfinite(value)
        else:
            assert value == pytest.approx(wanted, nan_ok=True)
        undefined = getattr(metric(prediction, reference), "undefined", np.isnan(value))
        if metric is not rand_error:  # which has a value where there is no pair, and says so
            assert undefined == np.isnan(value)


def test_other_undefined_cases():
    assert np.isnan(rand_error(CELLS, NOTHING, pairs="ordered").value)
    assert rand_error(NOTHING, NOTHING, region="everything").value == 0
    assert rand_error(CELLS, NOTHING).undefined == 1
    assert np.isnan(f1_score(NOTHING, NOTHING).f1)
    assert variation_of_information(NOTHING, CELLS).value == pytest.approx(np.log(7 * 16))
    assert v_info(ONE, ONE).single_segment == 1
