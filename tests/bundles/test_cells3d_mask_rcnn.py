import numpy as np
import pytest
from bundle_runs import run_bundle
from csv_rows import csv_rows

from medseg.io import Geometry, read_labels, write_image, write_labels
from medseg.metrics import average_precision

SMALL = ["--set", "patch_size=[16,32,32]", "--set", "crops_per_epoch=4", "--set", "val_interval=1"]
SMALL += ["--no-check", "--epochs", "1", "--from-scratch"]


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
    rows = csv_rows(tmp_path / "n1_objects.csv")
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
    settings = ["--dataset_dir", tmp_path / "data", "--output_dir", tmp_path]
    run_bundle(narrow_cells3d_detector, ["train", "evaluate"], *settings)
    assert "ap50_95" in (tmp_path / "metrics.csv").read_text()


@pytest.mark.slow
def test_shipped_weights_find_nuclei_that_training_did_not_see(medseg, data_dir, tmp_path):
    volume, labels = (data_dir / "ovules_3d" / f"1136_mini_{kind}.tif" for kind in ("raw", "labels"))
    done = medseg("predict", "cells3d_mask_rcnn", volume, "-o", tmp_path, "--axes", "ZYX")
    assert done.code == 0, done.err
    found = read_labels(tmp_path / "1136_mini_raw_labels.tif")[0]
    assert average_precision(found, read_labels(labels)[0], iou_thresholds=[0.5], volumetric=True).value > 0.4
