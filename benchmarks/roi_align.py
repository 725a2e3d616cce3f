"""Time ROIAlign on one thread: 512 boxes on features of 256 x 64 x 64, and a 3D case.

    python benchmarks/roi_align.py

The alternative run here is bilinear sampling by `torch.nn.functional.grid_sample` and averaging, the usual way
to write ROIAlign without compiled operators. torchvision is not run; its times are those of its compiled
operator in version 0.27.1 on one thread of an AMD EPYC.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from nms import milliseconds
from torch.nn.functional import avg_pool2d, grid_sample

from medseg.networks.mask_rcnn import roi_align

TORCHVISION_MS = {(7, 2): (79, 428), (7, 0): (117, None), (14, 2): (342, 1711), (14, 0): (249, None)}
SCALE = 0.25


def by_grid_sample(features: torch.Tensor, boxes: torch.Tensor, size: int, ratio: int) -> torch.Tensor:
    """Aligned ROIAlign of one image; zero instead of the rim's value beyond half a cell outside."""
    step = (torch.arange(size * ratio) + 0.5) / (size * ratio)
    low, high = boxes[:, None, :2] * SCALE, boxes[:, None, 2:] * SCALE
    place = (low + (high - low) * step[:, None]) * 2 / torch.tensor(features.shape[2:]) - 1
    y, x = place[:, :, None, 0], place[:, None, :, 1]
    grid = torch.stack(torch.broadcast_tensors(x, y), dim=-1)
    sampled = [
        avg_pool2d(grid_sample(features.expand(len(part), -1, -1, -1), part, align_corners=False), ratio)
        for part in grid.split(64)
    ]
    return torch.cat(sampled)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, 1 thread; processor milliseconds, median")
    features = torch.randn(1, 256, 64, 64)
    low = torch.rand(512, 2) * 120 + 10
    boxes, image = torch.cat([low, low + 8 + 100 * torch.rand(512, 2)], dim=1), torch.zeros(512, dtype=torch.int64)
    for (size, ratio), (forward_ms, both_ms) in TORCHVISION_MS.items():

        def run(inputs, size=size, ratio=ratio):
            return roi_align(inputs, boxes, image, (size, size), SCALE, ratio)

        name = f"{size:2} x {size:2}, sampling {ratio or 'adaptive'}"
        ours = milliseconds(lambda run=run: run(features))
        line = f"{name:24} forward {ours:7.1f}   torchvision (published) {forward_ms:5}, {forward_ms / ours:4.1f} x"
        if ratio:
            torch.testing.assert_close(
                run(features), by_grid_sample(features, boxes, size, ratio), rtol=1e-3, atol=1e-4
            )
            sampled = milliseconds(lambda s=size, r=ratio: by_grid_sample(features, boxes, s, r))
            line += f"   grid_sample {sampled:7.1f}, {sampled / ours:4.1f} x"
        print(line)
        if both_ms:
            wanted = features.clone().requires_grad_()
            both = milliseconds(lambda run=run, wanted=wanted: run(wanted).sum().backward())
            print(f"{'':24} + backward {both:5.1f}  torchvision (published) {both_ms:5}, {both_ms / both:4.1f} x")
    features = torch.randn(1, 64, 24, 48, 48)
    low = torch.rand(128, 3) * torch.tensor([60.0, 140, 140])
    boxes, image = torch.cat([low, low + 20], dim=1), torch.zeros(128, dtype=torch.int64)
    ours = milliseconds(lambda: roi_align(features, boxes, image, (7, 7, 7), SCALE))
    print(f"3D: 128 boxes, 64 x 24 x 48 x 48, 7 x 7 x 7: forward {ours:.1f}")


if __name__ == "__main__":
    main()
