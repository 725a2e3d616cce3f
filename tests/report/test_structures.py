import numpy as np
import pytest
import torch
from csv_rows import csv_rows
from monai.data import MetaTensor

from medseg.errors import InputError, InputWarning
from medseg.io import Space
from medseg.report.structures import (
    COLUMNS,
    SaveStructureTabled,
    all_names,
    structure_names,
    structure_rows,
    unusual_structures,
)

NAMES = {"0": "background", "1": "cord", "2": "liver", "3": "spleen"}
AFFINE = np.array([[-2.0, 0, 0, 10], [0, 3, 0, 20], [0, 0, 5, 30], [0, 0, 0, 1]])


@pytest.fixture
def volume():
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[1:3, 2:5, 1] = 1
    labels[4, 0, 2:4] = 3
    return labels, np.where(labels == 1, 40.0, -100.0).astype(np.float32)


@pytest.mark.parametrize("names", ["liver", ["liver"], {"liver": 1}, None])
def test_what_names_no_labels_is_refused(names):
    with pytest.raises(InputError, match="structures are names by label"):
        structure_names(names)


def test_rows(volume):
    rows = structure_rows(*volume, Space.scanner(AFFINE), structure_names(NAMES))
    cord, liver, spleen = rows
    assert [list(r) for r in rows] == [list(COLUMNS)] * 3
    assert (cord["structure"], cord["voxels"], cord["volume_ml"], cord["mean_hu"]) == ("cord", 6, 0.18, 40)
    assert [cord[c] for c in COLUMNS[5:11]] == [1, 2, 1, 3, 5, 2]
    assert [cord[c] for c in COLUMNS[11:14]] == [10 - 2 * 1.5, 20 + 3 * 3, 30 + 5]
    assert (cord["touches_border"], spleen["touches_border"]) == (True, True)
    assert (liver["voxels"], liver["volume_ml"], liver["mean_hu"], liver["bbox_i0"]) == (0, 0, "", "")


def test_shapes_must_fit(volume):
    with pytest.raises(InputError, match="do not fit"):
        structure_rows(volume[0], volume[1][1:], Space.scanner(AFFINE), structure_names(NAMES))


def test_what_is_unusual(volume):
    rows = structure_rows(*volume, Space.scanner(AFFINE), structure_names(NAMES))
    assert unusual_structures(rows, {}) == "not found: liver"
    text = unusual_structures(rows, {"cord": [1, 2], "spleen": [0.01, 1]})
    assert text == "not found: liver; of another size than in training: cord (0.18 ml)"
    assert unusual_structures(rows[:1], {"cord": [0.1, 2]}) is None
    assert "cord (0.18 ml)" in unusual_structures(rows[:1], {"cord": [0.01, 0.1]})


def test_saved_and_warned_of(volume, tmp_path):
    space = Space.scanner(AFFINE)
    meta = space.to_meta() | {"filename_or_obj": "in/pt_7.nii.gz"}
    item = {"pred": MetaTensor(torch.from_numpy(volume[0])[None], meta=meta), "raw": torch.from_numpy(volume[1])[None]}
    with pytest.warns(InputWarning, match=r"in/pt_7\.nii\.gz: not found: liver; is it another body region"):
        SaveStructureTabled("pred", tmp_path, NAMES)(item)
    rows = csv_rows(tmp_path / "pt_7_structures.csv")
    assert [(r["structure"], r["voxels"]) for r in rows] == [("cord", "6"), ("liver", "0"), ("spleen", "2")]


def test_labels_without_a_name_have_a_row(volume):
    names = all_names(volume[0], structure_names({"0": "background", "1": "cord", "2": "liver"}))
    rows = structure_rows(*volume, Space.scanner(AFFINE), names)
    assert [(r["structure"], r["voxels"]) for r in rows] == [("cord", 6), ("liver", 0), ("label 3", 2)]
