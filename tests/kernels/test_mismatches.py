"""Classes and clusters of mismatches against the reference and a literal reading of the table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from isbi2012_cases import each_case, load_case
from scipy import ndimage

from medseg.kernels.mismatches import CLASSES, map_mismatches


def count(classes, clusters):
    """Pixels and clusters per class, as the reference lists them."""
    pixels, groups = {}, {}
    for code, name in enumerate(CLASSES, 1):
        pixels[name] = int((classes == code).sum())
        groups[name] = len(np.unique(clusters[classes == code]))
    return pixels, groups


@pytest.mark.parametrize("window", ["r20", "full"])
@each_case
def test_reference_cases(case_folder, window):
    case = load_case(case_folder)
    if any(case.expected["label_slice_all_foreground"]):
        pytest.skip("the reference mislabels sections that are all foreground")
    radius = 20 if window == "r20" and min(case.label.shape[1:]) >= 20 else 0
    for expected in case.expected["warping"]["per_threshold"]:
        if expected[f"pixels_by_type_{window}"] is None:  # too slow for the reference
            continue
        found = [
            count(*map_mismatches(label, proposal, expected["threshold"], case.mask, radius)[1:])
            for label, proposal in zip(case.label, case.proposal, strict=True)
        ]
        for k, what in enumerate(("pixels", "clusters")):
            total = {name: sum(section[k][name] for section in found) for name in CLASSES}
            assert total == expected[f"{what}_by_type_{window}"]


def literal_classes(warped, left, radius):
    """The table of classes, labelling the whole window again for each pixel."""
    corners = (slice(None),) * warped.ndim
    labels = ndimage.label(warped)[0]
    classes = np.zeros(warped.shape, int)
    for pixel in zip(*np.nonzero(left), strict=True):
        white, values = warped[pixel], values_around(labels, pixel)
        if values == {0}:
            name = "object_deletion" if white else "object_addition"
        elif len(values) == 1:
            name = "hole_addition" if white else "hole_deletion"
        elif len(values) > 2:
            name = "split" if white else "merge"
        elif white:
            window = tuple(slice(max(0, p - radius), p + radius + 1) for p in pixel) if radius else corners
            without = warped.copy()
            without[pixel] = False
            relabelled = np.zeros(warped.shape, int)
            relabelled[window] = ndimage.label(without[window])[0]
            name = "split" if len(values_around(relabelled, pixel)) > 2 else "hole_deletion"
        else:
            name = "hole_addition"
        classes[pixel] = CLASSES.index(name) + 1
    return classes


def values_around(labels, pixel):
    near = tuple(slice(max(0, p - 1), p + 2) for p in pixel)
    centre = tuple(min(p, 1) for p in pixel)
    others = np.ones(labels[near].shape, bool)
    others[centre] = False
    return set(labels[near][others].tolist()) or {0}


def assert_named_as_the_table_says(classes, literal):
    """Everything in sections; splits and merges in volumes, whose holes are drawn in test_volume_holes.py."""
    if classes.ndim == 3:
        np.testing.assert_array_equal(classes > 0, literal > 0)
        classes, literal = (np.where(c <= 2, c, 0) for c in (classes, literal))
    np.testing.assert_array_equal(classes, literal)


def literal_cluster_count(warped, classes, name):
    structure = np.ones((3,) * warped.ndim)
    of_class = classes == CLASSES.index(name) + 1
    total = 0
    for white in (False, True):
        through_corners = name == "merge" or (name == "hole_addition" and white)
        total += ndimage.label(of_class & (warped == white), structure if through_corners else None)[1]
    return total


@settings(max_examples=150)
@given(st.data())
def test_equals_the_table_read_literally(data):
    ndim = data.draw(st.sampled_from([2, 3]))
    shape = data.draw(array_shapes(min_dims=ndim, max_dims=ndim, max_side=14 if ndim == 2 else 5))
    label, target = data.draw(arrays(bool, (2, *shape)))
    radius = data.draw(st.sampled_from([0, 1, 2, 3]))
    warped, classes, clusters = map_mismatches(label, target.astype(float), radius=radius)
    assert_named_as_the_table_says(classes, literal_classes(warped, warped != target, radius))
    for name, groups in count(classes, clusters)[1].items():
        assert groups == literal_cluster_count(warped, classes, name)


@settings(max_examples=40)
@given(st.data())
def test_dense_labels_where_cuts_meet_loops(data):
    """Mostly foreground: most mismatches are white and ask whether they part their object."""
    seed, radius = data.draw(st.integers(0, 2**32 - 1)), data.draw(st.sampled_from([0, 2, 4]))
    rng = np.random.default_rng(seed)
    shape = (18, 18) if seed % 2 else (7, 7, 7)
    warped, classes, _ = map_mismatches(rng.random(shape) < 0.8, (rng.random(shape) < 0.5).astype(float), radius=radius)
    assert_named_as_the_table_says(classes, literal_classes(warped, classes > 0, radius))


def test_a_way_around_outside_the_window_does_not_count():
    ring = np.zeros((14, 14), bool)
    ring[1:13, 1:13] = True
    ring[4:10, 4:10] = False
    cut = ring.astype(float)
    cut[10:13, 6] = 0
    # A ring cut open: its hole is deleted, unless the window is too small to see the way around.
    for radius, name in ((0, "hole_deletion"), (11, "hole_deletion"), (5, "split")):
        _, classes, _ = map_mismatches(ring, cut, radius=radius)
        assert [CLASSES[c - 1] for c in classes[classes > 0]] == [name]
