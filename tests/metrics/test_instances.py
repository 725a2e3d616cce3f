"""Object measures against dense matrices, brute force, and drawings whose answer can be counted."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medseg.errors import InputError
from medseg.kernels.contingency import contingency_table
from medseg.metrics.instances import (
    AP_IOU_THRESHOLDS,
    aggregated_jaccard_index,
    aggregated_jaccard_of,
    average_precision,
    average_precision_of,
    f1_score,
    panoptic_quality,
    panoptic_quality_of,
)
from medseg.metrics.matching import match_objects, object_overlap

SMALL = arrays(np.uint16, (5, 6), elements=st.integers(0, 4))
LABELS = {"prediction_kind": "labels", "reference_kind": "labels"}


def dense_iou(prediction, reference):
    """IoU of all pairs of ids but 0, one pair at a time."""
    rows, columns = (np.unique(image[image > 0]) for image in (reference, prediction))
    matrix = np.zeros((rows.size, columns.size))
    for i, j in np.ndindex(matrix.shape):
        a, b = reference == rows[i], prediction == columns[j]
        matrix[i, j] = (a & b).sum() / (a | b).sum()
    return matrix


def best_assignment(matrix, threshold):
    """Most matches at `threshold`, then largest IoU sum, by trying every assignment."""
    if matrix.size == 0:
        return 0, 0.0
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    rows = range(matrix.shape[0])
    found = []
    for columns in permutations(range(matrix.shape[1]), len(rows)):
        ious = [matrix[r, c] for r, c in zip(rows, columns, strict=True) if matrix[r, c] >= threshold]
        found.append((len(ious), sum(ious)))
    return max(found)


@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.5, 0.75])
@settings(max_examples=40)
@given(prediction=SMALL, reference=SMALL)
def test_matching_is_optimal(threshold, prediction, reference):
    matrix = dense_iou(prediction, reference)
    overlap = object_overlap(contingency_table(reference, prediction))
    sparse = np.zeros_like(matrix)
    sparse[overlap.reference, overlap.prediction] = overlap.iou
    np.testing.assert_array_equal(sparse, matrix)
    matches = match_objects(overlap, threshold)
    number, iou_sum = best_assignment(matrix, threshold)
    assert (matches.iou.size, matches.iou.sum()) == (number, pytest.approx(iou_sum))
    assert np.unique(matches.reference).size == np.unique(matches.prediction).size == number
    np.testing.assert_array_equal(matches.iou, matrix[matches.reference, matches.prediction])


@settings(max_examples=60)
@given(SMALL, SMALL)
def test_scores_follow_from_the_dense_matrix(prediction, reference):
    matrix = dense_iou(prediction, reference)
    objects = sum(matrix.shape)
    precisions = average_precision(prediction, reference, **LABELS)
    quality = panoptic_quality(prediction, reference, **LABELS)
    if objects == 0:
        assert np.isnan([precisions.value, quality.value]).all()
        assert precisions.undefined == quality.undefined == 1
        return
    for score in precisions.scores:
        tp = best_assignment(matrix, score.iou_threshold)[0]
        assert score.average_precision == tp / (objects - tp)
        assert score.f1 == 2 * tp / objects
    assert precisions.value == pytest.approx(np.mean([s.average_precision for s in precisions.scores]))
    above = matrix[matrix > 0.5]
    assert quality.value == pytest.approx(above.sum() / (objects / 2))
    if above.size:
        assert quality.value == pytest.approx(quality.segmentation_quality * quality.recognition_quality)


@settings(max_examples=60)
@given(SMALL, SMALL)
def test_aggregated_jaccard_follows_its_published_loop(prediction, reference):
    result = aggregated_jaccard_index(prediction, reference, **LABELS)
    matrix, used, intersection, union = dense_iou(prediction, reference), set(), 0, 0
    predicted = np.unique(prediction[prediction > 0])
    for i, r in enumerate(np.unique(reference[reference > 0])):
        mask = reference == r
        if matrix.shape[1] and matrix[i].max() > 0:
            best = int(matrix[i].argmax())
            used.add(best)
            intersection += (mask & (prediction == predicted[best])).sum()
            union += (mask | (prediction == predicted[best])).sum()
        else:
            union += mask.sum()
    union += sum((prediction == p).sum() for j, p in enumerate(predicted) if j not in used)
    assert (result.intersection, result.union) == (intersection, union)
    assert np.isnan(result.value) == (union == 0)


@settings(max_examples=30)
@given(SMALL, st.permutations([1, 2, 3, 4]))
def test_identity_relabelling_and_flips(labels, new):
    if not labels.any():
        return
    relabelled = np.array([0, *new])[labels] * 1000
    assert average_precision(relabelled, labels, **LABELS).value == 1
    assert panoptic_quality(relabelled[::-1], labels[::-1], **LABELS).value == 1
    assert aggregated_jaccard_index(relabelled.T, labels.T, **LABELS).value == 1


def test_two_exact_halves_are_one_match():
    reference, halves = np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]])
    score = f1_score(halves, reference, **LABELS)
    assert (score.counts.tp, score.counts.fp, score.counts.fn) == (1, 1, 0)
    assert f1_score(reference, halves, **LABELS).counts.tp == 1
    assert panoptic_quality(halves, reference, **LABELS).value == 0  # it wants more than one half


def test_an_iou_on_the_threshold_matches():
    reference, prediction = np.zeros((2, 1, 20), int)
    reference[:], prediction[:, :11] = 1, 1
    scores = average_precision(prediction, reference, **LABELS).scores
    assert [s.counts.tp for s in scores] == [1, 1] + [0] * 8
    assert tuple(np.round(np.arange(0.5, 1, 0.05), 2)) == AP_IOU_THRESHOLDS


def test_objects_of_masks_are_components_per_section():
    mask = np.zeros((2, 4, 9), np.uint8)
    mask[:, 1:3, 1:3] = mask[:, 1:3, 5:8] = 255
    result = average_precision(mask, mask)
    assert (result.scores[0].counts.tp, result.units) == (4, 2)
    assert average_precision(mask, mask, volumetric=True).scores[0].counts.tp == 2
    probability = mask.astype(np.float32) / 255 * np.float32(0.6)
    assert average_precision(probability, mask).value == 1
    assert average_precision(probability, mask, threshold=0.7).value == 0


def test_units_pool_their_objects():
    one, none, long, short = np.array([[[1, 0, 2, 0]], [[0] * 4], [[1] * 4], [[1, 1, 1, 0]]])
    pairs = ((one, one), (one, none), (none, none), (long, short))
    tables = [contingency_table(reference, prediction) for reference, prediction in pairs]
    result = average_precision_of(tables, (0.5,))
    assert (result.value, result.units, result.undefined) == (3 / 5, 4, 1)
    quality, jaccard = panoptic_quality_of(tables), aggregated_jaccard_of(tables)
    assert (quality.value, quality.segmentation_quality) == (2.75 / 4, 2.75 / 3)
    assert (quality.recognition_quality, quality.iou_sum) == (3 / 4, 2.75)
    assert (jaccard.value, jaccard.intersection, jaccard.union) == (5 / 8, 5, 8)
    assert (quality.units, quality.undefined) == (jaccard.units, jaccard.undefined) == (4, 1)


def test_refuses_thresholds_that_mean_nothing():
    for beyond in (0, 1.5):
        with pytest.raises(InputError, match=f"iou_threshold: {beyond}"):
            f1_score(np.array([[1, 2]]), np.array([[1, 2]]), iou_threshold=beyond)


@pytest.mark.parametrize("threshold", [None, (0.1, 0.5), 5, float("nan")])
@pytest.mark.parametrize("measure", [average_precision, f1_score, panoptic_quality, aggregated_jaccard_index])
def test_one_level_only(measure, threshold):
    with pytest.raises(InputError, match="threshold"):
        measure(np.full((4, 4), 0.7), np.ones((4, 4), bool), threshold=threshold)
