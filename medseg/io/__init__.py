"""Reading and writing images with one geometry from reader to writer.

MONAI's reader and writer classes are in :mod:`medseg.io.monai_io`, so that this package needs no torch.
"""

from medseg.io.datalist import training_items, volume_items
from medseg.io.geometry import Geometry, channel_first
from medseg.io.paths import image_stem, list_images
from medseg.io.read import read_image, read_labels
from medseg.io.write import write_image, write_labels

__all__ = [
    "Geometry",
    "channel_first",
    "image_stem",
    "list_images",
    "read_image",
    "read_labels",
    "training_items",
    "volume_items",
    "write_image",
    "write_labels",
]
