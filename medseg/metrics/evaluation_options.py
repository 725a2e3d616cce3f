"""Which scores there are, which are wanted, and how images become objects."""

from __future__ import annotations

from dataclasses import dataclass

from medseg.errors import InputError
from medseg.metrics.foreground import Kind

GROUPS = {
    "warping": ("warping_error", "warping_error_classic", "splits", "mergers"),
    "pixel": ("pixel_error",),
    "segments": (
        "rand_error_2012",
        "rand_standard_f",
        "vi_split",
        "vi_merge",
        "ap50",
        "ap50_95",
        "pq",
    ),
    "thinned": ("v_rand", "v_info"),
    "foreground": ("dice", "iou"),
    "betti": ("betti_0_error", "betti_1_error", "betti_2_error"),
    "centerline": ("cl_dice",),
}
METRICS = (
    *GROUPS["warping"],
    "pixel_error",
    "rand_error_2012",
    "rand_standard_f",
    *GROUPS["thinned"],
    *GROUPS["segments"][2:],
    *GROUPS["foreground"],
)
"""Names of the scores that are measured unless others are asked for, in the order in which they are shown."""

ON_REQUEST = (*GROUPS["betti"], *GROUPS["centerline"])
"""Names of the scores that have to be asked for."""

HIGHER_IS_BETTER = {"rand_standard_f", "v_rand", "v_info", "ap50", "ap50_95", "pq", "dice", "iou", "cl_dice"}

_LEVEL = 0.5  # of the measures that know no sweep


@dataclass(frozen=True)
class EvaluationOptions:
    """What to measure, and how images become objects."""

    metrics: tuple[str, ...] = METRICS
    threshold: float | None = None
    """One level for everything; None: the challenge's sweeps, and 0.5 where there is no sweep."""
    thin_borders: bool = False
    """Also for the measures other than V_Rand and V_Info."""
    volumetric: bool | None = None
    """Objects reach through the sections; None: if both sides are label volumes, but for what looks at borders
    (warping error, pixel error, V_Rand, V_Info)."""
    prediction_kind: Kind | None = None
    reference_kind: Kind | None = None

    def __post_init__(self) -> None:
        known = (*METRICS, *ON_REQUEST)
        unknown = sorted(set(self.metrics) - set(known))
        if unknown or not self.metrics:
            raise InputError(f"metrics: {', '.join(unknown) or 'none given'}; choose among {', '.join(known)}")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InputError(f"threshold: {self.threshold} is not between 0 and 1")
        if self.thin_borders and self.volumetric:
            raise InputError("thin borders: they are thinned section by section, not in objects that are volumes")

    def needs(self, group: str) -> bool:
        """Whether a score of the group is wanted."""
        return any(name in self.metrics for name in GROUPS[group])

    @property
    def levels(self) -> tuple[float, ...] | None:
        """Where probabilities are cut for the measures that know a sweep; None for their own."""
        return None if self.threshold is None else (self.threshold,)

    @property
    def level(self) -> float:
        """Where probabilities are cut for the measures that know no sweep."""
        return _LEVEL if self.threshold is None else self.threshold
