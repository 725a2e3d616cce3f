"""Reading and writing images with one geometry from reader to writer.

MONAI's reader and writer classes are in :mod:`medseg.io.monai_io`, so that this package needs no torch.
"""

from medseg.io.datalist import training_items, volume_items
from medseg.io.geometry import Geometry, channel_first
from medseg.io.list_volumes import list_volumes, name_volumes
from medseg.io.nifti import write_label_volume
from medseg.io.paths import image_stem, list_images
from medseg.io.read import read_image, read_labels
from medseg.io.read_volume import read_volume
from medseg.io.volume import Space
from medseg.io.write import write_image, write_labels

__all__ = [
    "Geometry",
    "Space",
    "channel_first",
    "image_stem",
    "list_images",
    "list_volumes",
    "name_volumes",
    "read_image",
    "read_labels",
    "read_volume",
    "training_items",
    "volume_items",
    "write_image",
    "write_label_volume",
    "write_labels",
]
