"""Score nuclei_mask_rcnn beside nuclei_unetplusplus on their validation images, for each kind of image.

    python benchmarks/nuclei_mask_rcnn_scores.py --data FOLDER [--weights FILE] [--tta] [--sweep] [--alone]

FOLDER and measures are those of nuclei_scores.py. `--sweep` prints AP50 for other scores from which a detection
counts; `--alone` leaves nuclei_unetplusplus out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from nuclei_scores import Sample, bundle_cells, bundle_parts, prepared_samples, probabilities, scores, table_of

from medseg.catalog import find_bundle
from medseg.inferers import ImageDetections
from medseg.transforms import LabelsFromDetectionsd
from medseg.workflow.load import load_workflow

BUNDLE = "nuclei_mask_rcnn"
SWEEP = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def detector(
    weights: Path | None, score: float, tta: bool = False
) -> Callable[[Sequence[Sample]], list[ImageDetections]]:
    """Finds what scores at least ``score`` in each image, tiled (and averaged over views) as the bundle does."""
    bundle = find_bundle(BUNDLE)
    settings = {"device": "cpu", "weights": str(weights or bundle.weights), "score_threshold": score, "tta": tta}
    part = load_workflow(bundle, "inference", settings, datalist=[{"image": ""}]).parser.get_parsed_content
    network, inferer = part("network").eval(), part("inferer")

    @torch.inference_mode()
    def detect(samples: Sequence[Sample]) -> list[ImageDetections]:
        return [inferer(sample.image[None], network)[0] for sample in samples]

    return detect


def painted(found: Sequence[ImageDetections], samples: Sequence[Sample], score: float) -> list[np.ndarray]:
    """Label images ``(1, Y, X)`` with the bundle's settings."""
    config = json.loads(find_bundle(BUNDLE).config("inference").read_text(encoding="utf-8"))
    limits = {key: config[key] for key in ("min_size", "min_visible")}
    paint = LabelsFromDetectionsd("pred", min_score=score, **limits)
    return [paint({"image": s.image, "pred": f})["pred"].numpy() for f, s in zip(found, samples, strict=True)]


def bundle_score() -> float:
    """The score from which a detection counts in the bundle."""
    return json.loads(find_bundle(BUNDLE).config("inference").read_text(encoding="utf-8"))["score_threshold"]


def as_they_are(labels: np.ndarray) -> np.ndarray:
    """Nothing is left to do for a label image."""
    return labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--tta", action="store_true", help="of nuclei_mask_rcnn")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    samples = prepared_samples(options.data)
    score = bundle_score()
    found = detector(options.weights, min(SWEEP) if options.sweep else score, options.tta)(samples)
    rows = scores(painted(found, samples, score), samples, as_they_are, topology=False)
    table = {f"{kind}, {BUNDLE}": values for kind, values in rows.items()}
    if not options.alone:
        network, inferer = bundle_parts()
        other = scores(probabilities(network, samples, inferer), samples, bundle_cells(), topology=False)
        table |= {f"{kind}, nuclei_unetplusplus": values for kind, values in other.items()}
        table = dict(sorted(table.items(), key=lambda row: (row[0].startswith("all"), row[0])))
    print(
        table_of(
            {name: {k: v for k, v in row.items() if k != "warping error"} for name, row in table.items()}, "images"
        )
    )
    if options.sweep:
        print("\n| score | AP50 fluorescence | AP50 all | AP50:95 all |\n" + "| --- " * 4 + "|")
        for least in SWEEP:
            result = scores(painted(found, samples, least), samples, as_they_are, topology=False)
            fluorescence, all_ = result["all fluorescence"], result["all"]
            print(f"| {least} | {fluorescence['AP50']:.3f} | {all_['AP50']:.3f} | {all_['AP50:95']:.3f} |", flush=True)


if __name__ == "__main__":
    main()
