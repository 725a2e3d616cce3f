"""Time the detection of objects on one image of 512 x 512 on one thread.

    python benchmarks/mask_rcnn.py

The weights are random and the number of detections is set, since that and the backbone decide the time.
torchvision is not run here; 2.32 s is its maskrcnn_resnet50_fpn of version 0.27.1 with 59 detections, 91 classes
and the image kept at its size, on one thread of an AMD EPYC.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from medseg.networks.mask_rcnn import DetectionSettings, EncoderFPN, MaskRCNN, ProposalSettings, torchvision_mask_rcnn


def seconds(network: torch.nn.Module, image: torch.Tensor) -> tuple[float, int]:
    """Median processor time of three after one warm-up, and the number of detections."""
    times = []
    with torch.inference_mode():
        found = network(image)
        for _ in range(3):
            start = time.process_time()
            found = network(image)
            times.append(time.process_time() - start)
    return statistics.median(times), len(found[0]["boxes"])


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, 1 thread; processor seconds, median of 3")
    few = DetectionSettings(per_image=59, score_threshold=0.0)
    network = torchvision_mask_rcnn(min_size=512, detections=few).eval()
    took, count = seconds(network, torch.rand(1, 3, 512, 512))
    print(f"ResNet-50, 91 classes, {count:3} detections: {took:5.2f}   torchvision 2.32, {2.32 / took:.1f} x")
    for width in (256, 128, 64):
        for wanted in (100, 500):
            network = MaskRCNN(
                2,
                1,
                2,
                EncoderFPN(2, 1, out_channels=width),
                detections=DetectionSettings(per_image=wanted, score_threshold=0.0),
                proposals=ProposalSettings(per_image=1000),
            ).eval()
            took, count = seconds(network, torch.rand(1, 1, 512, 512))
            print(f"ResNet-18, 2 classes, pyramid of {width:3}, {count:3} detections: {took:5.2f}")


if __name__ == "__main__":
    main()
