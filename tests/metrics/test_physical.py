import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor
from monai.metrics import HausdorffDistanceMetric, SurfaceDiceMetric

from medseg.errors import InputError
from medseg.metrics import PhysicalMetricHandler


def shifted(spacing, voxels=2):
    """A cube and the same cube moved by some voxels along the last axis; two channels."""
    reference, prediction = (torch.zeros(2, 16, 16, 16) for _ in range(2))
    reference[1, 4:10, 4:10, 4:10] = 1
    prediction[1, 4:10, 4:10, 4 + voxels : 10 + voxels] = 1
    reference[0], prediction[0] = 1 - reference[1], 1 - prediction[1]
    return prediction, MetaTensor(reference, affine=torch.tensor(np.diag([*spacing, 1.0])))


def run(metric, pairs):
    engine = Engine(lambda _, batch: batch)
    PhysicalMetricHandler(metric, output_transform=lambda output: output).attach(engine, "x")
    engine.run([([p], [r]) for p, r in pairs])
    return engine.state


def test_each_image_is_measured_with_its_own_voxels():
    state = run(HausdorffDistanceMetric(), [shifted((1, 1, 1)), shifted((1, 1, 3))])
    assert state.metric_details["x"].ravel().tolist() == [2, 6]
    assert state.metrics["x"] == 4


def test_surface_dice_in_millimetres():
    metric = SurfaceDiceMetric(class_thresholds=[2.0])
    assert run(metric, [shifted((0.5, 0.5, 0.5))]).metrics["x"] == 1
    assert run(SurfaceDiceMetric(class_thresholds=[2.0]), [shifted((1, 1, 4))]).metrics["x"] < 1


def test_a_reference_without_voxel_size_is_refused():
    prediction, reference = shifted((1, 1, 1))
    with pytest.raises(InputError, match="no voxel size"):
        PhysicalMetricHandler(HausdorffDistanceMetric()).update(([prediction], [reference.as_tensor()]))
