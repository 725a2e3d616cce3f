"""MONAI's surface metrics in millimetres: each image is measured with its own voxel size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from monai.handlers import IgniteMetricHandler

from medseg.errors import InputError


class PhysicalMetricHandler(IgniteMetricHandler):
    """Runs a metric that takes ``spacing`` in an ignite engine, with the voxel size of each reference.

    MONAI's own ``HausdorffDistance`` and ``SurfaceDice`` handlers call their metrics without a spacing, which
    measures voxels. In a bundle::

        "hd95_mm": {
            "_target_": "medseg.metrics.physical.PhysicalMetricHandler",
            "metric_fn": {"_target_": "monai.metrics.HausdorffDistanceMetric", "percentile": 95},
            "output_transform": "$monai.handlers.from_engine(['pred', 'label'])"}

    Args:
        metric_fn: ``HausdorffDistanceMetric``, ``SurfaceDiceMetric``, ``SurfaceDistanceMetric`` of MONAI.
        output_transform: from the engine's output to lists of ``(C, *spatial)``; the references are MetaTensors.
        save_details: keep the images' own values.

    Raises:
        InputError: a reference that does not know its voxel size.
    """

    def update(self, output: Sequence[Any]) -> None:
        """Measure one batch."""
        predictions, references = output
        for prediction, reference in zip(predictions, references, strict=True):
            if not isinstance(reference, MetaTensor):
                raise InputError("PhysicalMetricHandler: a reference carries no voxel size; load it with LoadImaged")
            spacing = [float(size) for size in reference.pixdim[: reference.ndim - 1]]
            plain = [torch.as_tensor(image).as_subclass(torch.Tensor)[None] for image in (prediction, reference)]
            self.metric_fn(*plain, spacing=spacing)
