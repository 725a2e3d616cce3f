"""Where to read a batch of patches: rotated, scaled, sheared, mirrored and elastically deformed at random."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate


@dataclass(frozen=True)
class RandomWarp:
    """Ranges of the random deformation of each patch of a batch.

    Attributes:
        zoom: least and greatest magnification, drawn evenly on a logarithmic scale, with ``zoom_prob``.
        stretch: greatest further change of each axis by itself, as a share.
        rotate: greatest angle in radians, of the plane of the last two axes; ``tilt`` of the other planes.
        quarter_turns: also turn by 0, 90, 180 or 270 degrees and mirror.
        shear: greatest shear.
        elastic: standard deviation in pixels of the displacements at ``control_points`` per axis, with
            ``elastic_prob``.
        still: share of the patches that are not deformed: read at whole pixels, at most turned by 90 degrees and
            mirrored. Between pixels an image is smoother than any that the network will be given.
    """

    zoom: tuple[float, float] = (1.0, 1.0)
    zoom_prob: float = 1.0
    stretch: float = 0.0
    rotate: float = 0.0
    rotate_prob: float = 1.0
    tilt: float = 0.0
    quarter_turns: bool = False
    shear: float = 0.0
    elastic: float = 0.0
    elastic_prob: float = 0.5
    control_points: int = 4
    still: float = 0.0

    def points(self, centres: Tensor, size: tuple[int, ...]) -> Tensor:
        """Points ``(B, *size, d)`` to read around ``centres`` ``(B, d)``."""
        device, (count, dims) = centres.device, centres.shape
        axes = [torch.arange(n, device=device, dtype=torch.float32) - (n - 1) / 2 for n in size]
        grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
        grid = grid.expand(count, *grid.shape)
        moves = (torch.rand(count, device=device) >= self.still).float()
        if self.elastic > 0:
            grid = grid + self._displacements(moves, size)
        flat = torch.einsum("bij,bnj->bni", self._matrices(moves, dims), grid.reshape(count, -1, dims))
        points = flat + centres[:, None]
        return torch.where(moves.bool()[:, None, None], points, points.round()).reshape(grid.shape)

    def _matrices(self, moves: Tensor, dims: int) -> Tensor:
        device, count = moves.device, len(moves)

        def uniform(*shape: int) -> Tensor:
            return (2 * torch.rand(count, *shape, device=device) - 1) * moves.reshape(-1, *[1] * len(shape))

        low, high = torch.tensor(self.zoom).log().tolist()
        zooms = (torch.rand(count, device=device) < self.zoom_prob) & moves.bool()
        zoom = torch.where(zooms, low + (high - low) * torch.rand(count, device=device), 0.0).exp()
        matrix = torch.diag_embed((1 + self.stretch * uniform(dims)) / zoom[:, None])
        shears = torch.eye(dims, device=device) + self.shear * uniform(dims, dims) * (
            1 - torch.eye(dims, device=device)
        )
        matrix = shears @ matrix
        for first in range(dims - 1):
            for second in range(first + 1, dims):
                in_plane = (first, second) == (dims - 2, dims - 1)
                angle = uniform() * (self.rotate if in_plane else self.tilt)
                if in_plane:
                    angle = angle * (torch.rand(count, device=device) < self.rotate_prob)
                    if self.quarter_turns:
                        angle = angle + torch.randint(4, (count,), device=device) * (torch.pi / 2)
                turn = torch.eye(dims, device=device).repeat(count, 1, 1)
                turn[:, first, first] = turn[:, second, second] = angle.cos()
                turn[:, first, second], turn[:, second, first] = -angle.sin(), angle.sin()
                matrix = turn @ matrix
        if self.quarter_turns:
            mirror = torch.ones(count, dims, device=device)
            mirror[:, -1] = 1 - 2.0 * (torch.rand(count, device=device) < 0.5)
            matrix = matrix * mirror[:, None, :]
        return matrix

    def _displacements(self, moves: Tensor, size: tuple[int, ...]) -> Tensor:
        device, (count, dims) = moves.device, (len(moves), len(size))
        coarse = self.elastic * torch.randn(count, dims, *[self.control_points] * dims, device=device)
        coarse *= (moves * (torch.rand(count, device=device) < self.elastic_prob)).reshape(-1, *[1] * (dims + 1))
        mode = "bicubic" if dims == 2 else "trilinear"
        return interpolate(coarse, size=size, mode=mode, align_corners=True).movedim(1, -1)
