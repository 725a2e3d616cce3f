import json

import numpy as np
import pytest
import torch

from medseg.networks.mask_rcnn.nms import batched_nms, nms


def test_torchvisions_choices(arch_oracle):
    stored = np.load(arch_oracle / "ops_nms.npz")
    cases = json.loads(str(stored["meta"]))["cases"]
    assert len(cases) == 12
    for case in cases:
        boxes, scores = (torch.from_numpy(stored[f"{case['inputs_of']}_{k}"]) for k in ("boxes", "scores"))
        kept = nms(boxes, scores, case["iou_threshold"])
        assert kept.tolist() == stored[f"{case['name']}_keep"].tolist(), case["name"]
        turned = nms(boxes[:, [1, 0, 3, 2]], scores, case["iou_threshold"])
        assert torch.equal(kept, turned)


def test_torchvisions_choices_by_class(arch_oracle):
    stored = np.load(arch_oracle / "ops_batched_nms.npz")
    for case in json.loads(str(stored["meta"]))["cases"]:
        given = (torch.from_numpy(stored[f"{case['name']}_{k}"]) for k in ("boxes", "scores", "idxs"))
        kept = batched_nms(*given, case["iou_threshold"])
        assert kept.tolist() == stored[f"{case['name']}_keep"].tolist()


def test_no_boxes():
    assert nms(torch.zeros(0, 6), torch.zeros(0), 0.5).tolist() == []


@pytest.mark.parametrize(
    ("boxes", "scores", "groups", "threshold", "message"),
    [
        ([[0.0, 0, 1]], [1.0], None, 0.5, "boxes"),
        ([[0.0, 0, 1, 1]], [1.0, 2], None, 0.5, "scores"),
        ([[0.0, 0, 1, float("nan")]], [1.0], None, 0.5, "finite"),
        ([[0.0, 0, 1, float("inf")]], [1.0], None, 0.5, "finite"),
        ([[0.0, 2, 1, 1]], [1.0], None, 0.5, "low corner"),
        ([[0.0, 0, 1, 1]], [float("nan")], None, 0.5, "NaN"),
        ([[0.0, 0, 1, 1]], [1.0], [1, 2], 0.5, "groups"),
        ([[0.0, 0, 1, 1]], [1.0], None, 1.5, "threshold"),
    ],
)
def test_refuses(boxes, scores, groups, threshold, message):
    groups = None if groups is None else torch.tensor(groups)
    with pytest.raises(ValueError, match=message):
        batched_nms(torch.tensor(boxes), torch.tensor(scores), groups, threshold)
