"""Make the folder that em_membrane_unet was trained on.

    python benchmarks/em_training_folder.py ISBI2012 FOLDER

ISBI2012 holds the challenge's train-volume.tif and train-labels.tif. The folder gets them, four synthetic sections and
a dataset.json: sections 0-15 and the synthetic ones for training, sections 16-19 for validation.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from data_tools.synth.em import em_sections
from medseg.io import write_image, write_labels

MEMBRANES_PX = (4.5, 5.0, 5.5, 6.5)
FIRST_SEED = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    for part in ("images", "labels"):
        (options.folder / part).mkdir(parents=True)
    shutil.copy(options.source / "train-volume.tif", options.folder / "images" / "isbi2012.tif")
    shutil.copy(options.source / "train-labels.tif", options.folder / "labels" / "isbi2012.tif")
    stack = {"image": "images/isbi2012.tif", "label": "labels/isbi2012.tif"}
    training = [stack | {"sections": [0, 16]}]
    for number, membrane_px in enumerate(MEMBRANES_PX):
        sample = em_sections((512, 512), seed=FIRST_SEED + number, membrane_px=membrane_px)
        item = {"image": f"images/synthetic_{number}.tif", "label": f"labels/synthetic_{number}.tif"}
        write_image(options.folder / item["image"], sample.image)
        write_labels(options.folder / item["label"], sample.labels)
        training.append(item)
    split = {"training": training, "validation": [stack | {"sections": [16, 20]}]}
    (options.folder / "dataset.json").write_text(json.dumps(split, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
