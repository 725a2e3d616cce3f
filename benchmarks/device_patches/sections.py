"""Random patches of 2D images with what is learned from them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from device_patches.image_pool import ImagePool
from device_patches.random_intensity import RandomIntensity
from device_patches.random_warp import RandomWarp
from medseg.transforms import DetectionTarget

Item = dict[str, Tensor]
Batch = tuple[Any, Any]
SPOTS = 1024
"""Pixels of objects that are kept of each image to draw patches around."""


class Sections:
    """Patches of 2D images; ``label`` and ``weight`` are read at the same points.

    A share ``at_objects`` of them has a pixel of an object within a quarter of their side of the centre.
    """

    def __init__(
        self,
        items: list[Item],
        device: torch.device,
        *,
        size: int,
        batch: int,
        warp: RandomWarp,
        intensity: RandomIntensity,
        chances: list[float] | None = None,
        margin: int = 0,
        outside: str = "reflect",
        inset: float = 0.0,
        at_objects: float = 0.0,
    ) -> None:
        self.pools = {k: ImagePool([item[k] for item in items], device, outside) for k in items[0]}
        self.chances = torch.tensor(chances or [1.0] * len(items), device=device)
        self.size, self.batch, self.warp, self.intensity = (size, size), batch, warp, intensity
        self.margin, self.inset, self.at_objects = margin, inset, at_objects
        self.spots = torch.stack([spots(item["label"][0]) for item in items]).to(device) if at_objects else None

    def draw(self) -> Item:
        """A batch of images, labels and weights, the latter two without the margin that the network loses."""
        index = torch.multinomial(self.chances, self.batch, replacement=True)
        shapes = self.pools["image"].shapes[index].float()
        inset = (shapes / 2).minimum(torch.tensor(self.inset * self.size[0], device=shapes.device))
        centres = inset + (shapes - 1 - 2 * inset).clamp_min(0) * torch.rand_like(shapes)
        if self.spots is not None:
            near = self.spots[index, torch.randint(SPOTS, (self.batch,), device=index.device)]
            near = near + (torch.rand_like(near) - 0.5) * self.size[0] / 2
            there = torch.rand(self.batch, 1, device=index.device) < self.at_objects
            centres = torch.where(there & near.isfinite(), near, centres)
        points = self.warp.points(centres, self.size)
        image = self.intensity(self.pools["image"].read(index, points))
        m = self.margin
        inner = points[:, m : self.size[0] - m, m : self.size[1] - m]
        return {"image": image} | {
            k: self.pools[k].read(index, inner, k == "weight") for k in self.pools if k != "image"
        }

    def __call__(self) -> Batch:
        """Images, and labels ``(B, C, *size)`` or a mapping of labels and weights."""
        drawn = self.draw()
        image = drawn.pop("image")
        return image, drawn if "weight" in drawn else drawn["label"].float()


def spots(label: Tensor) -> Tensor:
    """Pixels above 0 drawn at random, with repetitions, ``(SPOTS, 2)``; infinite where there is none."""
    found = label.nonzero().float()
    if not len(found):
        return torch.full((SPOTS, 2), torch.inf)
    return found[torch.randint(len(found), (SPOTS,))]


class Detections(Sections):
    """Patches with the boxes and outlines of their objects."""

    def __call__(self) -> Batch:
        """A list of images and one of targets, as :class:`medseg.networks.MaskRCNN` takes them."""
        drawn = self.draw()
        target = DetectionTarget(min_size=12)
        targets = [target(label) for label in drawn["label"].cpu()]
        return list(drawn["image"]), [{k: v.to(drawn["image"].device) for k, v in t.items()} for t in targets]
