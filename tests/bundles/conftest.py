"""Detector bundles with narrow networks, and folders to train them on."""

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def narrow_detector(name: str, root: Path) -> Path:
    """A copy of a detector bundle with a narrow network of seeded random weights that finds much."""
    import torch
    from bundle_weights import ship_weights
    from monai.bundle import ConfigParser

    shutil.copytree(ROOT / "bundles" / name, root, ignore=shutil.ignore_patterns("models", "docs"))
    for path in (root / "configs").glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        network = content.get("network_def", {})
        if "backbone" in network and isinstance(network["backbone"], dict):
            network["backbone"]["out_channels"] = 8
            network["pooling"] |= {"hidden": 16, "box_size": 3, "mask_size": 4}
            network["proposals"] |= {"per_level": 20, "per_image": 30}
            # random weights are never sure
            certain = {"score_threshold": 0.3, "min_visible": 0.0, "min_size": 1}
            content |= {key: value for key, value in certain.items() if key in content}
            path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    parser = ConfigParser()
    parser.read_config(root / "configs" / "inference.json")
    torch.manual_seed(0)
    ship_weights(root, parser.get_parsed_content("network_def"))
    return root


@pytest.fixture(scope="session")
def narrow_nuclei_detector(tmp_path_factory) -> Path:
    """Not to be written to: copy it first."""
    return narrow_detector("nuclei_mask_rcnn", tmp_path_factory.mktemp("bundles") / "narrow_nuclei")


@pytest.fixture(scope="session")
def narrow_cells3d_detector(tmp_path_factory) -> Path:
    """Not to be written to: copy it first."""
    return narrow_detector("cells3d_mask_rcnn", tmp_path_factory.mktemp("bundles") / "narrow_cells3d")


def nuclei_folder(folder: Path, shape: tuple[int, ...], count: int) -> Path:
    """Synthetic nuclei; the first image has none."""
    from data_tools.synth.nuclei import nuclei
    from medseg.io import Geometry, write_image, write_labels

    geometry = Geometry("ZYX"[3 - len(shape) :], (0.5,) * len(shape), "um")
    for k in range(count):
        sample = nuclei(shape, seed=k, diameter_px=12.0, coverage=0.2 if k else 0.0)
        write_image(folder / "images" / f"n{k}.tif", sample.image, geometry)
        write_labels(folder / "labels" / f"n{k}.tif", sample.labels, geometry)
    return folder


@pytest.fixture(scope="session")
def flat_nuclei(tmp_path_factory) -> Path:
    """A training folder of five small images. Not to be written to: copy it first."""
    return nuclei_folder(tmp_path_factory.mktemp("flat"), (80, 90), 5)


@pytest.fixture(scope="session")
def deep_nuclei(tmp_path_factory) -> Path:
    """A training folder of three small volumes. Not to be written to: copy it first."""
    return nuclei_folder(tmp_path_factory.mktemp("deep"), (20, 40, 44), 3)
