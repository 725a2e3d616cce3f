"""Average what a detector finds in an image and in its mirror images and quarter turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from monai.inferers import Inferer
from monai.utils import convert_to_tensor
from scipy.spatial import KDTree
from torch import Tensor

from medseg.inferers.image_detections import ImageDetections
from medseg.inferers.progress_through import report_share
from medseg.inferers.test_time_augmentation import Symmetry, symmetries_of

Detections = dict[str, Tensor]


class TestTimeAugmentationDetectionInferer(Inferer):
    """Run a detector on all mirror images (and quarter turns) of the input; an object's score is the mean over them.

    Detections of one class from different views whose boxes overlap are one object: its box and mask are the means,
    weighted by score, and views that miss it count as a score of 0. So what only some views see loses, and
    chance goes out of the outlines. Costs as many runs as there are symmetries.

    Args:
        inferer: what runs the detector on each view, for example :class:`medseg.inferers.TiledDetectionInferer`.
        spatial_dims: axes of one section, 2 or 3; axes between these and the channels are sections.
        min_score: objects of a smaller mean are left out. Let the detector return detections of half this score, or
            an object that one view doubts is lost.
        merge_threshold: intersection over union of boxes from which two detections are one object.
        symmetries: see :class:`medseg.inferers.TestTimeAugmentationInferer`.
        enabled: False runs ``inferer`` once, as if this class were not there.

    Shapes: as the inferer inside; ``box_masks`` must be as long along the last two axes where there are turns.

    Raises:
        ValueError: ``spatial_dims`` other than 2 or 3, unknown symmetries.
    """

    __test__ = False  # the name is the field's; pytest shall not collect it

    def __init__(
        self,
        inferer: Inferer,
        spatial_dims: int = 2,
        min_score: float = 0.5,
        merge_threshold: float = 0.5,
        symmetries: str | None = None,
        enabled: bool = True,
    ) -> None:
        super().__init__()
        self.inferer, self.min_score, self.merge_threshold, self.enabled = inferer, min_score, merge_threshold, enabled
        self.symmetries = symmetries_of(spatial_dims, symmetries)
        self.progress: Callable[[int, int], None] | None = None

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> list[ImageDetections]:
        """Detections of each image of ``inputs``, best score first (of a stack section after section)."""
        image = convert_to_tensor(inputs, track_meta=False)
        symmetries = self.symmetries if self.enabled else self.symmetries[:1]
        views: list[list[Detections]] = [[] for _ in image]
        for number, symmetry in enumerate(symmetries):
            report_share(self.inferer, self.progress, number, len(symmetries))
            view = symmetry.apply(image)
            found = self.inferer(view, network, *args, **kwargs)
            if not self.enabled:
                return found
            for seen, detections in zip(views, found, strict=True):
                seen.append(turned_back(dict(detections), symmetry, view.shape))
        return [ImageDetections(mean_detections(v, self.min_score, self.merge_threshold)) for v in views]


def turned_back(detections: Detections, symmetry: Symmetry, shape: Sequence[int]) -> Detections:
    """Detections in a view of the given shape, at their places in the image."""
    boxes = detections["boxes"].clone()
    dims = boxes.shape[1] // 2
    for axis in symmetry.flipped:
        first, last = dims + axis, 2 * dims + axis
        boxes[:, [first, last]] = shape[axis] - boxes[:, [last, first]]
    if symmetry.transposed:
        order = [*range(dims - 2), dims - 1, dims - 2]
        boxes = boxes[:, [*order, *(dims + i for i in order)]]
    back = detections | {"boxes": boxes}
    if "box_masks" in detections:
        back["box_masks"] = symmetry.undo(detections["box_masks"])
    return back


def mean_detections(views: Sequence[Detections], min_score: float, threshold: float) -> Detections:
    """Objects that several views of one image show, each once.

    Args:
        views: per view ``boxes`` ``(N, 2 d)``, ``labels``, ``scores``, perhaps ``box_masks`` and ``section``.
        min_score: of the mean, below which an object is left out.
        threshold: intersection over union of boxes of one object.
    """
    view = torch.cat([torch.full((len(v["scores"]),), k) for k, v in enumerate(views)])
    found = {key: torch.cat([v[key] for v in views]) for key in views[0]}
    order = torch.argsort(found["scores"], descending=True, stable=True)
    view, found = view[order.cpu()], {key: value[order] for key, value in found.items()}
    rows, members, weights = [], [], []
    for group in _groups(found, view, threshold):
        score = found["scores"][group].float()
        if float(score.sum()) / len(views) >= min_score:
            rows.append(group[0])
            members.append(group)
            weights.append(score / score.sum())
    result = {key: value[rows] for key, value in found.items()}
    for k, (group, weight) in enumerate(zip(members, weights, strict=True)):
        result["scores"][k] = found["scores"][group].sum() / len(views)
        for key in ("boxes", "box_masks"):
            if key in found:
                with torch.autocast(weight.device.type, enabled=False):  # bfloat16 rounds a place of 1000 px to 4
                    result[key][k] = torch.tensordot(weight.to(found[key].dtype), found[key][group], dims=1)
    order = torch.argsort(result["scores"], descending=True, stable=True)
    if "section" in result:
        order = order[torch.argsort(result["section"][order], stable=True)]
    return {key: value[order] for key, value in result.items()}


def _groups(found: Detections, view: Tensor, threshold: float) -> list[list[int]]:
    """Rows of each object, best score first, at most one of each view."""
    boxes, views, free = found["boxes"].float().cpu().numpy(), view.tolist(), np.ones(len(view), bool)
    neighbours = _neighbours(found, threshold)
    groups = []
    for row in range(len(view)):
        if not free[row]:
            continue
        near = np.array(neighbours(row))
        near = near[free[near]]
        iou = _iou(boxes[row], boxes[near])
        near, iou = near[iou > threshold], iou[iou > threshold]
        of_view = {views[row]: row}
        for other in near[np.argsort(-iou, kind="stable")].tolist():
            of_view.setdefault(views[other], other)
        group = list(of_view.values())
        free[group] = False
        groups.append(group)
    return groups


def _iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a box with each of ``(N, 2 d)``, ``(N,)``; 0 where both lack area."""
    dims = len(box) // 2
    inter = np.minimum(box[dims:], others[:, dims:]) - np.maximum(box[:dims], others[:, :dims])
    inter = np.maximum(inter, 0).prod(axis=1)
    union = (box[dims:] - box[:dims]).prod() + (others[:, dims:] - others[:, :dims]).prod(axis=1) - inter
    return inter / np.maximum(union, np.finfo(union.dtype).tiny)


def _neighbours(found: Detections, threshold: float) -> Callable[[int], list[int]]:
    """From a row to the rows, ascending, of its class and section whose boxes may overlap with its own enough."""
    boxes = found["boxes"].double().cpu().numpy()
    dims = boxes.shape[1] // 2
    side = (boxes[:, dims:] - boxes[:, :dims]).max(axis=1, initial=0)
    # Two sides overlap by more than the threshold of the longer one: so far apart may their centres be at most.
    reach = (side + side.max(initial=0)) / 2
    if threshold > 0:
        reach = np.minimum(reach, side * (1 - threshold) * max(1, 0.5 / threshold))
    reach += 1e-3 * side  # rounding never hides a neighbour
    kinds = np.stack([found[key].cpu().numpy() for key in ("labels", "section") if key in found], axis=1)
    kind = np.unique(kinds, axis=0, return_inverse=True)[1].reshape(-1, 1)
    places = np.hstack([(boxes[:, :dims] + boxes[:, dims:]) / 2, kind * (2 * reach.max(initial=0) + 1)])
    tree = KDTree(places)
    return lambda row: tree.query_ball_point(places[row], reach[row], p=np.inf, return_sorted=True)
