"""Refuse tiles that no image can be run in, before the first one is read."""

from __future__ import annotations

from typing import Any

from monai.inferers import SlidingWindowInferer

from medseg.errors import InputError
from medseg.inferers import OverlapTileInferer


def refuse_tiles_that_do_not_fit(name: str, inferer: Any, network: Any) -> None:
    """Look at the inferer that cuts the tiles, whatever others are around it.

    A network that pads takes any image that one tile holds: tiles too small for larger ones show with the image.

    Args:
        name: the bundle's.
        inferer: the bundle's.
        network: the bundle's; where it does not say which sizes it takes (``valid_size``) nothing is refused.

    Raises:
        InputError: a tile too small for any image, or not of a size that the network takes.
    """
    while hasattr(inferer, "inferer"):
        inferer = inferer.inferer
    valid_size = getattr(network, "valid_size", None)
    if valid_size is None:
        return
    if isinstance(inferer, OverlapTileInferer):
        tile, least = inferer.tile_shape, valid_size(network.stride + 2 * network.margin)
        if min(tile) < least:
            raise InputError(
                f"{name}: tiles of {_sides(tile)} pixels are too small for its network: give at least {least}"
            )
    elif isinstance(inferer, SlidingWindowInferer):
        tile = inferer.roi_size
        fitting = [valid_size(side) for side in tile]
        if list(tile) != fitting:
            raise InputError(f"{name}: its network takes no tiles of {_sides(tile)} voxels: give {_sides(fitting)}")


def _sides(shape: Any) -> str:
    return ",".join(map(str, shape))
