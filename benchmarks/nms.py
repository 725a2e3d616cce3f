"""Time non-maximum suppression of boxes on one thread, against MONAI's.

    python benchmarks/nms.py

Random boxes of 10 to 70 pixels on 1000 pixels, IoU threshold 0.5, two scenes: `spread`, where most boxes are
kept (the worst case of a greedy loop), and `crowds`, 20 boxes about each object. torchvision is not run here;
its times are those of its compiled operator in version 0.27.1 on one thread of an AMD EPYC, spread boxes.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from monai.data.box_utils import non_max_suppression

from medseg.networks.mask_rcnn import nms

TORCHVISION_MS = {1000: 2.9, 5000: 66.0, 20000: 950.0}


def boxes_of(scene: str, n: int, dims: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(n)
    if scene == "spread":
        low = torch.rand(n, dims) * 1000
        boxes = torch.cat([low, low + 10 + 60 * torch.rand(n, dims)], dim=1)
    else:
        low = (torch.rand(n // 20, dims) * 1000).repeat_interleave(20, dim=0)
        boxes = torch.cat([low, low + 40], dim=1) + 4 * torch.randn(n, 2 * dims)
    return boxes, torch.rand(n)


def milliseconds(call, repeats: int = 5) -> float:
    """Median processor time after one warm-up: other jobs on the machine do not count."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread; processor milliseconds, median")
    print(f"{'scene':8} {'dims':>4} {'boxes':>6} {'kept':>6} {'ours':>9} {'MONAI':>10} {'ratio':>8}  torchvision")
    for dims in (2, 3):
        for scene in ("spread", "crowds"):
            for n in (1000, 5000, 20000):
                boxes, scores = boxes_of(scene, n, dims)
                kept = nms(boxes, scores, 0.5)
                assert torch.equal(kept, non_max_suppression(boxes, scores, 0.5)), "the two must agree"
                ours = milliseconds(lambda b=boxes, s=scores: nms(b, s, 0.5), 9)
                theirs = milliseconds(lambda b=boxes, s=scores: non_max_suppression(b, s, 0.5), 1 if n > 5000 else 3)
                compiled = TORCHVISION_MS[n] if (dims, scene) == (2, "spread") else None
                beside = f"{compiled:7.1f} there" if compiled else ""
                print(
                    f"{scene:8} {dims:4} {n:6} {len(kept):6} {ours:9.2f} {theirs:10.1f} {theirs / ours:7.0f}x  {beside}"
                )


if __name__ == "__main__":
    main()
