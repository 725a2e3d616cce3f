"""Mask R-CNN for images with many objects, 2D and 3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from monai.apps.detection.utils.box_coder import BoxCoder
from monai.utils import convert_to_tensor
from torch import Tensor, nn

from medseg.networks.mask_rcnn.anchors import anchor_shapes
from medseg.networks.mask_rcnn.backbone import EncoderFPN
from medseg.networks.mask_rcnn.box_head import BoxHead
from medseg.networks.mask_rcnn.box_training import box_losses, sample_proposals
from medseg.networks.mask_rcnn.detections import select_detections
from medseg.networks.mask_rcnn.image_batch import ImageBatch, batch_images, check_images
from medseg.networks.mask_rcnn.mask_head import MaskHead
from medseg.networks.mask_rcnn.mask_targets import project_masks
from medseg.networks.mask_rcnn.pyramid_pooling import PyramidPooling
from medseg.networks.mask_rcnn.rpn import RegionProposalNetwork
from medseg.networks.mask_rcnn.settings import DetectionSettings, PoolingSettings, ProposalSettings
from medseg.networks.mask_rcnn.targets import Objects, check_targets
from medseg.networks.mask_rcnn.torchvision_weights import load_torchvision

_ROIS_AT_ONCE = 256  # at inference; bounds the memory of the heads


class MaskRCNN(nn.Module):
    """Mask R-CNN with a feature pyramid (He et al., ICCV 2017, arXiv 1703.06870), in plain PyTorch.

    Boxes are ``(low corner, high corner)`` in pixels, axes in the order of the image's (MONAI's convention), the
    high corner behind the last pixel. In training mode the network takes images and targets and returns a
    dictionary of losses to be summed; in evaluation mode it returns the detections of each image.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the images.
        num_classes: classes, the background among them: 2 for one kind of cell.
        backbone: a name for :class:`EncoderFPN`, or a module that turns ``(B, C, *spatial)`` into a list of pyramid
            levels and has ``out_channels`` and ``strides`` (of the levels to pool from, finest first).
        anchor_sizes: side of the anchors of each pyramid level in pixels, finest first; several per level as
            a list of lists. Sides of the objects should lie between half the first and twice the last. With fewer
            entries than levels the finest levels get no anchors and serve pooling only.
        aspect_ratios: relative sides of an anchor, one number per axis; None: cubes in 3D, and in 2D also boxes of
            half and twice the height.
        mask_head: ``"sigmoid"`` for a mask per class decoupled from classification, ``"softmax"`` for classes that
            compete, None for boxes alone (Faster R-CNN with ROIAlign).
        proposals, detections, pooling: numbers and thresholds; the defaults suit images of a thousand objects.
        preprocess: resizes images and boxes for networks trained at another size, see
            :class:`ResizeShortSide` and :class:`ResizeByFactor`.
        torchvision_conventions: truncated pixels, half-pixel shifts and anchor strides as in torchvision; set it
            for its checkpoints and leave it for training, where exact pixels outline small objects better. Its masks
            are pasted with ``aligned=False``.

    Targets: see :func:`medseg.networks.mask_rcnn.targets.check_targets`.

    Detections: per image ``boxes`` ``(N, 2 d)`` and ``scores`` ``(N,)`` float32, ``labels`` ``(N,)`` int64, best first,
    and with a mask head ``box_masks`` ``(N, *bins)``, the foreground probability inside each box. See
    :func:`label_image`, :func:`crop_masks` and :func:`paste_masks` for their pixels.

    Raises:
        ValueError: arguments, images or targets that do not fit; the message names the image.
        FloatingPointError: a loss that is not finite.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        num_classes: int,
        backbone: str | nn.Module = "resnet18",
        anchor_sizes: Sequence[float | Sequence[float]] = (8, 16, 32, 64, 128),
        aspect_ratios: Sequence[Sequence[float]] | None = None,
        mask_head: str | None = "sigmoid",
        proposals: ProposalSettings | None = None,
        detections: DetectionSettings | None = None,
        pooling: PoolingSettings | None = None,
        preprocess: nn.Module | None = None,
        torchvision_conventions: bool = False,
    ) -> None:
        super().__init__()
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims is 2 or 3, not {spatial_dims}")
        if num_classes < 2:
            raise ValueError(f"num_classes {num_classes}: the background and at least one class of objects")
        self.spatial_dims, self.in_channels, self.num_classes = spatial_dims, in_channels, num_classes
        self.aligned = not torchvision_conventions
        self.settings = detections or DetectionSettings()
        self.preprocess = preprocess
        self.backbone = EncoderFPN(spatial_dims, in_channels, backbone) if isinstance(backbone, str) else backbone
        channels, strides = self.backbone.out_channels, tuple(self.backbone.strides)
        anchor_strides = (*strides, 2 * strides[-1])[-len(anchor_sizes) :]
        if aspect_ratios is None:
            aspect_ratios = ((0.5, 1), (1, 1), (2, 1)) if spatial_dims == 2 else ((1, 1, 1),)
        self.rpn = RegionProposalNetwork(
            spatial_dims,
            channels,
            anchor_shapes(anchor_sizes, aspect_ratios),
            proposals,
            anchor_strides if self.aligned else None,
        )
        pool = pooling or PoolingSettings()
        shared = (strides, pool.canonical_size, pool.sampling_ratio, self.aligned, pool.interpolation)
        self.box_pooling = PyramidPooling(spatial_dims, pool.box_size, *shared)
        self.box_head = BoxHead(spatial_dims, channels, pool.box_size, num_classes, pool.hidden)
        self.box_coder = BoxCoder((10.0,) * spatial_dims + (5.0,) * spatial_dims)
        self.mask_pooling = PyramidPooling(spatial_dims, pool.mask_size, *shared)
        self.mask_head = None if mask_head is None else MaskHead(spatial_dims, channels, num_classes, mask_head)

    def forward(
        self, images: Sequence[Tensor] | Tensor, targets: Sequence[Mapping[str, Tensor]] | None = None
    ) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        """Losses (training mode, with targets) or detections of images ``(C, *spatial)``, in a list or stacked."""
        images = [convert_to_tensor(image, track_meta=False) for image in images]
        original = check_images(images, self.spatial_dims, self.in_channels)
        if self.preprocess is not None:
            if self.training:
                self._objects(targets, original, images[0])  # resized, a target would fit whatever its shape
            images, targets = self.preprocess(images, targets if self.training else None)
        batch = batch_images(images, self.backbone.strides[-1])
        if self.training:
            return self._losses(batch, self._objects(targets, batch.shapes, batch.tensor))
        detections = self._detect(batch)
        if self.preprocess is not None:
            for found, from_shape, to_shape in zip(detections, batch.shapes, original, strict=True):
                found["boxes"] = self.preprocess.restore(found["boxes"], from_shape, to_shape)
        return detections

    def load_torchvision(self, state_dict: Mapping[str, Tensor], norm_eps: float | None = None) -> list[str]:
        """Take the weights of torchvision's Mask R-CNN with ResNet and FPN; see :func:`load_torchvision`."""
        return load_torchvision(self, state_dict, norm_eps)

    def _objects(
        self, targets: Sequence[Mapping[str, Tensor]] | None, shapes: list[tuple[int, ...]], image: Tensor
    ) -> list[Objects]:
        like = image.new_zeros((), dtype=torch.float32)
        return check_targets(targets, shapes, self.num_classes, self.mask_head is not None, like)

    def _losses(self, batch: ImageBatch, objects: list[Objects]) -> dict[str, Tensor]:
        features = self.backbone(batch.tensor)
        proposals, losses = self.rpn(features[-len(self.rpn.shapes) :], batch, objects)
        samples = [sample_proposals(p, o, self.settings) for p, o in zip(proposals, objects, strict=True)]
        logits, deltas = self.box_head(self.box_pooling(features, [s.boxes for s in samples]))
        losses |= box_losses(logits, deltas, samples, objects, self.box_coder)
        if self.mask_head is not None:
            boxes = [s.boxes[: s.positives] for s in samples]
            mask_logits = self.mask_head(self.mask_pooling(features, boxes))
            labels = torch.cat([s.labels[: s.positives] for s in samples])
            masks = torch.cat(
                [
                    project_masks(
                        o, s.object_index[: s.positives], s.boxes[: s.positives], mask_logits.shape[2], self.aligned
                    )
                    for o, s in zip(objects, samples, strict=True)
                ]
            )
            losses["loss_mask"] = self.mask_head.loss(mask_logits, labels, masks)
        for name, value in losses.items():
            if not value.isfinite():
                raise FloatingPointError(f"{name} is {value.item()}: lower the learning rate or check the images")
        return losses

    def _detect(self, batch: ImageBatch) -> list[dict[str, Tensor]]:
        features = self.backbone(batch.tensor)
        proposals, _ = self.rpn(features[-len(self.rpn.shapes) :], batch)
        results = []
        for image, (boxes, shape) in enumerate(zip(proposals, batch.shapes, strict=True)):
            levels = [level[image : image + 1] for level in features]
            parts = [self.box_head(self.box_pooling(levels, [part])) for part in boxes.split(_ROIS_AT_ONCE)]
            logits, deltas = (torch.cat(both) for both in zip(*parts, strict=True))
            found = select_detections(logits, deltas, boxes, shape, self.box_coder, self.settings)
            if self.mask_head is not None:
                found["box_masks"] = self._masks(levels, found)
            results.append(found)
        return results

    def _masks(self, features: list[Tensor], found: dict[str, Tensor]) -> Tensor:
        masks = []
        for boxes, labels in zip(
            found["boxes"].split(_ROIS_AT_ONCE), found["labels"].split(_ROIS_AT_ONCE), strict=True
        ):
            logits = self.mask_head(self.mask_pooling(features, [boxes]))
            masks.append(self.mask_head.probabilities(logits, labels))
        return torch.cat(masks)
