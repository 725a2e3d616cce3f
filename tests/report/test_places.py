"""Each planted error is found with its class, its place, and what hangs on it."""

import numpy as np
import pytest

from medseg.report.place_cards import one_of_each_object
from medseg.report.places import Place, map_errors


def two_cells():
    cells = np.zeros((30, 62), bool)
    cells[2:28, 2:30] = cells[2:28, 32:60] = True  # 26 x 28 = 728 pixels each
    return cells


def bridge(p, _):
    p[15, 30:32] = True


def gap(p, _):
    p[:, 12] = False


def speck(p, r):
    r[2:28, 32:60] = False
    p[2:28, 32:60] = False
    p[10:13, 40:43] = True


def lost(p, _):
    p[2:28, 32:60] = False


def hole(p, _):
    p[10:14, 10:15] = False


@pytest.mark.parametrize(
    ("plant", "kind", "box", "area"),
    [
        (bridge, "merge", (15, 16, 30, 32), 728),
        (gap, "split", (2, 28, 12, 13), 26 * 10),
        (speck, "object_addition", (10, 13, 40, 43), 9),
        (lost, "object_deletion", (2, 28, 32, 60), 728),
        (hole, "hole_addition", (10, 14, 10, 15), 20),
    ],
)
def test_planted_errors(plant, kind, box, area):
    reference, prediction = two_cells(), two_cells()
    plant(prediction, reference)
    errors = map_errors(np.stack([reference, prediction]), np.stack([reference, reference]), 0)
    (place,) = errors.places
    assert (place.kind, place.section, place.area) == (kind, 1, area)
    assert box[0] <= place.y < box[1]
    assert box[2] <= place.x < box[3]
    assert errors.classes[1, place.y, place.x] > 0
    assert not errors.classes[0].any()
    assert (place.spoilt > 0) == (kind in ("merge", "split"))


def test_probabilities_are_cut_and_labels_parted():
    labels = np.zeros((1, 12, 12), np.uint16)
    labels[0, :, :6], labels[0, :, 6:] = 1, 2
    grey = np.full(labels.shape, np.float32(0.6))
    assert [p.kind for p in map_errors(grey, labels, 0.5).places] == ["merge"]
    assert {p.kind for p in map_errors(grey, labels, 0.7).places} == {"object_deletion"}
    assert map_errors(labels, labels, 0).places == ()


def test_predicted_objects_know_their_counterparts():
    reference, prediction = two_cells(), two_cells()
    prediction[:, 12] = False
    prediction[0, 60:] = True
    errors = map_errors(prediction, reference, 0)
    pieces = errors.prediction[0, 15, [5, 20, 40]]
    assert errors.counterparts[0][pieces].tolist() == errors.reference[0, 15, [5, 20, 40]].tolist()
    assert errors.counterparts[0][errors.prediction[0, 0, 61]] == 0
    assert errors.counterparts[0][0] == 0


def test_a_window_around_a_place_stays_inside():
    reference, prediction = two_cells(), two_cells()
    prediction[3, 30:32] = True
    errors = map_errors(prediction, reference, 0)
    near, window = errors.around(errors.places[0], 16)
    assert near.classes.shape == (1, 16, 16)
    (place,) = near.places
    assert near.classes[0, place.y, place.x] > 0
    np.testing.assert_array_equal(near.reference[0], errors.reference[0][window])
    assert errors.around(errors.places[0], 100)[0].classes.shape == (1, 30, 62)


def test_volumes_are_looked_at_as_one():
    """Two cells that every section shows apart, and that meet in the plane between them."""
    reference, prediction = np.zeros((2, 9, 20, 20), bool)
    reference[:4, 2:18, 2:18] = reference[5:, 2:18, 2:18] = True
    prediction[:] = reference
    prediction[4, 8:10, 8:10] = True
    assert {place.kind for place in map_errors(prediction, reference, 0).places} == {"object_addition"}
    errors = map_errors(prediction, reference, 0, volumetric=True)
    (place,) = errors.places
    assert (place.kind, place.section, place.pixels, place.area) == ("merge", 4, 4, 4 * 16 * 16)
    assert 8 <= place.y < 10
    assert 8 <= place.x < 10
    assert set(np.unique(errors.reference)) == {0, 1, 2}
    assert len(errors.counterparts) == 9
    prediction[4, 3, 3] = True  # the same object, spoilt in another place too
    ((largest, others),) = one_of_each_object(map_errors(prediction, reference, 0, volumetric=True))
    assert (largest.pixels, others) == (4, 1)


def test_each_time_of_a_series_is_a_volume_of_its_own():
    reference = np.zeros((2, 5, 12, 20), np.uint8)
    reference[:, :, 2:10, 2:9], reference[:, :, 2:10, 11:18] = 1, 2
    prediction = reference.copy()
    prediction[1, 3, 5, 9:11] = 1  # both cells joined, in the plane 3 of the second time
    prediction[1][prediction[1] == 2] = 1
    errors = map_errors(prediction, reference, 0, volumetric=True)
    (place,) = errors.places
    assert (place.kind, place.section, place.z, place.y, place.area) == ("merge", 8, 3, 5, 5 * 8 * 7)
    assert (errors.depth, errors.classes.shape, len(errors.counterparts)) == (5, (10, 12, 20), 10)
    assert errors.classes[8].any()
    assert not errors.classes[:8].any()


def test_a_place_in_the_unit_of_the_pixel_size():
    place = Place("merge", section=7, y=10, x=20, pixels=1, area=1, z=3)
    assert place.in_um((0.5, 0.25)) == ["5", "5"]
    assert place.in_um((2.0, 0.5, 0.123456)) == ["6", "5", "2.469"]
