import torch
from monai.apps.detection.utils.box_coder import BoxCoder

from medseg.networks.mask_rcnn.proposals import select_proposals
from medseg.networks.mask_rcnn.settings import ProposalSettings

CODER = BoxCoder((1.0,) * 4)
FINE = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [50, 0, 60, 10]])
COARSE = torch.tensor([[0.0, 0, 10, 10], [36, 20, 50, 30]])
LOGITS = (torch.tensor([[1.0, 2, -3, 9]]), torch.tensor([[0.0, 3]]))


def proposals(training=False, **settings):
    """Of one image of 40 x 40 pixels, anchors as they are: zero deltas."""
    deltas = [torch.zeros(1, len(anchors), 4) for anchors in (FINE, COARSE)]
    chosen = ProposalSettings(**settings)
    (boxes,) = select_proposals(LOGITS, deltas, (FINE, COARSE), [(40, 40)], CODER, chosen, training)
    return boxes.tolist()


def test_best_first_clipped_and_suppressed_within_a_level():
    # the first of the fine ones lies under the second, the fourth outside; the same box of the other level stays
    assert proposals() == [[36, 20, 40, 30], [0, 0, 10, 9], [0, 0, 10, 10], [20, 20, 30, 30]]
    assert len(proposals(nms_threshold=1.0)) == 5


def test_short_sides():
    assert proposals(min_side=4) == proposals()  # one is 4 wide, no shorter
    assert proposals(min_side=4.5) == [[0, 0, 10, 9], [0, 0, 10, 10], [20, 20, 30, 30]]


def test_numbers_of_training_and_of_evaluation():
    one_each = [[36, 20, 40, 30]]  # the best fine one lies outside
    assert proposals(per_level=1) == proposals(training=True, per_level_training=1) == one_each
    assert proposals(per_image=2) == proposals(training=True, per_image_training=2) == proposals()[:2]
    assert proposals(training=True, per_level=1, per_image=1) == proposals(per_level_training=1, per_image_training=1)
    assert len(proposals(training=True, per_level=1, per_image=1)) == 4
