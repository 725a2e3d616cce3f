"""Rand measures against the reference values, counting pairs one by one, and scikit-image."""

import json
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from isbi2012_cases import each_case, load_case
from skimage.metrics import adapted_rand_error

from medseg.errors import InputError
from medseg.metrics import rand
from medseg.metrics.overlap import overlaps
from medseg.metrics.rand import rand_error, rand_of, v_rand

VOLUMES = sorted((Path(__file__).parents[1] / "oracle" / "isbi2012").glob("v*"))
SMALL = arrays(np.int32, (2, 4, 3), elements=st.integers(0, 3))


def by_hand(prediction, reference, region, pairs):
    """tp, fp, fn, tn of all pairs of pixels, each looked at."""
    pixels = list(zip(prediction.ravel().tolist(), reference.ravel().tolist(), strict=True))
    if region == "foreground":
        # Unlabelled pixels get an id of their own.
        pixels = [(p or -i - 1, r) for i, (p, r) in enumerate(pixels) if r]
    every = product(pixels, pixels) if pairs == "ordered" else combinations(pixels, 2)
    counts = [0, 0, 0, 0]
    for (p, r), (q, s) in every:
        counts[{(True, True): 0, (True, False): 1, (False, True): 2, (False, False): 3}[p == q, r == s]] += 1
    return counts


def counts_of(score):
    return [score.counts.tp, score.counts.fp, score.counts.fn, score.counts.tn]


@pytest.mark.parametrize("pairs", ["distinct", "ordered"])
@pytest.mark.parametrize("region", ["foreground", "everything"])
@settings(max_examples=25)
@given(prediction=SMALL, reference=SMALL)
def test_equals_counting_pairs_one_by_one(region, pairs, prediction, reference):
    tables = overlaps(prediction, reference, prediction_kind="labels", reference_kind="labels")
    (score,) = rand_of(tables, region=region, pairs=pairs).sweep
    assert counts_of(score) == by_hand(prediction, reference, region, pairs)


@each_case
def test_reference_cases(case_folder):
    case = load_case(case_folder)
    expected = case.expected["rand"]
    tables = overlaps(case.proposal, case.label, prediction_kind="probability", reference_kind="probability")
    thinned = overlaps(
        case.proposal, case.label, prediction_kind="probability", reference_kind="probability", thin_borders=True
    )
    results = {
        "standard": rand_of(tables, region="everything"),
        "foreground": rand_of(tables, pairs="ordered"),
        "foreground_nchoose2": rand_of(tables),
        "foreground_thinned_micro": rand_of(thinned, pairs="ordered"),
    }
    macro = rand_of(thinned, pairs="ordered", average="macro")
    empty = case.expected["label_slice_empty"]
    assert macro.undefined == sum(empty)
    for k, per_threshold in enumerate(expected["per_threshold"]):
        for name, result in results.items():
            wanted, score = per_threshold[name], result.sweep[k]
            if any(empty) and name in ("foreground", "foreground_thinned_micro"):
                assert result.undefined == sum(empty)
                continue  # the reference lets NaN spread; here such sections are left out and counted
            total = sum(counts_of(score))
            for key in ("tp", "fp", "fn", "tn"):
                assert getattr(score.counts, key) == pytest.approx(wanted[key], rel=1e-9, abs=1e-9 * total)
            for key, value in (("precision", score.precision), ("recall", score.recall), ("f_score", score.f_score)):
                assert value == pytest.approx(wanted[key], abs=1e-9)
            index = float("nan") if wanted["metric"] is None else wanted["metric"]
            assert score.index == pytest.approx(index, abs=1e-9, nan_ok=True)
        if not any(empty):
            assert macro.sweep[k].f_score == pytest.approx(per_threshold["foreground_thinned_macro_f"], abs=1e-9)
    assert results["standard"].value == pytest.approx(expected["standard_max_f_score"], abs=1e-9)
    rand_2012 = rand_error(case.proposal, case.label).value
    assert rand_2012 == pytest.approx(expected["challenge_2012_rand_error"], abs=1e-9)
    if any(empty):
        assert all(empty) == np.isnan(macro.value)
        return
    assert results["foreground"].value == pytest.approx(expected["foreground_max_f_score"], abs=1e-9)
    assert v_rand(case.proposal, case.label).value == pytest.approx(expected["v_rand_thinned_max_macro"], abs=1e-9)
    micro = v_rand(case.proposal, case.label, average="micro")
    assert micro.value == pytest.approx(expected["v_rand_thinned_max_micro"], abs=1e-9)
    binary = v_rand(case.proposal > 0, case.label)
    assert len(binary.sweep) == 1
    assert binary.value == pytest.approx(expected["v_rand_thinned_binary_proposal"], abs=1e-9)


@pytest.mark.parametrize("folder", VOLUMES, ids=lambda folder: folder.name)
def test_reference_label_volumes(folder):
    label, proposal = (tifffile.imread(folder / f"{name}.tif") for name in ("label", "proposal"))
    expected = json.loads((folder / "expected.json").read_text())
    how = {"prediction_kind": "labels", "reference_kind": "labels"}
    ordered = rand_error(proposal, label, pairs="ordered", **how).best
    distinct = rand_error(proposal, label, **how).best
    for score, wanted in ((ordered, expected["intended_n2"]), (distinct, expected["nchoose2"])):
        for name in ("precision", "recall", "f_score"):
            assert getattr(score, name) == pytest.approx(wanted[name], abs=1e-9)
    assert counts_of(distinct) == [expected["nchoose2"][k] for k in ("tp", "fp", "fn", "tn")]
    assert distinct.index == pytest.approx(expected["nchoose2"]["metric"], abs=1e-9)


@settings(max_examples=40)
@given(SMALL, SMALL)
def test_everything_equals_scikit_image(prediction, reference):
    ours = rand_error(
        prediction, reference, region="everything", prediction_kind="labels", reference_kind="labels"
    ).best
    with np.errstate(invalid="ignore"):
        error, precision, recall = adapted_rand_error(reference, prediction, ignore_labels=())
    if not np.isnan([error, precision, recall]).any():
        assert 1 - ours.f_score == pytest.approx(error, abs=1e-12)
        # scikit-image names the two the other way round
        assert (ours.precision, ours.recall) == pytest.approx((recall, precision), abs=1e-12)


@settings(max_examples=40)
@given(SMALL, st.permutations([1, 2, 3]))
def test_relabelling_and_flips_change_nothing(labels, new):
    reference = labels[::-1]
    relabelled = np.array([0, *new])[labels]
    how = {"prediction_kind": "labels", "reference_kind": "labels"}
    value = rand_error(labels, reference, **how).value
    assert rand_error(relabelled, reference, **how).value == value
    assert rand_error(labels[:, ::-1], reference[:, ::-1], **how).value == value
    assert rand_error(labels.T, reference.T, **how).value == value
    assert rand_error(labels, labels, **how).value == 0


def test_drawn_example():
    """Spec E11: one cell cut into two of its seven pixels each side of a gap."""
    label, proposal = np.array([[1, 1, 1, 1, 1, 0, 1, 1]]), np.array([[1, 1, 0, 1, 1, 0, 1, 1]])
    best = rand_error(proposal, label, pairs="ordered").best
    assert (best.precision, best.recall) == pytest.approx((1, 13 / 29))
    assert v_rand(proposal, label).value == pytest.approx(26 / 42)
    everything = rand_error(proposal, label, region="everything").best
    assert (1 - everything.index, everything.f_score) == pytest.approx((9 / 28, 0.4))


def test_sections_without_reference_are_counted_not_hidden():
    label = np.zeros((3, 6, 6), bool)
    label[0, 1:5, 1:5] = True
    result = v_rand(label, label)
    assert (result.value, result.units, result.undefined) == (1, 3, 2)
    nothing = v_rand(label[1:], label[1:])
    assert np.isnan(nothing.value)
    assert (nothing.best, nothing.undefined) == (None, 2)
    assert rand_error(label[1:], label[1:]).value == 0  # no pairs, none wrong: the challenge's convention


def test_levels_above_a_grey_reference_do_not_count_as_agreement():
    label, proposal = np.array([[0.5, 0.5, 0, 0.5, 0.5]]), np.ones((1, 5))
    result = rand_error(proposal, label, prediction_kind="probability", reference_kind="probability")
    assert (result.value, result.best.threshold) == (0.5, 0)  # two cells merged: precision 1/3, recall 1
    assert result.sweep[-1].counts.total == 0


def test_squares_are_exact_beyond_int64():
    counts = np.array([(1 << 38) + 12345, 7, 1 << 24])
    assert rand._squares(counts) == sum(int(c) ** 2 for c in counts)


def test_refuses_unknown_conventions():
    with pytest.raises(InputError, match="'distinct' or 'ordered'"):
        rand_error(np.eye(3, dtype=bool), np.eye(3, dtype=bool), pairs="both")
    with pytest.raises(InputError, match="region 'all' with pairs 'distinct' is not known"):
        rand_error(np.eye(3, dtype=bool), np.eye(3, dtype=bool), region="all")
    with pytest.raises(InputError, match="'macro' or 'micro'"):
        v_rand(np.eye(3, dtype=bool), np.eye(3, dtype=bool), average="median")
