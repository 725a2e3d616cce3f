import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from medseg.io import Geometry, read_labels, write_image, write_labels

ROOT = Path(__file__).parents[2]
SMALL = ["--set", "patch_size=[16,32,32]", "--no-check", "--epochs", "1", "--set", "val_interval=1", "--from-scratch"]


def test_trains_infers_and_evaluates_volumes(medseg, narrow_cells3d_detector, deep_nuclei, tmp_path):
    bundle = narrow_cells3d_detector
    done = medseg("train", bundle, "--data", deep_nuclei, "-o", tmp_path / "run", *SMALL)
    assert done.code == 0, done.err
    assert "ap50" in done.out
    assert "2 training and 1 validation volumes" in done.out
    volume = deep_nuclei / "images" / "n1.tif"
    done = medseg("predict", bundle, volume, "-o", tmp_path, "--tile", "16,32,32", "--set", "tile_overlap=[0,16,16]")
    assert done.code == 0, done.err
    labels, geometry = read_labels(tmp_path / "n1_labels.tif")
    assert (labels.shape, geometry.axes) == ((20, 40, 44), "ZYX")
    rows = list(csv.DictReader((tmp_path / "n1_objects.csv").open()))
    assert [int(row["label"]) for row in rows] == sorted(set(np.unique(labels)) - {0})
    assert {"volume_px", "volume_um3", "centroid_z", "bbox_z0", "score"} <= set(rows[0])
    done = medseg("evaluate", tmp_path / "n1_labels.tif", deep_nuclei / "labels" / "n1.tif", "--objects", "volume")
    assert done.code == 0, done.err


def test_a_flat_image_is_refused(medseg, narrow_cells3d_detector, flat_nuclei, tmp_path):
    done = medseg("predict", narrow_cells3d_detector, flat_nuclei / "images" / "n1.tif", "-o", tmp_path)
    assert done.code == 1
    assert "no 3 spatial axes" in done.err


@pytest.mark.slow
def test_evaluate_scores_real_volumes(narrow_cells3d_detector, data_dir, tmp_path):
    from medseg.io import read_image

    for k, name in enumerate(("1135_mini", "1136_mini")):
        for kind, read, write in (("raw", read_image, write_image), ("labels", read_labels, write_labels)):
            path = data_dir / "ovules_3d" / f"{name}_{kind}.tif"
            array = read(path, axes="ZYX")[0] if kind == "raw" else read(path)[0]
            folder = tmp_path / "data" / ("images" if kind == "raw" else "labels")
            write(folder / f"v{k}.tif", array[:40, :64, :64], Geometry("ZYX", (0.28, 0.13, 0.13), "um"))
    configs = narrow_cells3d_detector / "configs"
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file"]
    command += [f"['{configs / 'train.json'}','{configs / 'evaluate.json'}']", "--bundle_root", narrow_cells3d_detector]
    command += ["--dataset_dir", tmp_path / "data", "--output_dir", tmp_path]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "ap50_95" in (tmp_path / "metrics.csv").read_text()
