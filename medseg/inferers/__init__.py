"""Inferers: how a network sees an image larger than itself."""

from medseg.inferers.autocast import AutocastInferer
from medseg.inferers.overlap_tile import OverlapTileInferer
from medseg.inferers.slice_by_slice import SliceBySliceInferer
from medseg.inferers.tiled_detection import TiledDetectionInferer

__all__ = ["AutocastInferer", "OverlapTileInferer", "SliceBySliceInferer", "TiledDetectionInferer"]
