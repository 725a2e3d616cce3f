"""Random patches of CT volumes, drawn so that each organ is seen as often as wanted."""

from __future__ import annotations

import torch
from torch import Tensor

from device_patches.image_pool import ImagePool
from device_patches.random_intensity import RandomIntensity
from device_patches.random_warp import RandomWarp
from medseg.errors import InputError
from medseg.transforms.flip_sides import exchange_labels

Item = dict[str, Tensor]


class Organs:
    """Patches of CT volumes: blocks, or slices with their neighbours as channels."""

    def __init__(
        self,
        items: list[Item],
        device: torch.device,
        *,
        size: tuple[int, ...],
        batch: int,
        warp: RandomWarp,
        intensity: RandomIntensity,
        ratios: list[float],
        pairs: list[list[int]],
        shift: float,
        offsets: list[int] | None = None,
    ) -> None:
        volumes = [{k: item[k].permute(0, 3, 1, 2) for k in ("image", "label")} for item in items]  # slices first
        self.image = ImagePool([v["image"] for v in volumes], device, "border")
        self.label = ImagePool([v["label"] for v in volumes], device, "border")
        self.size, self.batch, self.pairs, self.shift = size, batch, pairs, shift
        self.warp, self.intensity = warp, intensity
        self.offsets = None if offsets is None else torch.tensor(offsets, device=device)
        self.ratios = torch.tensor(ratios, dtype=torch.float32, device=device)
        self.places = [self._places(volumes, c).to(device) if r else None for c, r in enumerate(ratios)]

    @staticmethod
    def _places(volumes: list[Item], organ: int, most: int = 5000) -> Tensor:
        found = []
        for number, volume in enumerate(volumes):
            of_organ = (volume["label"][0] == organ) & ((volume["image"][0] > 0) | (organ > 0))
            places = torch.nonzero(of_organ)
            places = places[torch.randperm(len(places))[:most]]
            found.append(torch.cat([torch.full((len(places), 1), number), places], 1))
        places = torch.cat(found)
        if len(places) == 0:
            raise InputError(f"organ {organ}: in none of the {len(volumes)} volumes; give it the class ratio 0")
        return places

    def __call__(self) -> tuple[Tensor, Tensor]:
        """Images and labels; axes in the order of the volumes."""
        organs = torch.multinomial(self.ratios, self.batch, replacement=True).tolist()
        chosen = [self.places[o][torch.randint(len(self.places[o]), ())] for o in organs]
        index, centres = torch.stack(chosen).split([1, 3], dim=1)
        index, at = index[:, 0], centres.float()
        at = at + self.shift * (2 * torch.rand_like(at) - 1)
        if self.offsets is None:
            points = self.warp.points(at, self.size)
            image, label = self.image.read(index, points), self.label.read(index, points, linear=False)
            image, label = image.permute(0, 1, 3, 4, 2), label.permute(0, 1, 3, 4, 2)
        else:
            points = self.warp.points(at[:, 1:], self.size)
            image = self.image.read_slices(index, centres[:, :1] + self.offsets, points)
            label = self.label.read_slices(index, centres[:, :1], points, linear=False)
        image, label = self._mirror(image, label)
        return self.intensity(image.float()), label.float()

    def _mirror(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        turned = (torch.rand(len(image), device=image.device) < 0.5).reshape(-1, *[1] * (image.ndim - 1))
        mirrored = exchange_labels(label.flip(2), self.pairs)
        return torch.where(turned, image.flip(2), image), torch.where(turned, mirrored, label)
