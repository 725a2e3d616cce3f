"""What is compared with what: kinds, sections, volumes, thinning."""

import numpy as np
import pytest
import torch

from medseg.errors import InputError
from medseg.metrics.overlap import as_one_stack, overlaps

MASK = np.zeros((2, 5, 7), bool)
MASK[:, 1:4, 1:3] = MASK[:, 1:4, 4:6] = True


def test_masks_become_components_of_sections_or_of_a_volume():
    sections = overlaps(MASK, MASK)
    assert (sections.units, sections.thresholds) == (2, (0.0,))
    assert sections.at(0.7) == sections.tables[0]
    assert [table.rows.tolist() for table in sections.tables[0]] == [[0, 1, 2]] * 2
    volume = overlaps(MASK, MASK, volumetric=True)
    assert (volume.units, volume.tables[0][0].counts[1:].tolist()) == (1, [12, 12])


def test_label_images_are_compared_by_id():
    labels = MASK * np.arange(1, 8)  # ids by column, so that components and ids differ
    (table,) = overlaps(labels, labels).tables[0]
    assert table.rows.tolist() == [0, 2, 3, 5, 6]
    assert overlaps(labels, MASK).units == 2
    assert overlaps(labels, labels, volumetric=False).units == 2


def test_thinning_parts_touching_labels_and_grows_the_rest():
    labels = np.array([[1, 1, 1, 2, 2, 0, 0, 3]] * 3)
    (table,) = overlaps(labels, labels, thin_borders=True).tables[0]
    assert np.unique(table.rows).tolist() == [0, 1, 2, 3]
    assert table.total == labels.size
    assert ((table.rows == 0) | (table.rows == table.columns)).all()


def test_tensors_and_other_dtypes_give_the_same_tables():
    wanted = overlaps(MASK, MASK).tables
    assert overlaps(torch.from_numpy(MASK), MASK.astype(np.uint8) * 255).tables == wanted
    floats = overlaps(MASK.astype(np.float64), MASK.astype(np.float32))
    assert len(floats.thresholds) == 11
    assert all(row == wanted[0] for row in floats.tables)


def test_masks_take_part_at_every_threshold_of_a_stack():
    grey = overlaps(MASK * np.float32(0.55), MASK)
    joined = as_one_stack([grey, overlaps(MASK[:1], MASK[:1])])
    assert joined.units == 3
    assert joined.at(0.9999999999999999)[2] == overlaps(MASK[0], MASK[0]).tables[0][0]
    with pytest.raises(InputError, match="thresholds differ"):
        as_one_stack([grey, overlaps(MASK * np.float32(0.5), MASK, threshold=(0.1, 0.2))])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prediction": MASK[0]}, "same pixels"),
        ({"threshold": 2}, "0 to 1"),
        ({"volumetric": True, "thin_borders": True}, "section by section"),
        ({"reference": MASK * 0.5}, "whole numbers"),
        ({"prediction": MASK[None] * 0.5, "reference": MASK[None], "volumetric": True}, "not one volume"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        overlaps(**{"prediction": MASK.astype(float), "reference": MASK, **arguments})
