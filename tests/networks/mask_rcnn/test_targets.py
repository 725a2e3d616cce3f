import pytest
import torch

from medseg.networks.mask_rcnn.targets import check_targets

LIKE = torch.zeros(())


def target(**changes):
    boxes = torch.tensor([[0, 0, 4, 4], [2, 2, 2, 5], [7, 7, 8, 8]])
    return {
        "boxes": boxes,
        "labels": torch.tensor([1, 1, 2]),
        "instances": torch.zeros(8, 8, dtype=torch.int16),
    } | changes


def test_boxes_without_extent_are_dropped_and_ids_stay():
    (found,) = check_targets([target()], [(8, 8)], 3, True, LIKE)
    assert found.boxes.tolist() == [[0, 0, 4, 4], [7, 7, 8, 8]]
    assert found.labels.tolist() == [1, 2]
    assert found.ids.tolist() == [1, 3]
    masks = torch.arange(3)[:, None, None].expand(3, 8, 8)
    (found,) = check_targets([target(masks=masks)], [(8, 8)], 3, True, LIKE)
    assert found.masks[:, 0, 0].tolist() == [0, 2]


def test_no_object():
    empty = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0), "masks": torch.zeros(0, 8, 8)}
    (found,) = check_targets([empty], [(8, 8)], 2, True, LIKE)
    assert found.boxes.shape == (0, 4)
    assert found.labels.dtype == torch.int64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": torch.tensor([1, 1])}, "3 boxes but labels"),
        ({"labels": torch.tensor([0, 1, 1])}, "labels from 0"),
        ({"labels": torch.tensor([1, 1, 3])}, "objects have 1 to 2"),
        ({"boxes": torch.tensor([[0, 0, 4, 4.0], [1, 1, 2, float("nan")], [0, 0, 1, 1]])}, "finite"),
        ({"boxes": torch.tensor([[4, 0, 0, 4.0], [1, 1, 2, 2], [0, 0, 1, 1]])}, "low corner"),
        ({"masks": torch.zeros(3, 8, 9)}, "masks of shape"),
        ({"instances": torch.zeros(8, 9, dtype=torch.int32)}, "instances"),
        ({"instances": torch.zeros(8, 8)}, "integer"),
        ({"instances": torch.full((8, 8), 7)}, r"the id 7, but there are 3 boxes"),
        ({"boxes": torch.tensor([[0, 0, 4, 4], [1, 1, 2, 2], [2, 8, 3, 9]])}, r"\[2.0, 8.0, 3.0, 9.0\] lies outside"),
        ({"boxes": torch.tensor([[0, 0, 4, 4], [1, 1, 2, 2], [-3, 2, 0, 9]])}, "lies outside"),
    ],
)
def test_refuses(changes, message):
    with pytest.raises(ValueError, match="target 0.*" + message):
        check_targets([target(**changes)], [(8, 8)], 3, True, LIKE)


def test_refuses_missing_targets():
    with pytest.raises(ValueError, match="targets: none"):
        check_targets(None, [(8, 8)], 3, True, LIKE)
    with pytest.raises(ValueError, match="2 images, targets: 1"):
        check_targets([target()], [(8, 8)] * 2, 3, True, LIKE)
    without = target()
    del without["instances"]
    with pytest.raises(ValueError, match="masks or instances"):
        check_targets([without], [(8, 8)], 3, True, LIKE)
    assert len(check_targets([without], [(8, 8)], 3, False, LIKE)) == 1


def test_boxes_may_reach_beyond_the_border():
    boxes = torch.tensor([[-2, -2, 4, 4], [7, 7, 9, 12], [0, 0, 20, 20]])
    (found,) = check_targets([target(boxes=boxes)], [(8, 8)], 3, True, LIKE)
    assert len(found.boxes) == 3
