"""Information measures against the reference values, the definition, and scikit-image."""

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from isbi2012_cases import each_case, load_case
from skimage.metrics import variation_of_information as skimage_variation

from medseg.errors import InputError
from medseg.metrics.information import v_info, variation_of_information
from medseg.metrics.overlap import overlaps

SMALL = arrays(np.int32, (2, 4, 3), elements=st.integers(0, 3))
LABELS = {"prediction_kind": "labels", "reference_kind": "labels"}


def entropy(values):
    counts = [values.count(v) for v in set(values)]
    return -sum(c / len(values) * log(c / len(values)) for c in counts)


@settings(max_examples=60)
@given(SMALL, SMALL)
def test_equals_the_definition(prediction, reference):
    pixels = list(zip(prediction.ravel().tolist(), reference.ravel().tolist(), strict=True))
    pixels = [(p or -i - 1, r) for i, (p, r) in enumerate(pixels) if r]
    result = variation_of_information(prediction, reference, **LABELS)
    if not pixels:
        assert np.isnan(result.value)
        assert (result.best, result.undefined) == (None, 1)
        return
    joint, predicted, truth = entropy(pixels), entropy([p for p, _ in pixels]), entropy([r for _, r in pixels])
    assert result.value == pytest.approx(2 * joint - predicted - truth, abs=1e-12)
    assert (result.best.split, result.best.merge) == pytest.approx((joint - truth, joint - predicted), abs=1e-12)


@settings(max_examples=40)
@given(SMALL, SMALL)
def test_everything_equals_scikit_image_in_bits(prediction, reference):
    ours = variation_of_information(prediction, reference, region="everything", **LABELS).best
    split, merge = skimage_variation(reference, prediction)
    assert (ours.split / log(2), ours.merge / log(2)) == pytest.approx((split, merge), abs=1e-12)


@settings(max_examples=40)
@given(SMALL, SMALL)
def test_symmetry_identity_and_relabelling(prediction, reference):
    one = variation_of_information(prediction, reference, region="everything", **LABELS)
    other = variation_of_information(reference, prediction, region="everything", **LABELS)
    assert one.value == pytest.approx(other.value, abs=1e-12)
    assert (one.best.split, one.best.merge) == pytest.approx((other.best.merge, other.best.split), abs=1e-12)
    assert variation_of_information(reference, reference, region="everything", **LABELS).value == 0
    relabelled = np.array([7, 3, 9, 1])[prediction]
    again = variation_of_information(relabelled, reference[::1], region="everything", **LABELS)
    assert again.value == pytest.approx(one.value, abs=1e-12)


@each_case
def test_reference_cases(case_folder):
    case = load_case(case_folder)
    expected = case.expected["info"]
    empty = case.expected["label_slice_empty"]
    as_grey = {"prediction_kind": "probability", "reference_kind": "probability"}
    variation = variation_of_information(case.proposal, case.label, **as_grey)
    thinned = v_info(case.proposal, case.label, **as_grey)
    assert thinned.undefined == variation.undefined == sum(empty)
    if any(empty):
        assert all(empty) == np.isnan(thinned.value)  # the reference says 0 for a section without cells
        return
    for k, wanted in enumerate(expected["per_threshold"]):
        score = variation.sweep[k]
        assert score.variation == pytest.approx(wanted["foreground_vi"], abs=1e-9)
        assert score.v_info == pytest.approx(wanted["foreground_f_score"], abs=1e-9)
        assert thinned.sweep[k].v_info == pytest.approx(wanted["v_info_thinned"], abs=1e-9)
        for unit, numbers in zip(score.per_unit, wanted["foreground_entropies_per_slice_HT_HS_HTS_HST"], strict=True):
            assert (unit.reference, unit.prediction, unit.merge, unit.split) == pytest.approx(numbers, abs=1e-9)
    assert thinned.value == pytest.approx(expected["v_info_thinned_max"], abs=1e-9)
    binary = v_info(case.proposal > 0, case.label)
    assert binary.value == pytest.approx(expected["v_info_thinned_binary_proposal"], abs=1e-9)


def test_drawn_example():
    """Spec E11."""
    label, proposal = np.array([[1, 1, 1, 1, 1, 0, 1, 1]]), np.array([[1, 1, 0, 1, 1, 0, 1, 1]])
    best = variation_of_information(proposal, label).best
    (unit,) = best.per_unit
    assert (unit.reference, unit.prediction, best.merge) == pytest.approx((0.598270, 1.351784, 0), abs=1e-6)
    assert v_info(proposal, label).value == pytest.approx(0.613593, abs=1e-6)


def test_single_segments_are_zero_and_counted():
    one = np.zeros((2, 5, 5), bool)
    one[:, 1:4, 1:4] = True
    result = v_info(one, one)
    assert (result.value, result.single_segment, result.undefined) == (0, 2, 0)
    assert variation_of_information(one, one).value == 0


def test_thresholds_share_the_reference_where_it_does_not_change():
    reference = np.zeros((6, 6), bool)
    reference[1:5, 1:3] = reference[1:5, 4:] = True
    prediction = np.where(reference, np.float32(0.75), np.float32(0.35))
    tables = overlaps(prediction, reference)
    assert tables.at(0.5) == tables.at(0.7)
    assert tables.at(0.1) != tables.at(0.5)
    assert variation_of_information(prediction, reference).best.threshold == 0.4


def test_refuses_an_unknown_region():
    with pytest.raises(InputError, match="'foreground' or 'everything'"):
        variation_of_information(np.eye(3, dtype=bool), np.eye(3, dtype=bool), region="cells")
