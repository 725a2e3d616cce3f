import warnings

import pytest
import torch
from monai.apps.detection.utils.box_coder import BoxCoder

from medseg.errors import InputWarning
from medseg.networks.mask_rcnn.detections import select_detections
from medseg.networks.mask_rcnn.settings import DetectionSettings

CODER = BoxCoder((10.0, 10, 5, 5))
PROPOSALS = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [30, 30, 50, 70], [60, 5, 60, 5]])


def run(probability, **settings):
    logits = torch.tensor(probability).log()
    return select_detections(logits, torch.zeros(4, 12), PROPOSALS, (40, 60), CODER, DetectionSettings(**settings))


def test_suppressed_by_class_clipped_and_sorted():
    found = run([[0.1, 0.5, 0.4], [0.2, 0.6, 0.2], [0.97, 0.02, 0.01], [0.0, 1.0, 0.0]], score_threshold=0.3)
    assert found["labels"].tolist() == [1, 2]
    assert found["boxes"].tolist() == [[0, 0, 10, 9], [0, 0, 10, 10]]
    torch.testing.assert_close(found["scores"], torch.tensor([0.6, 0.4]))
    found = run([[0.1, 0.9, 0], [0.9, 0.1, 0], [0.2, 0.8, 0], [1.0, 0, 0]], score_threshold=0.3)
    assert found["boxes"].tolist() == [[0, 0, 10, 10], [30, 30, 40, 60]]


def test_limit():
    with pytest.warns(InputWarning, match="6 objects score above 0.05 .* the best 2 are kept"):
        found = run([[0.4, 0.3, 0.3]] * 4, per_image=2, nms_threshold=1.0)
    assert len(found["boxes"]) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error", InputWarning)
        assert len(run([[0.4, 0.3, 0.3]] * 4, per_image=6, nms_threshold=1.0)["boxes"]) == 6
    assert run([[0, 1.0, 0]] * 4, score_threshold=1.0)["boxes"].shape == (0, 4)  # above, not at
    assert run([[1.0, 0, 0]] * 4)["boxes"].shape == (0, 4)


def test_sure_detections_keep_their_order_in_half_precision():
    logits = torch.tensor([[-7.0, 0, -20], [-8.0, 0, -20], [-9.0, 0, -20], [0, -20, -20]]).bfloat16()
    found = select_detections(
        logits, torch.zeros(4, 12), PROPOSALS, (40, 60), CODER, DetectionSettings(nms_threshold=1.0)
    )
    assert found["boxes"].tolist() == [[30, 30, 40, 60], [0, 0, 10, 9], [0, 0, 10, 10]]
    assert (found["scores"].diff() < 0).all()


def test_boxes_are_decoded_in_single_precision():
    deltas = torch.linspace(-1, 1, 48).view(4, 12).bfloat16()
    half, single = (
        select_detections(torch.zeros(4, 3), d, PROPOSALS, (40, 60), CODER, DetectionSettings(nms_threshold=1.0))
        for d in (deltas, deltas.float())
    )
    assert torch.equal(half["boxes"], single["boxes"])
