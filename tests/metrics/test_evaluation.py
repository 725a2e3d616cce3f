"""All scores together equal each measure on its own, and the challenge's values."""

import numpy as np
import pytest
from isbi2012_cases import each_case, load_case

from medseg.errors import InputError
from medseg.metrics.betti import betti_error
from medseg.metrics.centerline import cl_dice
from medseg.metrics.evaluation import evaluate_arrays, scores_of
from medseg.metrics.evaluation_options import GROUPS, METRICS, ON_REQUEST, EvaluationOptions
from medseg.metrics.information import variation_of_information
from medseg.metrics.instances import average_precision, panoptic_quality
from medseg.metrics.pixel import dice, iou
from medseg.metrics.warping import topological_warping_error

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 5, (3, 20, 20)).repeat(3, axis=1).repeat(3, axis=2)


def scores(prediction, reference, **options):
    chosen = EvaluationOptions(**options)
    return scores_of([evaluate_arrays(prediction, reference, chosen)], chosen).values


@each_case
def test_reference_cases(case_folder):
    case = load_case(case_folder)
    if case.mask is not None or any(case.expected["label_slice_empty"]):
        pytest.skip("the challenge's numbers are for whole images with cells")
    warping, rand = case.expected["warping"], case.expected["rand"]
    found = scores(case.proposal, case.label.astype(bool))
    wanted = {
        "warping_error_classic": warping["classic_error_th0.5"],
        "pixel_error": case.expected["pixel"]["pixel_error_challenge"],
        "rand_error_2012": rand["challenge_2012_rand_error"],
        "rand_standard_f": rand["standard_max_f_score"],
        "v_rand": rand["v_rand_thinned_max_macro"],
        "v_info": case.expected["info"]["v_info_thinned_max"],
    }
    if not any(case.expected["label_slice_all_foreground"]):
        wanted["warping_error"] = warping["min_splits_mergers_error_r20"]
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-9)
    assert found["warping_error"] == pytest.approx((found["splits"] + found["mergers"]) / case.label.size)
    at_half = case.expected["info"]["per_threshold"][5]
    assert found["vi_split"] + found["vi_merge"] == pytest.approx(at_half["foreground_vi"], abs=1e-9)
    binary = scores(case.proposal > 0, case.label.astype(bool), metrics=("v_rand", "v_info"))
    assert binary["v_rand"] == pytest.approx(rand["v_rand_thinned_binary_proposal"], abs=1e-9)


def test_the_rest_is_what_the_functions_say():
    prediction = np.clip((LABELS > 0) * 0.3 + RNG.random(LABELS.shape) * 0.7, 0, 1).astype(np.float32)
    reference = (LABELS > 0).astype(np.uint8)
    found = scores(prediction, reference)
    precision = average_precision(prediction, reference)
    information = variation_of_information(prediction, reference, threshold=0.5).best
    assert found["ap50"] == precision.scores[0].average_precision
    assert found["ap50_95"] == precision.value
    assert found["pq"] == panoptic_quality(prediction, reference).value
    assert (found["dice"], found["iou"]) == (dice(prediction, reference).value, iou(prediction, reference).value)
    assert (found["vi_split"], found["vi_merge"]) == (information.split, information.merge)
    assert tuple(found) == METRICS


def test_volumes_are_warped_as_one_where_that_is_said():
    rolled = np.roll(LABELS, 2, axis=2)
    for volumetric in (None, False, True):
        wanted = topological_warping_error(rolled, LABELS, volumetric=bool(volumetric))
        found = scores(rolled, LABELS, volumetric=volumetric, metrics=GROUPS["warping"])
        assert (found["warping_error"], found["splits"]) == (wanted.value, wanted.pixels.split)


def test_only_label_volumes_of_which_nothing_is_said_mix_sections_and_objects():
    for shown, volumetric, mixed in ((LABELS, None, True), (LABELS, False, False), (LABELS[:1], None, False)):
        options = EvaluationOptions(volumetric=volumetric, metrics=("dice",))
        assert evaluate_arrays(shown, shown, options).mixed == mixed


def test_what_has_to_be_asked_for():
    prediction = np.clip((LABELS > 0) * 0.3 + RNG.random(LABELS.shape) * 0.7, 0, 1).astype(np.float32)
    reference = LABELS > 0
    betti, lines = betti_error(prediction, reference), cl_dice(prediction, reference)
    found = scores(prediction, reference, metrics=ON_REQUEST)
    assert tuple(found) == ON_REQUEST
    assert tuple(found.values()) == (betti.components, betti.holes, betti.cavities, lines.value)
    options = EvaluationOptions(metrics=ON_REQUEST)
    parts = [evaluate_arrays(p, r, options) for p, r in zip(prediction, reference, strict=True)]
    assert scores_of(parts, options).values == pytest.approx(found)
    nothing = evaluate_arrays(reference & False, reference & False, options)
    assert scores_of([nothing, *parts], options).undefined == {"cl_dice": 1}
    volume = scores(LABELS, np.roll(LABELS, 1, 0), metrics=ON_REQUEST)  # two label volumes: one volume
    assert volume["betti_0_error"] == betti_error(LABELS, np.roll(LABELS, 1, 0), volumetric=True).components


def test_identity_is_perfect_for_every_kind():
    best = {
        name: 1 if name in {"rand_standard_f", "v_rand", "ap50", "ap50_95", "pq", "dice", "iou"} else 0
        for name in METRICS
    }
    del best["v_info"]
    mask = np.zeros((2, 30, 30), np.uint8)
    mask[:, 2:14, 2:28] = mask[:, 16:28, 2:28] = 255
    for prediction in (mask, mask.astype(np.float32) / 255, mask * (np.arange(30)[:, None] // 15 + 1)):
        found = scores(prediction, mask if prediction.dtype != np.int64 else prediction)
        assert found.pop("v_info") == pytest.approx(1)
        assert found == pytest.approx(best)
    found = scores(LABELS, LABELS)
    assert found.pop("v_info") == pytest.approx(1)
    assert found == pytest.approx(best)


def test_images_join_to_one_stack():
    prediction = np.clip((LABELS > 0) * 0.3 + RNG.random(LABELS.shape) * 0.7, 0, 1).astype(np.float32)
    reference = LABELS > 0
    options = EvaluationOptions()
    parts = [evaluate_arrays(p, r, options) for p, r in zip(prediction, reference, strict=True)]
    assert scores_of(parts, options).values == pytest.approx(scores(prediction, reference))
    mixed = [*parts[:2], evaluate_arrays(reference[2], reference[2], options)]
    assert scores_of(mixed, options).values["pixel_error"] < scores_of(parts, options).values["pixel_error"]


def test_one_threshold_for_everything():
    prediction = np.clip((LABELS > 0) * 0.3 + RNG.random(LABELS.shape) * 0.7, 0, 1).astype(np.float32)
    metrics = METRICS[4:]  # warping goes by the order of grey values, which a mask has not
    found = scores(prediction, LABELS > 0, threshold=0.62, metrics=metrics)
    mask = scores(prediction > np.float64(0.62), LABELS > 0, metrics=metrics)
    assert found == pytest.approx(mask)
    warping = evaluate_arrays(prediction, LABELS > 0, EvaluationOptions(threshold=0.62)).warping
    assert len(warping) == 1


def test_thin_borders_changes_the_segments():
    mask = np.zeros((1, 30, 30), bool)
    mask[0, 4:13, 4:26] = mask[0, 17:26, 4:26] = True
    eroded = np.zeros_like(mask)
    eroded[0, 7:10, 7:23] = eroded[0, 20:23, 7:23] = True
    plain, thin = (scores(eroded, mask, thin_borders=t, metrics=("vi_split", "v_rand")) for t in (False, True))
    assert plain["vi_split"] > 1
    assert thin["vi_split"] == pytest.approx(0)
    assert plain["v_rand"] == thin["v_rand"]


def test_a_grey_reference_is_cut_at_0_for_borders_and_with_the_prediction_for_segments():
    reference = np.zeros((1, 12, 25), np.float32)
    reference[0, 1:11, 1:12] = reference[0, 1:11, 13:24] = 0.3
    mask = reference > 0
    kinds = {"prediction_kind": "binary", "reference_kind": "probability"}
    found = scores(mask, reference, **kinds)
    assert (found["pixel_error"], found["warping_error_classic"], found["dice"]) == (0, 0, 1)
    grey = mask * np.float32(0.9)
    low, high = (scores(grey, reference, threshold=t, reference_kind="probability") for t in (0.2, 0.4))
    assert (low["pixel_error"], low["ap50"], low["v_rand"]) == (0, 1, 1)
    assert (high["pixel_error"], high["ap50"]) == (0, 0)
    assert np.isnan(high["v_rand"])


def test_undefined_scores_are_counted():
    empty = np.zeros((3, 20, 20), bool)
    empty[0, 2:18, 2:18] = True
    options = EvaluationOptions()
    result = scores_of([evaluate_arrays(empty, empty, options)], options)
    assert result.undefined == dict.fromkeys(["v_rand", "v_info", "vi_split", "vi_merge", "ap50", "ap50_95", "pq"], 2)
    assert result.single_segment == 1
    nothing = scores_of([evaluate_arrays(empty[1:], empty[1:], options)], options)
    none = {name for name, value in nothing.as_json().items() if value is None}
    assert none == {*result.undefined, "dice", "iou"}
    assert nothing.undefined["dice"] == 1


def test_label_volumes_are_compared_by_their_ids():
    moved = np.roll(LABELS, 1, axis=0)
    volume = scores(moved, LABELS, metrics=("ap50", "vi_split", "rand_error_2012"))
    sections = scores(moved, LABELS, metrics=("ap50", "vi_split", "rand_error_2012"), volumetric=False)
    assert volume != sections


@pytest.mark.parametrize(
    ("options", "message"), [({"metrics": ("ap50", "nonsense")}, "nonsense; choose"), ({"threshold": 1.5}, "0 and 1")]
)
def test_refuses(options, message):
    with pytest.raises(InputError, match=message):
        EvaluationOptions(**options)


def test_one_pixel_and_other_shapes():
    one = np.ones((1, 1), bool)
    assert scores(one, one)["pixel_error"] == 0
    with pytest.raises(InputError, match=r"\(1, 1\).*\(2, 2\)"):
        scores(one, np.ones((2, 2), bool))


def test_a_side_that_is_called_labels_is_labels_for_the_warping_error_too():
    labels = np.zeros((30, 30), np.uint8)
    labels[4:16, 4:15], labels[4:16, 15:26], labels[20:26, 4:15] = 1, 2, 1
    alone = np.where(labels == 2, 0, labels)  # one id, two pieces
    found = scores(labels, alone, reference_kind="labels", metrics=("splits", "mergers"))
    assert found == {"splits": 0, "mergers": 0}
