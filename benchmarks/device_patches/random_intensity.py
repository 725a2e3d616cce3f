"""Random brightness, contrast, colour, sharpness and noise of a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, avg_pool3d


@dataclass(frozen=True)
class RandomIntensity:
    """Ranges of the changes; each image of a batch draws its own. Values are about 0 to 1.

    Attributes:
        scale: greatest change of the contrast as a share, with ``scale_prob``.
        shift: greatest added value, with probability 0.5.
        gamma: least and greatest exponent, with ``gamma_prob``; mean and deviation stay.
        gamma_in_range: 0 and 1 stay instead, as in images that are scaled by their percentiles; the exponent's
            logarithm is drawn.
        blur: width of the moving average that is mixed in, twice, with ``blur_prob``.
        noise: greatest standard deviation of added noise, with ``noise_prob``; in a share ``noise_alike`` of the images
            it is the same in all channels, as in gray images that are given as colours.
        mix: probability of mixing the colours, ``invert`` of ``1 - x``.
        shade: greatest change of the brightness from the centre of a patch to its border, with ``shade_prob``.
    """

    scale: float = 0.0
    scale_prob: float = 0.5
    shift: float = 0.0
    gamma: tuple[float, float] = (1.0, 1.0)
    gamma_prob: float = 0.3
    blur: int = 1
    blur_prob: float = 0.2
    noise: float = 0.0
    noise_prob: float = 0.3
    noise_alike: float = 0.0
    mix: float = 0.0
    invert: float = 0.0
    gamma_in_range: bool = False
    shade: float = 0.0
    shade_prob: float = 0.3

    def __call__(self, image: Tensor) -> Tensor:
        """Change ``(B, C, *spatial)`` float images."""
        count, along = image.shape[0], (-1, *[1] * (image.ndim - 1))

        def uniform(low: float, high: float) -> Tensor:
            return (low + (high - low) * torch.rand(count, device=image.device)).reshape(along)

        def chosen(prob: float) -> Tensor:
            return (torch.rand(count, device=image.device) < prob).reshape(along)

        if self.mix or self.invert:
            image = _mix_colours(image, self.mix)
            image = torch.where(chosen(self.invert), 1 - image, image)
        if self.gamma_prob and self.gamma != (1.0, 1.0):
            if self.gamma_in_range:
                bent = image.clamp(0, 1) ** uniform(*map(math.log, self.gamma)).exp()
            else:
                bent = _bend(image, uniform(*self.gamma))
            image = torch.where(chosen(self.gamma_prob), bent, image)
        if self.shade:
            image = image * torch.where(chosen(self.shade_prob), 1 + self.shade * _slopes(image), 1.0)
        image = image * torch.where(chosen(self.scale_prob), uniform(1 - self.scale, 1 + self.scale), 1.0)
        image = image + torch.where(chosen(0.5), uniform(-self.shift, self.shift), 0.0)
        if self.blur > 1:
            share = torch.where(chosen(self.blur_prob), uniform(0, 1), 0.0)
            image = image + share * (_average(_average(image, self.blur), self.blur) - image)
        if self.noise:
            deviation = torch.where(chosen(self.noise_prob), uniform(0, self.noise), 0.0)
            noise = torch.randn_like(image)
            if self.noise_alike:
                noise = torch.where(chosen(self.noise_alike), noise[:, :1], noise)
            image = image + deviation * noise
        return image


def _average(image: Tensor, width: int) -> Tensor:
    pool = avg_pool2d if image.ndim == 4 else avg_pool3d
    return pool(image, width, 1, width // 2, count_include_pad=False)


def _bend(image: Tensor, exponent: Tensor) -> Tensor:
    axes = list(range(1, image.ndim))
    low, high = image.amin(axes, keepdim=True), image.amax(axes, keepdim=True)
    bent = ((image - low) / (high - low).clamp_min(1e-6)).clamp(0, 1) ** exponent
    mean, deviation = image.mean(axes, keepdim=True), image.std(axes, keepdim=True)
    return (bent - bent.mean(axes, keepdim=True)) / bent.std(axes, keepdim=True).clamp_min(1e-6) * deviation + mean


def _slopes(image: Tensor) -> Tensor:
    """For each image a plane through 0 in its centre, at most -1 to 1 at the border."""
    count, lengths = image.shape[0], image.shape[2:]
    directions = torch.randn(count, len(lengths), device=image.device)
    directions = directions / directions.abs().sum(1, keepdim=True) * torch.rand(count, 1, device=image.device)
    axes = torch.meshgrid(*(torch.linspace(-1, 1, n, device=image.device) for n in lengths), indexing="ij")
    return torch.einsum("bd,d...->b...", directions, torch.stack(axes))[:, None]


def _mix_colours(image: Tensor, prob: float) -> Tensor:
    """As :class:`medseg.transforms.RandChannelMix`: another order, gray in all channels, or gray in one of them."""
    count, channels = image.shape[:2]
    device = image.device
    order = torch.rand(count, channels, device=device).argsort(1)
    permuted = torch.eye(channels, device=device)[order]
    shares = -torch.rand(count, 1, channels, device=device).clamp_min(1e-6).log()
    gray = (shares / shares.sum(2, keepdim=True)).expand(-1, channels, -1)
    single = torch.eye(channels, device=device)[torch.randint(channels, (count,), device=device)][:, :, None] * gray
    kind = torch.randint(3, (count,), device=device)
    matrix = torch.stack([permuted, gray, single])[kind, torch.arange(count, device=device)]
    matrix = matrix * (1 + 0.2 * (2 * torch.rand(count, channels, 1, device=device) - 1))
    keep = torch.rand(count, device=device) >= prob
    matrix = torch.where(keep[:, None, None], torch.eye(channels, device=device), matrix)
    return torch.einsum("bdc,bc...->bd...", matrix, image)
