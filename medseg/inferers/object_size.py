"""A second look at images whose objects are small."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type, convert_to_numpy, convert_to_tensor
from torch import Tensor

from medseg.inferers.one_tensor import one_tensor
from medseg.inferers.progress_through import ProgressThroughInferer
from medseg.inferers.rescaled import RescaledInferer
from medseg.inferers.slice_by_slice import check_around_slices

_WORTH_A_LOOK = 1.1  # less than this changes nothing that a network would see


class ObjectSizeInferer(ProgressThroughInferer):
    """Run an inferer, measure the objects found, and where they are small average with a look at the enlarged image.

    Objects of a dozen pixels have outlines coarser than the gaps between them. The median diameter of the first
    look decides, for each section by itself, how much the image is enlarged for the second; what comes out is
    brought back to the image's pixels and averaged with the first. Where objects are large enough, the first look
    is the result.

    Args:
        inferer: what runs the network, for example :class:`medseg.inferers.OverlapTileInferer`.
        objects: logits ``(K, *spatial)`` of one section to a label image, for example MONAI's ``Compose`` of
            ``Activations`` and :class:`medseg.transforms.InstancesFromCore`.
        smallest: median diameter that need not be enlarged, pixels (of the circle or ball of the same size).
        max_zoom: largest magnification; 1: no second look. Costs up to ``max_zoom`` ** ``spatial_dims`` more.
        spatial_dims: axes of one section, 2 or 3; axes between these and the channels are sections.

    Shapes: as the inferer inside.

    Raises:
        ValueError: ``smallest`` not above 0, ``max_zoom`` below 1, two axes around a
            :class:`medseg.inferers.SliceBySliceInferer`, or a network that returns several tensors.
    """

    def __init__(
        self,
        inferer: Inferer,
        objects: Callable[[Tensor], Any],
        smallest: float = 24.0,
        max_zoom: float = 2.0,
        spatial_dims: int = 2,
    ) -> None:
        super().__init__(inferer)
        if not smallest > 0:
            raise ValueError(f"smallest {smallest}: give a diameter above 0, in pixels")
        if not max_zoom >= 1:
            raise ValueError(f"max_zoom {max_zoom}: give 1 (no second look) or more")
        check_around_slices(inferer, spatial_dims)
        self.objects, self.smallest, self.max_zoom = objects, smallest, max_zoom
        self.spatial_dims = spatial_dims

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """Output of ``network`` for the whole of ``inputs``, at its size."""
        image = convert_to_tensor(inputs, track_meta=False)
        output = convert_to_tensor(one_tensor(self.inferer(image, network, *args, **kwargs)), track_meta=False)
        if self.max_zoom > 1:
            output = output.clone()
            batch, _, *rest = image.shape
            for index in np.ndindex(batch, *rest[: -self.spatial_dims]):
                section = (index[0], slice(None), *index[1:])
                zoom = self.zoom(output[section])
                if zoom >= _WORTH_A_LOOK:
                    again = RescaledInferer(self.inferer, zoom, self.spatial_dims)
                    output[section] = (output[section] + again(image[section][None], network, *args, **kwargs)[0]) / 2
        return convert_to_dst_type(output, inputs, dtype=output.dtype)[0]

    def zoom(self, logits: Tensor) -> float:
        """How much to enlarge a section, from its logits at native size; 1 where nothing is found."""
        sizes = np.bincount(convert_to_numpy(self.objects(logits)).astype(np.int64).ravel())[1:]
        sizes = sizes[sizes > 0]
        if not sizes.size:
            return 1.0
        # area π d² / 4, volume π d³ / 6
        diameter = (np.median(sizes) * 2 * self.spatial_dims / math.pi) ** (1 / self.spatial_dims)
        return float(np.clip(self.smallest / diameter, 1, self.max_zoom))
