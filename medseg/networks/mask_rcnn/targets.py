"""What the detector is trained on: the objects of an image, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from monai.utils import convert_to_tensor
from torch import Tensor

_KEYS = ("boxes", "labels", "masks", "instances")


class Objects(NamedTuple):
    """Objects of one image.

    ``boxes`` ``(N, 2 d)`` float; ``labels`` ``(N,)`` int64; the outlines either as ``masks`` ``(N, *spatial)`` or as
    ``instances`` ``(*spatial)``, a label image in which object i has the value ``ids[i]``; None where there are none.
    """

    boxes: Tensor
    labels: Tensor
    masks: Tensor | None
    instances: Tensor | None
    ids: Tensor


def check_targets(
    targets: Sequence[Mapping[str, Tensor]] | None,
    shapes: Sequence[tuple[int, ...]],
    num_classes: int,
    with_masks: bool,
    like: Tensor,
) -> list[Objects]:
    """Turn target dictionaries into :class:`Objects` on the device of ``like``.

    A target has ``boxes`` ``(N, 2 d)`` in pixels, low corner first, the high corner behind the last pixel (a
    1-pixel object is 1 wide); ``labels`` ``(N,)``, 1 to ``num_classes - 1``; and, for training masks, either
    ``masks`` ``(N, *spatial)``, or ``instances``, a label image ``(*spatial)`` in which object i is ``i + 1``, which
    for a thousand objects is a thousand times smaller. Axes have the order of the image's (torchvision's boxes are
    ``(x, y, x, y)``). Boxes may reach beyond the border; those without extent, as cropping leaves them, are dropped.
    N may be 0.

    Raises:
        ValueError: anything else, with the number of the image.
    """
    if targets is None or len(targets) != len(shapes):
        given = "none" if targets is None else len(targets)
        raise ValueError(f"training needs one target per image: {len(shapes)} images, targets: {given}")
    return [_check(i, *pair, num_classes, with_masks, like) for i, pair in enumerate(zip(targets, shapes, strict=True))]


def _check(
    i: int, target: Mapping[str, Tensor], shape: tuple[int, ...], num_classes: int, with_masks: bool, like: Tensor
) -> Objects:
    missing = {"boxes", "labels"} - set(target)
    if missing or (with_masks and not {"masks", "instances"} & set(target)):
        raise ValueError(f"target {i} has keys {sorted(target)}: needs boxes, labels and masks or instances")
    given = {k: convert_to_tensor(target[k], track_meta=False) for k in _KEYS if k in target}
    dims = len(shape)
    boxes = given["boxes"].to(like).reshape(-1, 2 * dims)
    labels = given["labels"].to(like.device, torch.int64)
    if labels.shape != boxes.shape[:1]:
        raise ValueError(f"target {i}: {len(boxes)} boxes but labels of shape {tuple(labels.shape)}")
    if not boxes.isfinite().all() or (boxes[:, :dims] > boxes[:, dims:]).any():
        raise ValueError(f"target {i}: boxes must be finite with their low corner first")
    if len(labels) and not (labels.min() >= 1 and labels.max() < num_classes):
        raise ValueError(
            f"target {i}: labels from {labels.min()} to {labels.max()}, objects have 1 to {num_classes - 1}"
        )
    masks = instances = None
    if with_masks and "masks" in target:
        masks = given["masks"].to(like.device)
        if tuple(masks.shape) != (len(boxes), *shape):
            raise ValueError(f"target {i}: masks of shape {tuple(masks.shape)}, expected {(len(boxes), *shape)}")
    elif with_masks:
        instances = given["instances"]
        if tuple(instances.shape) != shape or instances.is_floating_point():
            raise ValueError(f"target {i}: instances must be an integer image of shape {shape}")
        instances = instances.to(like.device, torch.int64)  # torch compares no unsigned integers of 16 bits or more
        if instances.max() > len(boxes):
            raise ValueError(
                f"target {i}: instances hold the id {instances.max()}, but there are {len(boxes)} boxes, and object i "
                "has the value i + 1; number them anew, as medseg.transforms.DetectionTarget does"
            )
    extended = (boxes[:, dims:] > boxes[:, :dims]).all(dim=1)
    outside = extended & ((boxes[:, :dims] >= boxes.new_tensor(shape)) | (boxes[:, dims:] <= 0)).any(dim=1)
    if outside.any():
        raise ValueError(
            f"target {i}: the box {boxes[outside][0].tolist()} lies outside the image of shape {shape}; corners have "
            "the order of the image's axes, not torchvision's (x, y), and objects that cropping took away are left out"
        )
    kept = torch.nonzero(extended).flatten()
    masks = masks if masks is None or len(kept) == len(boxes) else masks[kept]
    return Objects(boxes[kept], labels[kept], masks, instances, kept + 1)
