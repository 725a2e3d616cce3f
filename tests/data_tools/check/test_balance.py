"""Shares of classes and objects, on both sides of each limit."""

from collections import Counter

import pytest

from data_tools.check.balance import check_balance
from data_tools.layout import Description

INSTANCES, CLASSES = Description(), Description(label_kind="classes", classes={"0": "air", "1": "liver", "2": "spleen"})


def found(description, pixels, objects=None):
    findings = check_balance(description, {part: Counter(n) for part, n in pixels.items()}, objects or {})
    return [(f.level, f.code) for f in findings]


@pytest.mark.parametrize(
    ("cells", "wrong"), [(0, None), (999, True), (1000, False), (999_000, False), (999_001, True), (1_000_000, True)]
)
def test_hardly_any_or_nothing_but_objects(cells, wrong):
    expected = [("error", "no_objects")] if wrong is None else [("warning", "foreground_fraction")] * wrong
    assert found(INSTANCES, {"training": {0: 1_000_000 - cells, 1: cells}}, {"training": 5}) == expected


def test_a_subset_without_objects():
    pixels = {"training": {0: 60, 1: 40}, "validation": {0: 100}}
    assert found(INSTANCES, pixels, {"training": 3, "validation": 0}) == [("warning", "subset_without_objects")]


def test_classes_that_are_rare_or_missing_in_a_subset():
    training = {0: 900_000, 1: 99_990, 2: 10}  # of a million
    assert found(CLASSES, {"training": training}) == []
    assert found(CLASSES, {"training": training | {1: 99_991, 2: 9}}) == [("warning", "class_rare")]
    pixels = {"training": training, "validation": {0: 50, 1: 50}}
    (finding,) = check_balance(CLASSES, {part: Counter(n) for part, n in pixels.items()}, {})
    assert (finding.level, finding.code) == ("warning", "class_missing")
    assert finding.message.startswith("class 2 (spleen) does not occur in validation")
