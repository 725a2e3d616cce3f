"""What became of each object, against the definition object by object."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medseg.errors import InputError
from medseg.kernels.contingency import contingency_table
from medseg.metrics import average_precision
from medseg.metrics.object_outcomes import OUTCOMES, object_outcomes


def outcomes_of(reference, prediction, iou_threshold=0.5):
    return object_outcomes(contingency_table(reference, prediction), iou_threshold)


def by_definition(reference, prediction):
    """Outcome of each object at an IoU above one half, where matches need no choice."""

    def ids(image):
        return [int(i) for i in np.unique(image) if i]

    def iou(r, p):
        a, b = reference == r, prediction == p
        return (a & b).sum() / (a | b).sum()

    def most_of(inner, outer):
        return 2 * (inner & outer).sum() > inner.sum()

    held = {p: [r for r in ids(reference) if most_of(reference == r, prediction == p)] for p in ids(prediction)}
    pieces = {r: [p for p in ids(prediction) if most_of(prediction == p, reference == r)] for r in ids(reference)}
    expected = {}
    for r in ids(reference):
        if any(iou(r, p) > 0.5 for p in ids(prediction)):
            expected["reference", r] = "matched"
        elif any(r in held[p] and len(held[p]) > 1 for p in ids(prediction)):
            expected["reference", r] = "merged"
        else:
            expected["reference", r] = "split" if len(pieces[r]) > 1 else "missed"
    for p in ids(prediction):
        if any(iou(r, p) > 0.5 for r in ids(reference)):
            continue
        piece = any(p in pieces[r] and len(pieces[r]) > 1 for r in ids(reference))
        expected["prediction", p] = "merger" if len(held[p]) > 1 else "piece" if piece else "extra"
    return expected


@given(seed=st.integers(0, 2**32 - 1), ids=st.integers(1, 5), width=st.integers(2, 14))
@settings(max_examples=150)
def test_equals_the_definition(seed, ids, width):
    rng = np.random.default_rng(seed)
    reference, prediction = np.sort(rng.integers(0, ids + 1, (2, 3, width)), axis=-1) * 7
    found = outcomes_of(reference, prediction, iou_threshold=0.5 + 1e-9)
    got = {}
    for o in found:
        of_reference = o.outcome in OUTCOMES[:4]
        got["reference" if of_reference else "prediction", o.reference_id if of_reference else o.prediction_id] = (
            o.outcome
        )
        a, b = reference == o.reference_id, prediction == o.prediction_id
        if o.reference_id and o.prediction_id:
            assert o.iou == pytest.approx((a & b).sum() / (a | b).sum())
        else:
            assert o.iou == 0
        assert o.reference_size == (a.sum() if o.reference_id else 0)
        assert o.prediction_size == (b.sum() if o.prediction_id else 0)
    assert len(got) == len(found)
    assert got == by_definition(reference, prediction)


def test_counts_are_those_of_average_precision():
    rng = np.random.default_rng(3)
    reference, prediction = rng.integers(0, 30, (2, 12, 12)).repeat(3, 1)
    prediction[:, :20] = reference[:, :20]
    counts = Counter(o.outcome for o in outcomes_of(reference, prediction))
    score = average_precision(prediction, reference, prediction_kind="labels", reference_kind="labels").scores[0]
    assert counts["matched"] == score.counts.tp > 0
    assert counts["merged"] + counts["split"] + counts["missed"] == score.counts.fn
    assert counts["merger"] + counts["piece"] + counts["extra"] == score.counts.fp


def test_each_outcome_by_hand():
    reference = np.array([[1] * 6 + [0] + [2] * 6 + [0] + [3] * 8 + [0] + [4] * 4 + [0] + [0] * 4])
    prediction = np.array([[9] * 13 + [0] + [5] * 3 + [0] * 2 + [6] * 3 + [0] + [7] + [0] * 4 + [8] * 4])
    rows = [(o.outcome, o.reference_id, o.prediction_id, round(o.iou, 3)) for o in outcomes_of(reference, prediction)]
    assert rows == [
        ("merged", 1, 9, 0.462),
        ("merged", 2, 9, 0.462),
        ("split", 3, 5, 0.375),
        ("missed", 4, 7, 0.25),
        ("piece", 3, 5, 0.375),
        ("piece", 3, 6, 0.375),
        ("extra", 4, 7, 0.25),
        ("extra", 0, 8, 0.0),
        ("merger", 1, 9, 0.462),
    ]


def test_nothing_on_either_side():
    empty, full = np.zeros((2, 3), int), np.ones((2, 3), int)
    assert outcomes_of(empty, empty) == ()
    assert [o.outcome for o in outcomes_of(full, empty)] == ["missed"]
    assert [o.outcome for o in outcomes_of(empty, full)] == ["extra"]


def test_an_iou_threshold_that_cannot_be_used():
    with pytest.raises(InputError, match="iou_threshold"):
        outcomes_of(np.ones((2, 2), int), np.ones((2, 2), int), 0)
