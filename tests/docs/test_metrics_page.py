"""The picture of the page on the metrics is what its script draws."""

import runpy
from pathlib import Path

from matplotlib.image import imread

FIGURES = Path(__file__).parents[2] / "docs" / "figures"


def test_examples_in_the_picture_show_their_class():
    drawing = runpy.run_path(str(FIGURES / "mismatch_classes.py"))
    warping = drawing["topological_warping_error"]
    found = [
        (name, {m.kind for m in warping(prediction, reference, radius=None, positions=True).mismatches})
        for name, reference, prediction in drawing["examples"]()
    ]
    assert found == [(name, {name}) for name in drawing["COLOURS"]]
    assert imread(FIGURES / "mismatch_classes.png").shape[2] == 4
