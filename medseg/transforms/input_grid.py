"""From the network's grid back to the voxels of the file, without class x volume floats."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import TransformBackends

from medseg.errors import InputError
from medseg.io.source_file import describe_source

_SLAB_FLOATS = 2**24  # class probabilities at once on the input's grid: 64 MB


class LabelsOnInputGridd(MapTransform):
    """Turn logits on the network's grid into labels on the grid of the file, whatever transforms lie between.

    The affines of both grids say where a voxel lies, so one trilinear resampling of the class probabilities
    undoes orientation, resampling, cropping and padding together; the argmax is taken slab by slab, where there is
    more than background. Voxels outside the network's grid (cropped air) are background.

    Args:
        keys: logits ``(C, *spatial)``; they become labels ``(1, X, Y, Z)``, uint8 for up to 256 classes.
        reference_key: the preprocessed image on whose grid the logits are, a MetaTensor read by
            :class:`medseg.io.volume_reader.VolumeReader`.
        allow_missing_keys: skip keys that an item lacks.

    Raises:
        InputError: an image that carries no input grid, logits of another shape than the image, or NaN.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(self, keys: KeysCollection, reference_key: str = "image", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.reference_key = reference_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with the keys as label volumes."""
        result, present = dict(data), list(self.key_iterator(data))
        if not present:
            return result
        image = data[self.reference_key]
        if not isinstance(image, MetaTensor) or "input_affine" not in image.meta:
            raise InputError(
                f"LabelsOnInputGridd: {self.reference_key!r}{describe_source(image)} does not know the grid of its "
                "file; load it with LoadImaged(reader='medseg.io.volume_reader.VolumeReader')"
            )
        shape = tuple(int(n) for n in image.meta["input_shape"])
        to_network = np.linalg.inv(np.asarray(image.affine, dtype=float)) @ np.asarray(image.meta["input_affine"])
        for key in present:
            logits = torch.as_tensor(result[key])
            logits = logits.as_tensor() if isinstance(logits, MetaTensor) else logits
            if logits.shape[1:] != image.shape[1:]:
                raise InputError(
                    f"LabelsOnInputGridd: {key!r} has the shape {tuple(logits.shape[1:])}, "
                    f"{self.reference_key!r} {tuple(image.shape[1:])}; they must share one grid"
                )
            if logits.isnan().any():
                raise InputError(f"LabelsOnInputGridd: {key!r}{describe_source(image)} has NaN; the network overflowed")
            labels = labels_on_grid(torch.softmax(logits.float(), dim=0), to_network, shape)
            meta = {k: v for k, v in image.meta.items() if k != "affine"} | {"spatial_shape": np.asarray(shape)}
            affine = torch.as_tensor(np.asarray(image.meta["input_affine"], dtype=float))
            result[key] = MetaTensor(labels[None], affine=affine, meta=meta)
        return result


def labels_on_grid(probability: torch.Tensor, to_source: np.ndarray, shape: tuple[int, int, int]) -> torch.Tensor:
    """Most probable class at each voxel of another grid.

    Args:
        probability: ``(C, X, Y, Z)`` float; class 0 is background.
        to_source: 4x4 from indices of the new grid to indices of ``probability``.
        shape: of the new grid.

    Returns:
        ``shape``, uint8 (int32 for more than 256 classes); 0 for voxels whose centre lies more than half a voxel
        outside.
    """
    classes = probability.shape[0]
    device = probability.device
    labels = torch.zeros(shape, dtype=torch.uint8 if classes <= 256 else torch.int32, device=device)
    matrix = torch.as_tensor(to_source, dtype=torch.float64)
    size = torch.tensor(probability.shape[1:], dtype=torch.float64)
    # grid_sample counts from -1 at the outer face of the first voxel to 1 at that of the last, last axis first
    scale = 2 / size
    box = _box_of_objects(probability, to_source, shape)
    planes = max(1, _SLAB_FLOATS // max(1, classes * len(box[1]) * len(box[2])))
    y, z = (torch.tensor(side, dtype=torch.float64) for side in box[1:])
    for start in box[0][::planes]:
        x = torch.arange(start, min(start + planes, box[0].stop), dtype=torch.float64)
        index = torch.stack(torch.meshgrid(x, y, z, indexing="ij"), dim=-1)
        place = (index @ matrix[:3, :3].T + matrix[:3, 3] + 0.5) * scale - 1
        inside = (place.abs() <= 1 + 1e-6).all(dim=-1).to(device)
        grid = place.flip(-1)[None].to(device, probability.dtype)
        sampled = F.grid_sample(probability[None], grid, mode="bilinear", padding_mode="border", align_corners=False)
        there = slice(start, start + len(x)), *(slice(side.start, side.stop) for side in box[1:])
        labels[there] = (sampled[0].argmax(dim=0) * inside).to(labels.dtype)
    return labels


def _box_of_objects(probability: torch.Tensor, to_source: np.ndarray, shape: tuple[int, int, int]) -> list[range]:
    """Indices, axis by axis, outside which every voxel lies among voxels of background, which it is then itself."""
    found = [np.flatnonzero(found.cpu()) for found in _along_axes(probability.argmax(dim=0) != 0)]
    if not found[0].size:
        return [range(0)] * 3
    corners = np.array(list(itertools.product(*((places[0] - 1, places[-1] + 1) for places in found))))
    there = (corners - to_source[:3, 3]) @ np.linalg.inv(to_source[:3, :3]).T
    low, high = np.floor(there.min(axis=0)).astype(int), np.ceil(there.max(axis=0)).astype(int) + 1
    box = [range(max(0, a), min(n, b)) for a, b, n in zip(low, high, shape, strict=True)]
    return box if all(map(len, box)) else [range(0)] * 3


def _along_axes(mask: torch.Tensor) -> list[torch.Tensor]:
    """For each axis, whether any voxel of a plane across it is set."""
    return [mask.any(dim=2).any(dim=1), mask.any(dim=2).any(dim=0), mask.any(dim=0).any(dim=0)]
