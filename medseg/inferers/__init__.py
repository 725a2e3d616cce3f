"""Inferers: how a network sees an image larger than itself."""

from medseg.inferers.autocast import AutocastInferer
from medseg.inferers.detection_augmentation import TestTimeAugmentationDetectionInferer
from medseg.inferers.image_detections import ImageDetections
from medseg.inferers.overlap_tile import OverlapTileInferer
from medseg.inferers.rescaled import RescaledInferer
from medseg.inferers.slice_by_slice import SliceBySliceInferer
from medseg.inferers.test_time_augmentation import TestTimeAugmentationInferer
from medseg.inferers.tiled_detection import TiledDetectionInferer

__all__ = [
    "AutocastInferer",
    "ImageDetections",
    "OverlapTileInferer",
    "RescaledInferer",
    "SliceBySliceInferer",
    "TestTimeAugmentationDetectionInferer",
    "TestTimeAugmentationInferer",
    "TiledDetectionInferer",
]
