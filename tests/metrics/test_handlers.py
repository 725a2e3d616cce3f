"""A bundle's evaluate config names a metric through the handler, and the engine gets its numbers."""

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.engines import SupervisedEvaluator

from medseg.metrics.rand import v_rand

CONFIG = {
    "key_metric": {
        "v_rand": {
            "_target_": "medseg.metrics.handlers.StackMetricHandler",
            "metric_fn": {"_target_": "medseg.metrics.overlap_metrics.VRandMetric"},
            "output_transform": "$monai.handlers.from_engine(['pred', 'label'])",
        }
    }
}


def test_evaluator_reports_value_details_and_undefined_sections():
    rng = np.random.default_rng(0)
    labels = (rng.random((3, 1, 16, 16)) > 0.4).astype(np.uint8)
    labels[2] = 0
    images = np.clip(labels * 0.7 + rng.random(labels.shape) * 0.3, 0, 1).astype(np.float32)
    batches = [{"image": torch.from_numpy(images[[i]]), "label": torch.from_numpy(labels[[i]])} for i in range(3)]
    parser = ConfigParser(CONFIG)
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=batches,
        network=torch.nn.Identity(),
        key_val_metric=parser.get_parsed_content("key_metric"),
    )
    evaluator.run()
    assert evaluator.state.metrics["v_rand"] == pytest.approx(v_rand(images[:, 0], labels[:, 0]).value)
    assert evaluator.state.metrics["v_rand_undefined"] == 1
    details = evaluator.state.metric_details["v_rand"]
    assert details.shape == (3, 1)
    assert torch.isnan(details[:, 0]).tolist() == [False, False, True]
    evaluator.data_loader = batches[:2]
    evaluator.run()
    assert "v_rand_undefined" not in evaluator.state.metrics  # of the run before
