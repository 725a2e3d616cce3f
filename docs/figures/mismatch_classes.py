"""Draw the six classes of mismatches: reference, prediction, and what warping cannot mend.

python docs/figures/mismatch_classes.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb

from medseg.metrics.warping import topological_warping_error

# Okabe & Ito's palette: distinguishable with any colour vision.
COLOURS = {
    "split": "#D55E00",
    "merge": "#0072B2",
    "hole_addition": "#CC79A7",
    "hole_deletion": "#009E73",
    "object_addition": "#E69F00",
    "object_deletion": "#56B4E9",
}
INTERIOR, MEMBRANE = to_rgb("#F2F2EE"), to_rgb("#55575C")
Y, X = np.mgrid[:34, :34]


def cell(y, x, height, width):
    """A rounded cell."""
    return (np.abs(Y - y) / height) ** 3 + (np.abs(X - x) / width) ** 3 < 1


def two_cells(shift=0):
    """A pair of neighbours; `shift` moves the membrane between them, which costs nothing."""
    return cell(16.5, 8.5 + shift / 2, 14, 7 + shift / 2) | cell(16.5, 25 + shift / 2, 14, 7 - shift / 2)


def examples():
    """Class -> (reference, prediction); each prediction also has a shifted membrane."""
    left, both, moved = cell(16.5, 8.5, 14, 7), two_cells(), two_cells(2)
    bridge = (np.abs(Y - 12) < 2) & (np.abs(X - 17) < 6)
    cut = np.abs(Y - 17 - 0.3 * (X - 9)) < 1.5
    hole = (Y - 16) ** 2 + (X - 9) ** 2 < 9
    speck = (Y - 16) ** 2 + (X - 26) ** 2 < 12
    yield "split", both, moved & ~(cut & (X < 18))
    yield "merge", both, moved | bridge
    yield "hole_addition", both, moved & ~hole
    yield "hole_deletion", both & ~hole, moved
    yield "object_addition", left, cell(16.5, 9, 14, 7.5) | speck
    yield "object_deletion", left | speck, cell(16.5, 9, 14, 7.5)


def painted(image):
    """RGB of a binary image."""
    return np.where(image[..., None], INTERIOR, MEMBRANE)


def main():
    """Draw and save beside this file."""
    figure, axes = plt.subplots(3, 6, figsize=(11, 6), dpi=120)
    for column, (name, reference, prediction) in zip(axes.T, examples(), strict=True):
        error = topological_warping_error(prediction, reference, radius=None, positions=True)
        kinds = {m.kind for m in error.mismatches}
        if kinds != {name}:
            raise RuntimeError(f"the example of {name} shows {kinds}")
        result = painted(prediction)
        result[error.class_map > 0] = to_rgb(COLOURS[name])
        for axis, image in zip(column, (painted(reference), painted(prediction), result), strict=True):
            axis.imshow(image, interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        (mismatch,) = error.mismatches
        y, x = mismatch.position
        column[2].add_patch(plt.Circle((x, y), 5.5, fill=False, color=COLOURS[name], linewidth=2.5))
        column[0].set_title(name.replace("_", " "), color="black", fontsize=13, fontweight="bold")
        column[2].set_xlabel(f"{mismatch.pixels} px, 1 cluster", fontsize=11)
    for axis, text in zip(axes[:, 0], ("reference", "prediction", "mismatch"), strict=True):
        axis.set_ylabel(text, fontsize=12)
    figure.tight_layout(pad=0.6)
    figure.savefig(Path(__file__).with_suffix(".png"), metadata={"Software": None})


if __name__ == "__main__":
    main()
