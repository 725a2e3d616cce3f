"""Score nuclei_unetplusplus on its validation (or training) images, for each kind of image and over all.

    python benchmarks/nuclei_scores.py --data FOLDER [--weights FILE] [--level L] [--tta] [--sweep]
        [--part training]

FOLDER is the bundle's training folder (see bundles/nuclei_unetplusplus/docs/README.md). IoU is of the foreground, its
pixels taken together; AP50 is tp / (tp + fp + fn) at an IoU of 0.5, AP50:95 its mean over ten IoUs, objects taken
together; the topological warping error is per pixel. `--sweep` prints AP50 and IoU for other settings of the
watershed.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from monai.inferers import Inferer
from torch import Tensor, nn

from medseg.catalog import find_bundle
from medseg.inferers import OverlapTileInferer
from medseg.io import training_items
from medseg.kernels.contingency import ContingencyTable
from medseg.metrics import topological_warping_error
from medseg.metrics.instances import AP_IOU_THRESHOLDS, average_precision_of
from medseg.metrics.overlap import overlaps
from medseg.transforms import InstancesFromCore, LoadSectiond, PercentileNormalized, ToRGBd
from medseg.workflow.load import load_workflow

BUNDLE = "nuclei_unetplusplus"
FLUORESCENCE = ("fluorescence", "bbbc039")
TILE = 4096
SWEEP = {
    "core_threshold": (0.5, 0.7),
    "cell_threshold": (0.5, 0.6),
    "neck": (0.0, 0.4, 0.5, 0.6),
    "min_confidence": (0.0, 0.85, 0.9, 0.95),
}


@dataclass(frozen=True)
class Sample:
    """One validation image as the network takes it, its true labels and its kind."""

    image: Tensor
    labels: np.ndarray
    kind: str


@dataclass
class Score:
    """Sums over images of one kind."""

    images: int = 0
    intersection: int = 0
    union: int = 0
    warped: float = 0
    pixels: int = 0
    tables: tuple[ContingencyTable, ...] = ()

    def add(self, found: np.ndarray, truth: np.ndarray, topology: bool) -> None:
        """Compare one image."""
        self.images += 1
        self.intersection += int(((found > 0) & (truth > 0)).sum())
        self.union += int(((found > 0) | (truth > 0)).sum())
        self.pixels += truth.size
        if topology:
            self.warped += topological_warping_error(found, truth, threads=1).value * truth.size
        kinds = {"prediction_kind": "labels", "reference_kind": "labels"}
        self.tables += tuple(overlaps(found, truth, volumetric=False, **kinds).tables[0])

    def values(self) -> dict[str, float]:
        """The measures by name."""
        precision = average_precision_of(self.tables, AP_IOU_THRESHOLDS)
        return {
            "IoU": self.intersection / max(self.union, 1),
            "AP50": precision.scores[0].average_precision,
            "AP50:95": precision.value,
            "warping error": self.warped / max(self.pixels, 1),
        }


def prepared_samples(folder: Path, part: str = "validation") -> list[Sample]:
    """The validation (or training) images of a folder, prepared as the bundle does."""
    steps = (LoadSectiond(), ToRGBd("image"), PercentileNormalized("image", upper=99.8, spatial_dims=2, together=True))
    samples = []
    for item in training_items(folder, part):
        data = item
        for step in steps:
            data = step(data)
        samples.append(Sample(data["image"].as_tensor(), data["label"][0].numpy(), item["stratum"] or "all"))
    return samples


def probabilities(network: nn.Module, samples: Iterable[Sample], inferer: Inferer | None = None) -> list[np.ndarray]:
    """Probability of nucleus and of core, ``(2, Y, X)``, of each image; by default in one look at native size."""
    # networks that do not say which sizes they take get multiples of 16
    facts = (
        {} if hasattr(network, "valid_size") else {"margin": 0, "stride": 16, "valid_size": lambda n: -(-n // 16) * 16}
    )
    inferer = inferer or OverlapTileInferer((TILE, TILE), **facts)
    with torch.inference_mode():
        return [torch.sigmoid(inferer(s.image[None], network))[0].numpy() for s in samples]


def scores(
    found: Sequence[np.ndarray],
    samples: Sequence[Sample],
    cells: Callable[[np.ndarray], np.ndarray],
    topology: bool = True,
) -> dict[str, dict[str, float]]:
    """Measures of each kind of image, of all fluorescence and of all images, by name."""
    table: dict[str, Score] = {}
    for probability, sample in zip(found, samples, strict=True):
        labels = np.asarray(cells(probability))[0]
        groups = [sample.kind, "all"] + ["all fluorescence"] * (sample.kind in FLUORESCENCE)
        for group in groups:
            table.setdefault(group, Score()).add(labels, sample.labels, topology)
    order = sorted(table, key=lambda name: (name.startswith("all"), name == "all", name))
    return {name: {"images": table[name].images, **table[name].values()} for name in order}


def bundle_parts(weights: Path | None = None, **settings) -> tuple[nn.Module, Inferer]:
    """The bundle's network on the CPU and its inferer; settings are keys of inference.json, ``level`` for example."""
    bundle = find_bundle(BUNDLE)
    settings |= {"device": "cpu", "weights": str(weights or bundle.weights), "datalist": [{"image": ""}]}
    parser = load_workflow(bundle, "inference", settings).parser
    return parser.get_parsed_content("network").eval(), parser.get_parsed_content("inferer")


def bundle_cells(**settings: float) -> InstancesFromCore:
    """The watershed with the bundle's settings, or some in their place."""
    config = json.loads(find_bundle(BUNDLE).config("inference").read_text(encoding="utf-8"))
    names = (*SWEEP, "min_core", "min_size")
    return InstancesFromCore(**{name: config[name] for name in names} | settings)


def table_of(rows: dict[str, dict[str, float]], heading: str) -> str:
    """Markdown of rows of measures."""
    names = list(next(iter(rows.values())))
    lines = [f"| {heading} | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    for name, values in rows.items():
        cells = (
            f"{v}" if isinstance(v, int) else f"{v:.5f}" if "warping" in k else f"{v:.3f}" for k, v in values.items()
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--level", type=int)
    parser.add_argument("--tta", action="store_true")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--part", default="validation", choices=("training", "validation"))
    options = parser.parse_args()
    samples = prepared_samples(options.data, options.part)
    network, inferer = bundle_parts(options.weights, level=options.level, tta=options.tta)
    found = probabilities(network, samples, inferer)
    print(table_of(scores(found, samples, bundle_cells()), "images"))
    if not options.sweep:
        return
    heading = f"| {' | '.join(SWEEP)} | AP50 fluorescence | AP50 all | IoU fluorescence |"
    print(f"\n{heading}\n" + "| --- " * 7 + "|")
    for settings in itertools.product(*SWEEP.values()):
        cells = bundle_cells(**dict(zip(SWEEP, settings, strict=True)))
        result = scores(found, samples, cells, topology=False)
        groups = (("all fluorescence", "AP50"), ("all", "AP50"), ("all fluorescence", "IoU"))
        values = [result.get(name, {}).get(score, float("nan")) for name, score in groups]
        print("| " + " | ".join(map(str, settings)) + " | " + " | ".join(f"{v:.4f}" for v in values) + " |", flush=True)


if __name__ == "__main__":
    main()
