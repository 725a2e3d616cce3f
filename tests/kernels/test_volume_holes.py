"""Mismatches of volumes, each drawn once: what is added or removed is a tunnel, a cavity or an object."""

import numpy as np
import pytest

from medseg.kernels.mismatches import CLASSES, map_mismatches

BLOCK = np.zeros((9, 9, 9), bool)
BLOCK[1:8, 1:8, 1:8] = True
HOLLOW = BLOCK.copy()
HOLLOW[3:6, 3:6, 3:6] = False
PLATE = np.zeros((5, 9, 9), bool)
PLATE[2] = True  # reaches all sides of the volume: its two sides are connected only around it
RING = np.zeros((5, 9, 9), bool)
RING[1:4, 1:8, 1:8] = True
RING[1:4, 3:6, 3:6] = False


def changed(volume, where, value):
    volume = volume.copy()
    volume[where] = value
    return volume


DRILLED, DRILLED_PLATE = changed(BLOCK, np.s_[:, 4, 4], False), changed(PLATE, (2, 4, 4), False)
OPENED, PLUGGED = changed(HOLLOW, np.s_[:4, 4, 4], False), changed(RING, np.s_[2, 3:6, 3:6], True)
CUT = changed(RING, np.s_[:, 4, 6:], False)
CORNER = changed(np.zeros((5, 5, 5), bool), np.s_[:2, :2, :2], True)
BESIDE_CORNER = changed(CORNER, (2, 2, 2), True)


@pytest.mark.parametrize("radius", [0, 20])
@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        (BLOCK, DRILLED, "hole_addition"),
        (DRILLED, BLOCK, "hole_deletion"),
        (PLATE, DRILLED_PLATE, "hole_addition"),
        (DRILLED_PLATE, PLATE, "hole_deletion"),
        (RING, PLUGGED, "hole_deletion"),
        (PLUGGED, RING, "hole_addition"),
        (RING, CUT, "hole_deletion"),
        (CUT, RING, "hole_addition"),
        (BLOCK, HOLLOW, "hole_addition"),
        (HOLLOW, BLOCK, "hole_deletion"),
        (HOLLOW, OPENED, "hole_deletion"),
        (OPENED, HOLLOW, "hole_addition"),
        (CORNER, BESIDE_CORNER, "object_addition"),
        (BESIDE_CORNER, CORNER, "object_deletion"),
    ],
)
def test_one_change(before, after, name, radius):
    _, classes, clusters = map_mismatches(before, after, radius=radius)
    assert {CLASSES[code - 1] for code in classes[classes > 0]} == {name}
    assert clusters.max() == 1
