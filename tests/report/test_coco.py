import json

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from data_tools.convert.coco import coco_annotations as read_coco
from medseg.errors import InputError
from medseg.io import write_image
from medseg.kernels.run_lengths import decode_runs, decode_string
from medseg.networks.mask_rcnn import paste_masks
from medseg.report.coco import SaveCocod

FOUND = {
    "boxes": torch.tensor([[1.0, 2, 5, 8], [3.0, 4, 9, 12], [0.2, 0.2, 0.4, 0.4]]),
    "labels": torch.tensor([1, 2, 1]),
    "scores": torch.tensor([0.875, 0.5, 0.25]),
    "box_masks": torch.ones(3, 2, 2),
}


def save(tmp_path, shape=(1, 10, 12), found=FOUND, categories=("nucleus", "crumb"), **options):
    labels = MetaTensor(torch.zeros(shape, dtype=torch.int32), meta={"filename_or_obj": str(tmp_path / "a.tif")})
    SaveCocod("pred", tmp_path, categories=categories, **options)({"pred": labels, "detections": found})
    return json.loads((tmp_path / "a_coco.json").read_text())


def test_boxes_scores_and_whole_masks(tmp_path):
    content = save(tmp_path)
    assert content["images"] == [{"id": 1, "file_name": "a.tif", "height": 10, "width": 12}]
    assert content["categories"] == [{"id": 1, "name": "nucleus"}, {"id": 2, "name": "crumb"}]
    first, second, nothing = content["annotations"]
    assert (first["bbox"], first["area"], first["score"]) == ([2, 1, 6, 4], 24, 0.875)
    assert (second["bbox"], second["area"]) == ([4, 3, 8, 6], 48)  # what the first one covers is in it
    assert (nothing["bbox"], nothing["area"]) == ([0, 0, 0, 0], 0)
    assert [(a["id"], a["category_id"]) for a in content["annotations"]] == [(1, 1), (2, 2), (3, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_boxes_and_areas_are_those_of_the_masks(tmp_path, seed):
    """Masks of blobs that fill their boxes in part only."""
    random = torch.Generator().manual_seed(seed)
    corners = torch.rand(5, 2, generator=random) * 30
    boxes = torch.cat([corners, corners + 8 + torch.rand(5, 2, generator=random) * 20], dim=1)
    masks = torch.zeros(5, 28, 28)
    masks[:, 9:20, 5:17] = 1
    found = {"boxes": boxes, "labels": torch.ones(5, dtype=torch.int64), "scores": torch.ones(5), "box_masks": masks}
    for annotation in save(tmp_path, (1, 50, 60), found)["annotations"]:
        mask = decode_runs(decode_string(annotation["segmentation"]["counts"]), annotation["segmentation"]["size"])
        (y, x), (x0, y0, width, height) = np.nonzero(mask), annotation["bbox"]
        assert (x0, y0, width, height) == (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1)
        assert annotation["area"] == mask.sum() > 0


def test_masks_of_torchvisions_conventions(tmp_path):
    found = FOUND | {"boxes": FOUND["boxes"] + 0.4}
    pasted = paste_masks(found["box_masks"], found["boxes"], (10, 12), aligned=False) > 0.5
    assert not torch.equal(pasted, paste_masks(found["box_masks"], found["boxes"], (10, 12)) > 0.5)
    for annotation, mask in zip(save(tmp_path, found=found, aligned=False)["annotations"], pasted, strict=True):
        segmentation = annotation["segmentation"]
        assert np.array_equal(decode_runs(decode_string(segmentation["counts"]), segmentation["size"]), mask)


def test_the_data_tools_read_it_back(tmp_path):
    save(tmp_path)
    write_image(tmp_path / "a.tif", np.zeros((10, 12), np.uint8))
    (source,) = read_coco(tmp_path / "a_coco.json", tmp_path)
    labels = source.read().labels
    assert labels[1:5, 2:8].all()
    assert labels[3:9, 4:12].all()
    assert (labels > 0).sum() == 24 + 48 - 2 * 4


def test_refuses_volumes_and_what_is_there(tmp_path):
    with pytest.raises(InputError, match="--coco"):
        save(tmp_path, shape=(1, 3, 10, 12))
    save(tmp_path)
    with pytest.raises(InputError, match="exists"):
        save(tmp_path)
    save(tmp_path, overwrite=True)


def test_each_class_needs_a_name(tmp_path):
    with pytest.raises(InputError, match="class 2, but SaveCocod names 1"):
        save(tmp_path, categories=("nucleus",))
    content = save(tmp_path, categories=("round", "long"))
    assert [a["category_id"] for a in content["annotations"]] == [1, 2, 1]
    assert content["categories"] == [{"id": 1, "name": "round"}, {"id": 2, "name": "long"}]
