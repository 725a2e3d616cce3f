"""From a label image to what a detector learns: boxes, classes and outlines."""

from __future__ import annotations

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.transforms import Transform

from medseg.kernels.object_boxes import object_boxes
from medseg.transforms.dictionary_form import DictionaryForm
from medseg.transforms.label_array import label_array


class DetectionTarget(Transform):
    """Boxes and renumbered outlines of the objects of a label image, as :class:`medseg.networks.MaskRCNN` wants them.

    Put it behind the random transforms: what cropping has cut off then has no part in the boxes.

    Args:
        min_size: objects of fewer pixels become background. Cropping leaves slivers that nobody could name.

    Shapes: ``(1, *spatial)`` to a dictionary of ``boxes`` ``(N, 2 d)`` float32 in pixels, low corner first, the high
    corner behind the last pixel; ``labels`` ``(N,)`` int64, all 1; ``instances`` ``(*spatial)`` int32, in which object
    i is ``i + 1``. N may be 0. A thousand objects take milliseconds: no mask per object is made.

    Raises:
        InputError: no label image, see :func:`medseg.transforms.label_array.label_array`.
    """

    def __init__(self, min_size: int = 1) -> None:
        self.min_size = min_size

    def __call__(self, img: NdarrayOrTensor) -> dict[str, torch.Tensor]:
        """Target of one label image."""
        boxes, instances = _number(label_array(img, type(self).__name__), self.min_size)
        return {
            "boxes": torch.from_numpy(boxes).float(),
            "labels": torch.ones(len(boxes), dtype=torch.int64),
            "instances": torch.from_numpy(instances),
        }


class DetectionTargetd(DictionaryForm):
    """Dictionary form of :class:`DetectionTarget`."""

    def __init__(self, keys: KeysCollection, min_size: int = 1, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, DetectionTarget(min_size), allow_missing_keys)


def _number(labels: np.ndarray, min_size: int) -> tuple[np.ndarray, np.ndarray]:
    found = object_boxes(labels)
    kept = found.areas >= min_size
    ids = found.ids[kept]
    if len(ids) and found.ids[-1] <= labels.size:
        number = np.zeros(int(found.ids[-1]) + 1, np.int32)
        number[ids] = np.arange(1, len(ids) + 1)
        return found.boxes[kept], number[labels.view(np.uint8) if labels.dtype == bool else labels]
    # ids far larger than the image: no table of all of them
    place = np.searchsorted(ids, labels).clip(max=max(len(ids) - 1, 0))
    is_object = ids[place] == labels if len(ids) else np.zeros(labels.shape, bool)
    return found.boxes[kept], np.where(is_object, place + 1, 0).astype(np.int32)
