"""Topological warping error: drawings of one error each, and errors planted in a tissue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medseg.kernels.mismatches import CLASSES
from medseg.metrics.warping import topological_warping_error


def drawn(text):
    return np.array([[int(c) for c in row] for row in text.split("/")])


def nonzero(counts):
    return {name: getattr(counts, name) for name in CLASSES if getattr(counts, name)}


MEMBRANE = drawn("/".join(["11011"] * 5))
SQUARE = np.pad(np.ones((5, 5), int), 1)


def with_value(image, where, value):
    image = image.copy()
    image[where] = value
    return image


# name: label, proposal, mismatched pixels by class, clusters, positions
EXAMPLES = {
    "E1 shifted membrane": (MEMBRANE, drawn("/".join(["11101"] * 5)), {}, {}, []),
    "E2 bridge": (MEMBRANE, with_value(MEMBRANE, (2, 2), 1), {"merge": 1}, {"merge": 1}, [(2, 2)]),
    "E3 bridge at border": (MEMBRANE, with_value(MEMBRANE, (0, 2), 1), {"merge": 1}, {"merge": 1}, [(0, 2)]),
    "E4 cut": (SQUARE, with_value(SQUARE, np.s_[:, 3], 0), {"split": 1}, {"split": 1}, [(5, 3)]),
    "E5 hole": (
        SQUARE,
        with_value(SQUARE, np.s_[2:5, 2:5], 0),
        {"hole_addition": 9},
        {"hole_addition": 1},
        [(3, 3)],
    ),
    "E6 hole filled": (
        drawn("00000/01110/01010/01110/00000"),
        drawn("00000/01110/01110/01110/00000"),
        {"hole_deletion": 1},
        {"hole_deletion": 1},
        [(2, 2)],
    ),
    "E7 object lost": (
        np.pad(np.ones((3, 4), int), 1),
        np.zeros((5, 6), int),
        {"object_deletion": 1},
        {"object_deletion": 1},
        [(3, 4)],
    ),
    "E8 object invented": (
        with_value(np.zeros((5, 5), int), (1, 1), 1),
        with_value(np.zeros((5, 5), int), ([1, 3], [1, 3]), 1),
        {"object_addition": 1},
        {"object_addition": 1},
        [(3, 3)],
    ),
    "E9 ties go by column": (
        drawn("/".join(["110011"] * 5)),
        np.ones((5, 6), int),
        {"merge": 5},
        {"merge": 1},
        [(2, 3)],
    ),
    "E10 diagonal contact": (
        drawn("11000/11000/00110/00110/00000"),
        drawn("11000/11100/00110/00110/00000"),
        {"merge": 1},
        {"merge": 1},
        [(1, 2)],
    ),
    "E11 one row": (
        drawn("11111011"),
        drawn("11011011"),
        {"hole_addition": 1},
        {"hole_addition": 1},
        [(0, 2)],
    ),
    "E12 ring cut": (
        drawn("0000000/0111110/0100010/0100010/0111110/0000000"),
        drawn("0000000/0111110/0100010/0100000/0111110/0000000"),
        {"hole_deletion": 1},
        {"hole_deletion": 1},
        [(3, 5)],
    ),
    "E13 ring closed": (
        drawn("000000/011110/010010/010000/011110/000000"),
        drawn("000000/011110/010010/010010/011110/000000"),
        {"hole_addition": 1},
        {"hole_addition": 1},
        [(3, 4)],
    ),
}


@pytest.mark.parametrize("radius", [20, None])
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name, radius):
    label, proposal, pixels, clusters, positions = EXAMPLES[name]
    as_probability = proposal.astype(np.float32)
    found = topological_warping_error(as_probability, label, threshold=0.5, radius=radius, positions=True)
    assert nonzero(found.pixels) == pixels
    assert nonzero(found.clusters) == clusters
    assert found.classic_error == sum(pixels.values()) / label.size
    assert found.value == (pixels.get("merge", 0) + pixels.get("split", 0)) / label.size
    assert [m.position for m in found.mismatches] == positions
    assert [m.kind for m in found.mismatches] == list(pixels)
    assert {CLASSES[c - 1] for c in found.class_map[found.class_map > 0]} == set(pixels)


PITCH, CELL = 12, 9  # cells of 9 x 9 and membranes 3 wide


def tissue(rows, columns):
    image = np.zeros((rows * PITCH + 3, columns * PITCH + 3), np.uint8)
    for row, column in np.ndindex(rows, columns):
        image[row * PITCH + 3 : (row + 1) * PITCH, column * PITCH + 3 : (column + 1) * PITCH] = 1
    return image


def plant(kind, label, proposal, row, column):
    """One error in or beside a cell; returns the pixels that must remain of it."""
    y, x = row * PITCH + 3, column * PITCH + 3
    if kind == "merge":
        proposal[y + 4, x + CELL : x + PITCH] = 1  # a bridge to the cell on the right
    elif kind == "split":
        proposal[y : y + CELL, x + 5] = 0  # a dark line across
    elif kind == "hole_addition":
        proposal[y + 3 : y + 5, x + 3 : x + 6] = 0
        return 6
    elif kind == "hole_deletion":
        label[y + 3 : y + 5, x + 3 : x + 6] = 0
    elif kind == "object_addition":
        proposal[y - 2, x - 2] = 1  # a bright speck where membranes cross
    elif kind == "object_deletion":
        proposal[y : y + CELL, x : x + CELL] = 0
    return 1


@settings(max_examples=60)
@given(st.data(), st.sampled_from([20, None]))
def test_each_planted_error_is_found(data, radius):
    rows, columns = 4, 5
    label = tissue(rows, columns)
    proposal = label.copy()
    places = st.tuples(st.integers(0, rows - 1), st.sampled_from(range(0, columns - 1, 2)))  # no two adjacent
    planted = data.draw(st.dictionaries(places, st.sampled_from(CLASSES)))
    pixels, clusters = dict.fromkeys(CLASSES, 0), dict.fromkeys(CLASSES, 0)
    for (row, column), kind in planted.items():
        pixels[kind] += plant(kind, label, proposal, row, column)
        clusters[kind] += 1
    found = topological_warping_error(proposal, label, radius=radius, positions=True)
    assert vars(found.pixels) == pixels
    assert vars(found.clusters) == clusters
    where = {(*(p // PITCH for p in m.position), m.kind) for m in found.mismatches}
    assert where == {(row, column + (kind == "merge"), kind) for (row, column), kind in planted.items()}
