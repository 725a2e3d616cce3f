"""The detections of one image as one value, which MONAI's engines pass on whole."""

from __future__ import annotations

from collections.abc import KeysView, Mapping

from torch import Tensor


class ImageDetections:
    """Boxes, labels, scores and masks of one image; reads like the dictionary that the detector returns.

    MONAI takes dictionaries and sequences apart when it decollates a batch: a dictionary of tensors with a row per
    object would become one dictionary per object. This is neither, so a list of these, one per image, is a batch.

    Args:
        tensors: see :class:`medseg.networks.MaskRCNN`.
    """

    ndim = 0  # decollating leaves what has no dimension whole: it takes its item()

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = dict(tensors)

    def __getitem__(self, key: str) -> Tensor:
        return self._tensors[key]

    def __contains__(self, key: str) -> bool:
        return key in self._tensors

    __iter__ = None  # or isinstance and iter() would find __getitem__

    def keys(self) -> KeysView[str]:
        """Names of the tensors; with them ``dict(detections)`` is the plain dictionary."""
        return self._tensors.keys()

    def item(self) -> ImageDetections:
        """Itself."""
        return self
