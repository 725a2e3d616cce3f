"""Topology, instance and pixel metrics: plain functions and MONAI Cumulative metrics.

Each is loaded when it is asked for: the functions but `score_organs` need no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES = {
    "warping": ("topological_warping_error",),
    "rand": ("rand_error", "v_rand"),
    "information": ("v_info", "variation_of_information"),
    "pixel": ("dice", "iou", "pixel_error"),
    "betti": ("betti_error", "betti_numbers"),
    "centerline": ("cl_dice",),
    "instances": ("aggregated_jaccard_index", "average_precision", "f1_score", "panoptic_quality"),
    "organs": ("score_organs",),
    "handlers": ("StackMetricHandler",),
    "physical": ("PhysicalMetricHandler",),
    "pixel_metric": ("PixelErrorMetric",),
    "warping_metric": ("WarpingErrorMetric",),
    "topology_metrics": ("BettiErrorMetric", "CenterlineDiceMetric"),
    "overlap_metrics": (
        "InstanceAveragePrecisionMetric",
        "PanopticQualityMetric",
        "RandErrorMetric",
        "VInfoMetric",
        "VRandMetric",
        "VariationOfInformationMetric",
    ),
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}
__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 (a list, which ruff does not see)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
