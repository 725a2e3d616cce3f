"""Objects as COCO annotations: boxes, run-length masks and scores in one JSON file per image."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.utils import convert_to_numpy

from medseg.errors import InputError
from medseg.io.atomic import atomic_target
from medseg.io.result_saver import ResultSaver
from medseg.io.source_file import source_file
from medseg.kernels.run_lengths import encode_string, encode_window_runs
from medseg.networks.mask_rcnn.paste import crop_masks


class SaveCocod(ResultSaver):
    """Write ``<output_dir>/<stem>_coco.json``: the detections of an image with whole masks, overlapping or not.

    A label image gives each pixel to one object; here each object keeps all of its mask. Annotation ``id`` is the
    object's id in the label image.

    Args:
        keys: label images ``(1, Y, X)``, MetaTensors that know their input file.
        output_dir: folder; made if missing.
        detections_key: detections in the order of the label image's ids (:class:`LabelsFromDetectionsd`).
        categories: names of the classes from 1 on.
        threshold: an object has the pixels whose probability is above.
        overwrite: replace files that exist.
        aligned: False for networks with ``torchvision_conventions=True``, as in :class:`LabelsFromDetectionsd`.

    Raises:
        InputError: an image that is not 2D, a class without a name, an existing file.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        detections_key: str = "detections",
        categories: tuple[str, ...] = ("object",),
        threshold: float = 0.5,
        overwrite: bool = False,
        allow_missing_keys: bool = False,
        aligned: bool = True,
    ) -> None:
        super().__init__(keys, output_dir, overwrite, allow_missing_keys)
        self.detections_key = detections_key
        self.categories, self.threshold, self.aligned = tuple(categories), threshold, aligned

    def write(self, data: Mapping[Hashable, Any], key: Hashable) -> None:
        """Write the file of one key."""
        source = source_file(data[key])
        shape = tuple(data[key].shape[1:])
        if len(shape) != 2:
            raise InputError(f"{source}: COCO holds 2D images, this one has shape {shape}; leave out --coco")
        image = {"id": 1, "file_name": Path(source).name, "height": shape[0], "width": shape[1]}
        annotations = coco_annotations(data[self.detections_key], shape, self.threshold, self.aligned)
        unnamed = {a["category_id"] for a in annotations} - set(range(1, len(self.categories) + 1))
        if unnamed:
            raise InputError(
                f"{source}: objects of class {min(unnamed)}, but SaveCocod names {len(self.categories)} "
                f"({', '.join(self.categories)}); give its categories a name for each class of the network"
            )
        categories = [{"id": i, "name": name} for i, name in enumerate(self.categories, start=1)]
        content = {"images": [image], "annotations": annotations, "categories": categories}
        target = self.target(data, key, "coco.json")
        with atomic_target(target, overwrite=self.overwrite) as partial:
            partial.write_text(json.dumps(content) + "\n", encoding="utf-8")


def coco_annotations(
    detections: Mapping[str, torch.Tensor], shape: tuple[int, int], threshold: float = 0.5, aligned: bool = True
) -> list[dict[str, Any]]:
    """One annotation per detection: ``bbox`` (x, y, width, height, px) of its pixels, mask as compressed run lengths.

    Args:
        detections: ``boxes``, ``labels``, ``scores``, ``box_masks`` of one image.
        shape: of the image.
        threshold: an object has the pixels whose probability is above.
        aligned: see :func:`crop_masks`.
    """
    found = {name: value.cpu() for name, value in detections.items()}
    annotations = []
    crops = crop_masks(found["box_masks"], found["boxes"], shape, aligned)
    for number, (window, crop) in enumerate(crops, start=1):
        mask = convert_to_numpy(crop) > threshold
        y0, x0 = (axis.start for axis in window)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = [0, 0, 0, 0]
        if len(rows):
            box = [x0 + columns[0], y0 + rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1]
        counts = encode_string(encode_window_runs(mask, (y0, x0), shape))
        annotations.append(
            {
                "id": number,
                "image_id": 1,
                "category_id": int(found["labels"][number - 1]),
                "iscrowd": 0,
                "score": round(float(found["scores"][number - 1]), 6),
                "area": int(mask.sum()),
                "bbox": [int(v) for v in box],
                "segmentation": {"size": list(shape), "counts": counts},
            }
        )
    return annotations
