import pytest
import torch
from monai.data import MetaTensor

from medseg.inferers import ImageDetections
from medseg.networks.mask_rcnn import label_image
from medseg.transforms import LabelsFromDetectionsd

BOXES = torch.tensor([[0.0, 0, 4, 4], [0, 2, 4, 8], [5, 0, 6, 1], [0, 3, 4, 8]])
SCORES = torch.tensor([0.9, 0.8, 0.7, 0.6])


def detections(**more):
    tensors = {"boxes": BOXES, "labels": torch.ones(4, dtype=torch.int64), "scores": SCORES}
    return ImageDetections(tensors | {"box_masks": torch.ones(4, 2, 2)} | more)


def paint(found=None, shape=(1, 6, 8), **options):
    image = MetaTensor(torch.zeros(shape), meta={"filename_or_obj": "a.tif"})
    return LabelsFromDetectionsd("pred", **options)({"image": image, "pred": found or detections()})


def test_the_better_score_wins_a_pixel_and_what_is_hidden_goes():
    result = paint()
    expected = torch.zeros(6, 8, dtype=torch.int32)
    expected[0:4, 0:4], expected[0:4, 4:8], expected[5, 0] = 1, 2, 3
    assert torch.equal(result["pred"][0].as_tensor(), expected)
    assert result["detections"]["scores"].tolist() == SCORES[:3].tolist()  # the fourth lies behind the others
    assert result["pred"].meta["filename_or_obj"] == "a.tif"


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"min_score": 0.75}, [0.9, 0.8]),
        ({"min_size": 2}, [0.9, 0.8]),
        ({"min_visible": 0.7}, [0.9, 0.7, 0.6]),  # two thirds of the second are seen; gone, it does not hide the fourth
        ({"min_visible": 0.6}, [0.9, 0.8, 0.7]),
        ({"min_score": 0.95}, []),
    ],
)
def test_what_is_left_out_leaves_no_gap_in_the_ids(options, kept):
    result = paint(**options)
    assert result["detections"]["scores"].tolist() == pytest.approx(kept)
    assert result["pred"].unique().tolist() == list(range(len(kept) + 1))


def test_what_is_left_out_takes_no_pixel_from_what_lies_below():
    # the second, mostly hidden, goes; its crumb belongs to the third, of which else too little would be seen
    boxes = torch.tensor([[0.0, 0, 4, 6], [0, 4, 4, 7], [0, 6, 4, 8]])
    found = {"boxes": boxes, "labels": torch.ones(3).long(), "scores": SCORES[:3], "box_masks": torch.ones(3, 2, 2)}
    result = paint(ImageDetections(found), min_visible=0.6)
    assert result["detections"]["scores"].tolist() == pytest.approx([0.9, 0.7])
    assert result["pred"][0, 0].tolist() == [1] * 6 + [2] * 2


def test_best_score_first_whatever_the_order_given():
    given = detections()
    shuffled = {name: given[name][[2, 0, 3, 1]] for name in given.keys()}  # noqa: SIM118 (not a mapping)
    result = paint(ImageDetections(shuffled))
    assert torch.equal(result["pred"], paint()["pred"])
    assert result["detections"]["scores"].tolist() == pytest.approx([0.9, 0.8, 0.7])


def test_an_object_has_the_pixels_above_the_threshold():
    found = detections(box_masks=torch.full((4, 2, 2), 0.6))
    assert len(paint(found)["detections"]["scores"]) == 3
    assert len(paint(found, threshold=0.7)["detections"]["scores"]) == 0
    assert len(paint(threshold=1.0)["detections"]["scores"]) == 0  # of masks that are 1


def test_masks_of_torchvisions_conventions():
    found = {
        "boxes": torch.tensor([[1.4, 2.3, 8.2, 9.6]]),
        "labels": torch.ones(1).long(),
        "scores": torch.ones(1),
        "box_masks": torch.ones(1, 4, 4),
    }
    for more in ({}, {"section": torch.zeros(1).long()}):
        painted = paint(ImageDetections(found | more), (1, 12, 14), aligned=False)["pred"][0].as_tensor()
        assert torch.equal(painted, label_image(found, (12, 14), aligned=False))
        assert not torch.equal(painted, label_image(found, (12, 14)))


def test_ids_run_on_through_a_stack():
    result = paint(detections(section=torch.tensor([1, 1, 0, 2])), shape=(1, 3, 6, 8))
    assert result["pred"].shape == (1, 3, 6, 8)
    assert [section.unique().tolist() for section in result["pred"][0]] == [[0, 1], [0, 2, 3], [0, 4]]
    assert result["detections"]["scores"].tolist() == pytest.approx([0.7, 0.9, 0.8, 0.6])


def test_an_item_without_the_keys_passes_where_they_may_be_missing():
    assert LabelsFromDetectionsd("pred", allow_missing_keys=True)({"other": 1}) == {"other": 1}


def test_volumes():
    boxes = torch.tensor([[0.0, 0, 0, 2, 3, 4]])
    found = {
        "boxes": boxes,
        "labels": torch.ones(1).long(),
        "scores": torch.ones(1),
        "box_masks": torch.ones(1, 2, 2, 2),
    }
    assert paint(ImageDetections(found), shape=(1, 5, 6, 7))["pred"].sum() == 24


def test_nothing_found():
    found = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0).long(), "scores": torch.zeros(0)}
    result = paint(ImageDetections(found | {"box_masks": torch.zeros(0, 2, 2)}))
    assert result["pred"].sum() == 0
    assert len(result["detections"]["scores"]) == 0


def test_without_masks_an_object_is_its_box():
    boxes_alone = {"boxes": BOXES, "labels": torch.ones(4, dtype=torch.int64), "scores": SCORES}
    result = paint(ImageDetections(boxes_alone))
    assert torch.equal(result["pred"], paint()["pred"])
    assert result["detections"]["box_masks"].shape == (3, 1, 1)
    stack = paint(ImageDetections(boxes_alone | {"section": torch.tensor([1, 1, 0, 2])}), shape=(1, 3, 6, 8))
    assert stack["pred"].max() == 4
    none = {name: value[:0] for name, value in boxes_alone.items()}
    assert paint(ImageDetections(none))["pred"].sum() == 0
