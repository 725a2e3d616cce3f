import itertools

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medseg.inferers import merge_detections as module
from medseg.inferers.merge_detections import merge_detections

TILES = [((0, 32), (0, 64)), ((0, 32), (32, 96))]  # share columns 32 to 64; the seam is column 48
SHAPE = (32, 96)


def found(*rows):
    """Detections of one tile from (y0, x0, y1, x1, score)."""
    rows = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
    return {
        "boxes": rows[:, :4],
        "labels": torch.ones(len(rows), dtype=torch.int64),
        "scores": rows[:, 4],
        "box_masks": torch.ones(len(rows), 8, 8),
    }


def merged(left, right, **more):
    result = merge_detections([left, right], TILES, SHAPE, **more)
    return [
        [*box, round(score, 2)] for box, score in zip(result["boxes"].tolist(), result["scores"].tolist(), strict=True)
    ]


def test_each_side_of_the_seam_belongs_to_its_tile():
    left = found((0, 10, 9, 20, 0.9), (0, 58, 9, 62, 0.8))
    right = found((0, 2, 9, 6, 0.7), (0, 50, 9, 60, 0.6))
    assert merged(left, right) == [[0, 10, 9, 20, 0.9], [0, 82, 9, 92, 0.6]]


def test_one_of_two_that_see_the_same_the_better():
    # column 47 in one tile, 49 in the other: neither tile may drop it, and only one keeps it
    left, right = found((4, 42, 14, 54, 0.6)), found((4, 11, 14, 23, 0.9))
    assert merged(left, right) == [[4, 43, 14, 55, 0.9]]
    assert merged(found((4, 44, 14, 56, 0.6)), found((4, 9, 14, 21, 0.9))) == [[4, 41, 14, 53, 0.9]]


def test_a_fragment_goes_though_it_scores_better():
    whole, fragment = found((4, 20, 14, 64, 0.5)), found((4, 0, 14, 40, 0.9))
    # the left one ends at its tile's border, the right one starts at its own: both are cut, the score decides
    assert merged(whole, fragment) == [[4, 32, 14, 72, 0.9]]
    whole = found((0, 34, 20, 60, 0.5))
    assert merged(whole, found((4, 0, 10, 20, 0.9))) == [[0, 34, 20, 60, 0.5]]


def test_a_fragment_goes_whatever_side_of_the_image_the_whole_one_touches():
    """Of the image, not of the tile: there the whole one is not cut."""
    for y0 in (0, 12):
        whole, fragment = found((y0, 34, y0 + 20, 60, 0.5)), found((y0 + 4, 0, y0 + 16, 20, 0.9))
        assert merged(whole, fragment) == [[y0, 34, y0 + 20, 60, 0.5]]


def test_a_tile_in_the_middle_cuts_at_both_its_borders():
    boxes = torch.tensor([[0.0, 0.5, 9, 30], [0, 1, 9, 63], [0, 30, 9, 63.5], [0, 30, 32, 40]])
    middle, shape = ((0, 32), (32, 96)), (32, 128)  # 64 columns that go on at both sides; all rows
    assert module._touches_inner_border(boxes, middle, shape).tolist() == [True, False, True, False]


def test_cells_whose_boxes_overlap_but_not_their_masks():
    left, right = found((4, 34, 14, 50, 0.6)), found((4, 4, 14, 20, 0.9))
    assert len(merged(left, right)) == 1
    left["box_masks"][..., 3:], right["box_masks"][..., :5] = 0, 0
    assert len(merged(left, right)) == 2


def test_a_double_within_a_tile_is_the_detectors_business():
    left = found((4, 10, 14, 20, 0.9), (4, 10, 14, 20, 0.8))
    assert len(merged(left, found())) == 2


def test_other_classes_do_not_suppress():
    left, right = found((4, 42, 14, 54, 0.6)), found((4, 10, 14, 22, 0.9))
    right["labels"] += 1
    assert len(merged(left, right)) == 2


def test_the_threshold():
    left, right = found((4, 40, 14, 50, 0.6)), found((4, 11, 14, 21, 0.9))  # IoU 7 / 13
    assert len(merged(left, right, threshold=0.5)) == 1
    assert len(merged(left, right, threshold=0.6)) == 2


def test_nothing_found():
    assert merged(found(), found()) == []


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.sampled_from([2, 3]), st.sampled_from([2.0, 20.0, 200.0]))
def test_pairs_that_meet_are_those_of_all_pairs(seed, count, dims, largest):
    random = np.random.default_rng(seed)
    low = random.integers(0, 60, (count, dims)) / 2  # halves: many that only touch
    boxes = torch.from_numpy(np.hstack([low, low + random.integers(0, largest + 1, (count, dims)) / 2])).float()
    if count:
        boxes[0, 0] = float("nan")
    labels, tile = (torch.from_numpy(random.integers(0, 3, count)) for _ in range(2))
    expected = [
        [i, j]
        for i, j in itertools.combinations(range(count), 2)
        if labels[i] == labels[j]
        and tile[i] != tile[j]
        and (boxes[i, :dims] < boxes[j, dims:]).all()
        and (boxes[i, dims:] > boxes[j, :dims]).all()
    ]
    assert module._meeting_pairs(boxes, labels, tile).tolist() == expected
