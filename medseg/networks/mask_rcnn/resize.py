"""Images brought to the size a detector was trained at, and boxes back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate


class Resize(nn.Module, ABC):
    """Normalise images, then resize them, and their objects with them; how large is the subclass's ``factor``.

    Args:
        mean, std: per channel; None leaves the values.

    For 2D images; interpolation is bilinear without antialiasing, as torchvision's detectors have it.
    """

    def __init__(self, mean: Sequence[float] | None = None, std: Sequence[float] | None = None) -> None:
        super().__init__()
        self.mean, self.std = mean, std

    @abstractmethod
    def factor(self, shape: Sequence[int]) -> float:
        """How many times larger an image of the given spatial shape becomes."""

    def forward(
        self, images: Sequence[Tensor] | Tensor, targets: Sequence[Mapping[str, Tensor]] | None = None
    ) -> tuple[list[Tensor], list[dict[str, Tensor]] | None]:
        """Resized images ``(C, Y, X)`` and, if given, targets with boxes and masks resized alike."""
        resized = [self._image(image) for image in images]
        if targets is None:
            return resized, None
        return resized, [self._target(t, *pair) for t, *pair in zip(targets, images, resized, strict=True)]

    @staticmethod
    def restore(boxes: Tensor, from_shape: Sequence[int], to_shape: Sequence[int]) -> Tensor:
        """Boxes of an image of one spatial shape in pixels of another."""
        factor = [t / f for t, f in zip(to_shape, from_shape, strict=True)]
        return boxes * boxes.new_tensor(factor * 2)

    def _image(self, image: Tensor) -> Tensor:
        if image.dim() != 3:
            raise ValueError(f"an image of shape {tuple(image.shape)} is not (C, Y, X): only 2D images are resized")
        if self.mean is not None and self.std is not None:
            mean, std = (image.new_tensor(v)[:, None, None] for v in (self.mean, self.std))
            image = (image - mean) / std
        factor = self.factor(image.shape[1:])
        # 1e-6: 256 / 192 * 192 is 256 however it rounds
        shape = [max(1, int(n * factor + 1e-6)) for n in image.shape[1:]]
        return interpolate(image[None], size=shape, mode="bilinear", align_corners=False)[0]

    def _target(self, target: Mapping[str, Tensor], image: Tensor, resized: Tensor) -> dict[str, Tensor]:
        result = dict(target)
        result["boxes"] = self.restore(torch.as_tensor(target["boxes"]).float(), image.shape[1:], resized.shape[1:])
        for key in ("masks", "instances"):
            if key in target:
                result[key] = _nearest(torch.as_tensor(target[key]), resized.shape[1:])
        return result


class ResizeShortSide(Resize):
    """Resize so that the short side has a fixed length, as torchvision's detectors do: objects of photographs.

    Args:
        min_size: of the short side, pixels.
        max_size: most pixels of the long side; the short one is then shorter.
        mean, std: see :class:`Resize`.
    """

    def __init__(
        self,
        min_size: int = 800,
        max_size: int = 1333,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__(mean, std)
        self.min_size, self.max_size = min_size, max_size

    def factor(self, shape: Sequence[int]) -> float:
        """See :meth:`Resize.factor`."""
        return min(self.min_size / min(shape), self.max_size / max(shape))


class ResizeByFactor(Resize):
    """Enlarge all images alike, so that cells keep their relative size in crops, tiles and whole images.

    Args:
        times: how many times larger an image becomes, above 0.
        mean, std: see :class:`Resize`.

    Raises:
        ValueError: ``times`` not above 0.
    """

    def __init__(self, times: float, mean: Sequence[float] | None = None, std: Sequence[float] | None = None) -> None:
        super().__init__(mean, std)
        if not times > 0:
            raise ValueError(f"images become {times} times larger: give a number above 0")
        self.times = times

    def factor(self, shape: Sequence[int]) -> float:
        """See :meth:`Resize.factor`."""
        return self.times


def _nearest(pixels: Tensor, shape: Sequence[int]) -> Tensor:
    """Resize the last two axes by repeating or dropping pixels; exact for any integer type."""
    for axis, n in zip((-2, -1), shape, strict=True):
        length = pixels.shape[axis]
        source = torch.arange(n, device=pixels.device) * length // n
        pixels = pixels.index_select(axis, source)
    return pixels
