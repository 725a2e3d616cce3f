"""The topology kernels by one name: simple points, homotopic warping, and the classes of what remains."""

from medseg.kernels.articulation import articulation_points
from medseg.kernels.components import label_components
from medseg.kernels.mismatches import CLASSES, map_mismatches
from medseg.kernels.simple_points import SIMPLE_4_8, is_simple_6_26, simple_points
from medseg.kernels.thinning import thin
from medseg.kernels.warp import homotopic_warp

__all__ = [
    "CLASSES",
    "SIMPLE_4_8",
    "articulation_points",
    "homotopic_warp",
    "is_simple_6_26",
    "label_components",
    "map_mismatches",
    "simple_points",
    "thin",
]
