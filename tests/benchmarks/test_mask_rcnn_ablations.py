import json

import numpy as np
import pytest
import torch

from data_tools.synth.dataset import write_synthetic


def test_boxes_by_hand(benchmark):
    """One box is found as it is, one by two thirds, one not at all; one is too many."""
    truth = torch.tensor([[0, 0, 10, 10], [0, 20, 10, 30], [40, 40, 50, 50]]).float()
    found = torch.tensor([[0, 0, 10, 10], [0, 22, 10, 32], [70, 70, 80, 80]]).float()
    counts = benchmark("mask_rcnn_ablations").box_counts(found, truth)
    assert np.array_equal(counts[:4], [[2, 4]] * 4)  # IoU 0.50 to 0.65
    assert np.array_equal(counts[4:], [[1, 5]] * 6)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["sigmoid", "softmax", "boxes", "nearest"])
def test_a_variant_is_trained_and_scored(benchmark, tmp_path, variant):
    write_synthetic("nuclei", tmp_path / "data", count=2, shape=(70, 80))
    split = tmp_path / "data" / "dataset.json"
    content = json.loads(split.read_text())
    for entry in content["training"] + content["validation"]:
        entry["stratum"] = "fluorescence"
    split.write_text(json.dumps(content))
    arguments = (variant, "--data", tmp_path / "data", "-o", tmp_path / "run", "--epochs", 1, "--patch", 64)
    benchmark("mask_rcnn_ablations", *arguments).main()
    scores = json.loads((tmp_path / "run" / variant / "scores.json").read_text())
    masks = {"mask AP50", "mask AP50:95"}
    assert masks & set(scores) == (set() if variant == "boxes" else masks)
    assert 0 <= scores["box AP50:95"] <= scores["box AP50"] <= 1
