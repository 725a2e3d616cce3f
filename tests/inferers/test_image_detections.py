import torch
from monai.data import decollate_batch

from medseg.inferers import ImageDetections


def detections(n):
    return ImageDetections({"boxes": torch.rand(n, 4), "scores": torch.rand(n)})


def test_a_batch_of_detections_is_taken_apart_image_by_image():
    batch = [detections(3), detections(0), detections(1)]
    items = decollate_batch({"image": torch.zeros(3, 1, 4, 4), "pred": batch})
    assert [item["pred"] for item in items] == batch
    assert all(item["image"].shape == (1, 4, 4) for item in items)


def test_one_image():
    (item,) = decollate_batch({"image": torch.zeros(1, 1, 4, 4), "pred": [detections(5)]})
    assert item["pred"]["boxes"].shape == (5, 4)


def test_reads_like_a_dictionary():
    found = detections(2)
    plain = dict(found)
    assert list(plain) == ["boxes", "scores"]
    assert plain["boxes"] is found["boxes"]
    assert "scores" in found
    assert "masks" not in found
