"""From a detector's boxes and masks to a label image, and to the detections that it shows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type

from medseg.networks.mask_rcnn.paste import crop_masks

Detections = dict[str, torch.Tensor]


class LabelsFromDetectionsd(MapTransform):
    """Paint detections into a label image; a pixel of several objects goes to the best-scored one.

    Args:
        keys: detections of one image (:class:`medseg.inferers.ImageDetections` or a dictionary); without
            ``box_masks`` an object is its whole box.
        image_key: the image ``(C, *sections, *spatial)``; the labels have its shape and metadata.
        detections_key: where the detections that were painted are left; row i of each of their tensors belongs to
            the object of id ``i + 1``: section after section, best score first.
        min_score: detections below it are left out.
        min_size: so are objects of which fewer pixels are seen,
        min_visible: and those of which better-scored ones cover all but less than this fraction: crumbs of a cell
            found twice.
        threshold: an object has the pixels whose probability is above.
        aligned: False for networks with ``torchvision_conventions=True``, whose masks reach a rim wider than the box,
            see :func:`crop_masks`.

    Shapes: ``(1, *sections, *spatial)`` int32, 0 = background; ids run on through a stack.
    """

    def __init__(
        self,
        keys: KeysCollection,
        image_key: str = "image",
        detections_key: str = "detections",
        min_score: float = 0.0,
        min_size: int = 1,
        min_visible: float = 0.0,
        threshold: float = 0.5,
        allow_missing_keys: bool = False,
        aligned: bool = True,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image_key, self.detections_key = image_key, detections_key
        self.min_score, self.min_size, self.min_visible = min_score, min_size, min_visible
        self.threshold, self.aligned = threshold, aligned

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with the keys painted."""
        result = dict(data)
        for key in self.key_iterator(data):
            image = data[self.image_key]
            found = {name: data[key][name] for name in data[key].keys()}  # noqa: SIM118 (not a mapping)
            if "box_masks" not in found:
                dims = found["boxes"].shape[1] // 2
                found["box_masks"] = torch.ones((len(found["boxes"]), *(1,) * dims))
            found = _rows(found, found["scores"] >= self.min_score)
            labels, result[self.detections_key] = self._painted(found, tuple(image.shape[1:]))
            result[key] = convert_to_dst_type(labels[None], image, dtype=torch.int32)[0]
        return result

    def _painted(self, found: Detections, shape: tuple[int, ...]) -> tuple[torch.Tensor, Detections]:
        limits = (self.threshold, self.min_size, self.min_visible, self.aligned)
        if "section" not in found:
            return _paint(found, shape, *limits)
        image = shape[len(shape) - found["boxes"].shape[1] // 2 :]
        sections = torch.zeros(shape, dtype=torch.int32).view(-1, *image)
        shown, last = [], 0
        for k, section in enumerate(sections):
            labels, part = _paint(_rows(found, found["section"] == k), image, *limits)
            section.copy_(torch.where(labels > 0, labels + last, 0))
            last += len(part["scores"])
            shown.append(part)
        return sections.view(shape), {name: torch.cat([part[name] for part in shown]) for name in found}


def _paint(
    found: Detections, shape: Sequence[int], threshold: float, min_size: int, min_visible: float, aligned: bool
) -> tuple[torch.Tensor, Detections]:
    best_first = torch.argsort(found["scores"], stable=True, descending=True)
    found = _rows(found, best_first)
    labels = torch.zeros(tuple(shape), dtype=torch.int32)
    shown = []
    crops = crop_masks(found["box_masks"].cpu(), found["boxes"].cpu(), shape, aligned)
    for row, (window, crop) in enumerate(crops):
        outline = crop > threshold
        free = outline & (labels[window] == 0)
        seen = int(free.sum())
        # what is left out takes no pixel from the objects below it
        if seen >= max(min_size, 1) and seen >= min_visible * int(outline.sum()):
            shown.append(row)
            labels[window][free] = len(shown)
    return labels, _rows(found, torch.tensor(shown, dtype=torch.int64))


def _rows(found: Detections, kept: torch.Tensor) -> Detections:
    """Rows of all tensors, by a mask or an index."""
    return {name: value[kept.to(value.device)] for name, value in found.items()}
