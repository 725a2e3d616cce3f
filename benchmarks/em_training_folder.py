"""Make the folder that em_membrane_unet was trained on.

    medseg data convert vnc_sstem VNC_SSTEM VNC
    python benchmarks/em_training_folder.py ISBI2012 FOLDER [VNC]

ISBI2012 holds the challenge's train-volume.tif and train-labels.tif. The folder gets them, four synthetic sections, the
stack of VNC and a dataset.json: sections 0-15 of the challenge, 0-11 of VNC and the synthetic ones for training,
sections 16-19 of the challenge for validation. VNC's own dataset.json has its sections 12-14 for validation.
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
    parser.add_argument("vnc", type=Path, nargs="?")
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
    if options.vnc:
        for entry in json.loads((options.vnc / "dataset.json").read_text(encoding="utf-8"))["training"]:
            item = {key: entry[key] for key in ("image", "label", "sections")}
            for path in (item["image"], item["label"]):
                shutil.copy(options.vnc / path, options.folder / path)
            training.append(item)
    split = {"training": training, "validation": [stack | {"sections": [16, 20]}]}
    (options.folder / "dataset.json").write_text(json.dumps(split, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
