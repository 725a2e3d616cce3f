"""Draw what the report of organs shows: outlines of a prediction that is moved and cut, on a synthetic CT.

python docs/figures/organ_report.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import shift

from data_tools.synth.ct_phantom import ct_phantom
from medseg.report.organ_pictures import BOTH, PREDICTION, REFERENCE, organ_pictures

ORGANS = {"liver": 1, "left kidney": 4}


def predicted(reference):
    """The organ a little aside, without what lies lowest."""
    mask = shift(reference.astype(float), (2, -1, 1), order=1) > 0.5
    lowest = np.flatnonzero(mask.any((0, 1)))[0]
    mask[:, :, : lowest + 4] = False
    return mask


def main():
    """Write the picture beside this file."""
    sample = ct_phantom((160, 120, 96), seed=3)
    figure, axes = plt.subplots(len(ORGANS), 3, figsize=(7.4, 4.9), dpi=100, layout="constrained")
    for row, (name, label) in zip(axes, ORGANS.items(), strict=True):
        reference = sample.labels == label
        pictures = organ_pictures(predicted(reference), reference, np.array(sample.spacing_mm), sample.image)
        for plot, shown in zip(row, pictures, strict=True):
            plot.imshow(shown.picture)
            plot.set_title(f"{name}, {shown.plane} {shown.index + 1}", fontsize=9)
            plot.axis("off")
    for name, colour in {"reference": REFERENCE, "prediction": PREDICTION, "both": BOTH}.items():
        plot.plot([], [], color=np.array(colour) / 255, label=name)
    figure.legend(*plot.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    figure.savefig(Path(__file__).with_suffix(".png"), metadata={"Software": None})


if __name__ == "__main__":
    main()
