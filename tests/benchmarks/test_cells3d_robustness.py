"""Changed volumes keep their labels, and the command scores them with the shipped weights."""

import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from medseg.io import Geometry, write_image, write_labels


def blobs(shape=(24, 48, 52)):
    """Image and labels, ``(Z, Y, X)``: six bright boxes in the dark, half of them wide."""
    labels, rng = np.zeros(shape, np.uint8), np.random.default_rng(0)
    for number, (y, x) in enumerate(((8, 6), (8, 22), (8, 38), (26, 6), (26, 22), (26, 38)), 1):
        labels[5:13, y : y + 12, x : x + 8 + number % 2 * 4] = number
    image = gaussian_filter((labels > 0) * 1000.0, 1) + rng.normal(100, 10, shape)
    return image.clip(0, 2000).astype(np.uint16), labels


def test_labels_stay_on_their_nuclei(benchmark_path):
    from cells3d_robustness import CHANGES

    image, labels = blobs()
    for name, change in CHANGES.items():
        changed, truth = change(image[None] / np.float32(1100), labels)
        assert changed.shape == (1, *truth.shape), name
        assert truth.dtype == labels.dtype, name
        assert set(np.unique(truth)) == set(range(7)), name
        if not name.startswith("noise"):
            bright = changed[0] > changed[0].max() * 0.4
            assert 2 * (bright & (truth > 0)).sum() / (bright.sum() + (truth > 0).sum()) > 0.7, name
    turned, fewer = CHANGES["turned by 30 degrees"], CHANGES["two thirds of the sections"]
    assert not np.array_equal(turned(image[None], labels)[1], labels)
    assert fewer(image[None], labels)[1].shape == (16, 48, 52)


@pytest.mark.slow
def test_table_of_the_shipped_weights(benchmark, tmp_path, capsys):
    image, labels = blobs()
    write_image(tmp_path / "images" / "v.tif", image, Geometry("ZYX"))
    write_labels(tmp_path / "labels" / "v.tif", labels, Geometry("ZYX"))
    item = {"image": "images/v.tif", "label": "labels/v.tif"}
    (tmp_path / "split.json").write_text(json.dumps({"training": [], "validation": [item]}))
    changes = ("none", "turned by 30 degrees", "noise, 25 %")
    benchmark("cells3d_robustness", tmp_path, "--split", tmp_path / "split.json", "--changes", *changes).main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| change | AP50 | AP50:95 | IoU |"
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    assert tuple(row[0] for row in rows) == changes
    assert all(0 <= float(cell) <= 1 for row in rows for cell in row[1:])
