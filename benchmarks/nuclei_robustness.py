"""How the nuclei bundles bear images unlike those they were trained on: of other size, blurred, noisy, shaded.

    python benchmarks/nuclei_robustness.py --data FOLDER [--bundle nuclei_mask_rcnn] [--weights FILE] [--tta]
        [--changes NAME ...] [--set min_confidence=0]

FOLDER is the training folder of nuclei_unetplusplus. Its validation images are changed one way at a time, normalised
anew and scored as nuclei_scores.py does; labels follow the size. Noise and shading are relative to the range between
the 1st and the 99.8th percentile of an image. `--set` gives the watershed of nuclei_unetplusplus other settings.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from image_changes import CHANGES, Change, changed
from nuclei_mask_rcnn_scores import as_they_are, bundle_score, detector, painted
from nuclei_scores import Sample, bundle_cells, bundle_parts, prepared_samples, probabilities, scores

from medseg.cli.config_values import parse_settings
from medseg.transforms import PercentileNormalize

NORMALIZE = PercentileNormalize(upper=99.8, spatial_dims=2, together=True)

Scored = Callable[[Sequence[Sample]], dict[str, dict[str, float]]]
"""Measures of images by group and name, as of ``nuclei_scores.scores``."""


def by_pixels(weights: Path | None, tta: bool, **settings: float) -> Scored:
    """Scores of nuclei_unetplusplus; settings are those of its watershed."""
    (network, inferer), cells = bundle_parts(weights, tta=tta), bundle_cells(**settings)
    return lambda samples: scores(probabilities(network, samples, inferer), samples, cells, topology=False)


def one_by_one(weights: Path | None, tta: bool) -> Scored:
    """Scores of nuclei_mask_rcnn."""
    least = bundle_score()
    detect = detector(weights, least, tta)
    return lambda samples: scores(painted(detect(samples), samples, least), samples, as_they_are, topology=False)


SCORED = {"nuclei_unetplusplus": by_pixels, "nuclei_mask_rcnn": one_by_one}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", default=next(iter(SCORED)), choices=SCORED)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--tta", action="store_true")
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=list(CHANGES), metavar="NAME")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="key of the watershed")
    options = parser.parse_args()
    samples = prepared_samples(options.data)
    scored = SCORED[options.bundle](options.weights, options.tta, **parse_settings(options.set, {}))
    print("| change | fluorescence: IoU | AP50 | all: IoU | AP50 |\n" + "| --- " * 5 + "|", flush=True)
    for name in options.changes:
        rows = scored([after(CHANGES[name], sample) for sample in samples])
        fluorescence = rows.get("all fluorescence", {"IoU": float("nan"), "AP50": float("nan")})
        values = [row[score] for row in (fluorescence, rows["all"]) for score in ("IoU", "AP50")]
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |", flush=True)


def after(change: Change, sample: Sample) -> Sample:
    """The changed sample, normalised anew."""
    return Sample(*changed(change, sample.image.numpy(), sample.labels, NORMALIZE), sample.kind)


if __name__ == "__main__":
    main()
