"""One ignite handler for every metric of this package, for the configs of bundles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from monai.handlers import IgniteMetricHandler

from medseg.metrics.cumulative import StackMetric


class StackMetricHandler(IgniteMetricHandler):
    """Runs a `StackMetric` in an ignite engine.

    Under its name it leaves the value in `engine.state.metrics`, the value of each image in
    `engine.state.metric_details`, and, where sections had nothing to compare, their number under
    `<name>_undefined` in `engine.state.metrics`. In a bundle::

        "key_metric": {"v_rand": {
            "_target_": "medseg.metrics.handlers.StackMetricHandler",
            "metric_fn": {"_target_": "medseg.metrics.overlap_metrics.VRandMetric"},
            "output_transform": "$monai.handlers.from_engine(['pred', 'label'])"}}

    MONAI takes the larger value for the better one. With an error as key metric the evaluator needs
    ``metric_cmp_fn=lambda current, best: current < best``, MONAI's ``CheckpointSaver``
    ``key_metric_negative_sign=True``.

    Args:
        metric_fn: the metric.
        output_transform: from the engine's output to `(y_pred, y)`.
        save_details: keep the images' own values.
    """

    def __init__(
        self,
        metric_fn: StackMetric,
        output_transform: Callable = lambda output: output,
        save_details: bool = True,
    ) -> None:
        super().__init__(metric_fn=metric_fn, output_transform=output_transform, save_details=save_details)

    def compute(self) -> Any:
        """Value of the epoch; details and the number of undefined sections go to the engine's state."""
        value = super().compute()
        if self._engine is not None and self._name is not None:
            if self.save_details:
                self._engine.state.metric_details[self._name] = self.metric_fn.aggregate(reduction="none")
            # ignite keeps the metrics of the run before
            self._engine.state.metrics.pop(f"{self._name}_undefined", None)
            if self.metric_fn.undefined:
                self._engine.state.metrics[f"{self._name}_undefined"] = self.metric_fn.undefined
        return value
