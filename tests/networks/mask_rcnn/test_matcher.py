import sys

import pytest
import torch

from medseg.networks.mask_rcnn.box_iou import box_iou
from medseg.networks.mask_rcnn.matcher import match_boxes, match_iou


def test_torchvisions_matches(parts):
    iou = torch.from_numpy(parts.arrays["matcher_iou"])
    for name, thresholds in (("rpn", (0.7, 0.3, True)), ("box", (0.5, 0.5, False)), ("rpn_no_low_quality", (0.7, 0.3))):
        assert match_iou(iou, *thresholds).tolist() == parts.arrays[f"matcher_{name}"].tolist(), name


def test_without_objects_all_is_background():
    boxes = torch.tensor([[0.0, 0, 4, 4]] * 3)
    assert match_boxes(torch.zeros(0, 4), boxes, 0.7, 0.3, True).tolist() == [-1] * 3


def test_thresholds_count_as_reached():
    assert match_iou(torch.tensor([[0.75, 0.7499, 0.25, 0.2499]]), 0.75, 0.25).tolist() == [0, -2, -2, -1]


def test_a_tiny_object_keeps_its_best_box():
    boxes = torch.tensor([[0.0, 0, 32, 32], [10, 10, 42, 42], [100, 100, 132, 132]])
    pixel = torch.tensor([[20.0, 20, 21, 21]])
    assert match_boxes(pixel, boxes, 0.7, 0.3, True).tolist() == [0, 0, -1]


def test_an_object_that_no_box_overlaps_has_no_best_box(monkeypatch):
    boxes = torch.tensor([[0.0, 0, 8, 8], [8, 0, 16, 8], [0, 8, 8, 16]])
    objects = torch.tensor([[0.0, 0, 8, 8], [40, 40, 44, 44]])
    assert match_boxes(objects, boxes, 0.7, 0.3, True).tolist() == [0, -1, -1]
    monkeypatch.setattr(sys.modules["medseg.networks.mask_rcnn.matcher"], "_MOST_PAIRS", 2)
    assert match_boxes(objects, boxes, 0.7, 0.3, True).tolist() == [0, -1, -1]


@pytest.mark.parametrize("low_quality", [False, True])
def test_in_parts_as_in_one(monkeypatch, low_quality):
    torch.manual_seed(0)
    low = torch.randint(0, 30, (200, 2)).float()
    boxes = torch.cat([low, low + torch.randint(1, 12, (200, 2))], 1)
    objects = boxes[::9] + 1
    whole = match_iou(box_iou(objects, boxes), 0.6, 0.3, low_quality)
    monkeypatch.setattr(sys.modules["medseg.networks.mask_rcnn.matcher"], "_MOST_PAIRS", 500)
    assert torch.equal(match_boxes(objects, boxes, 0.6, 0.3, low_quality), whole)
