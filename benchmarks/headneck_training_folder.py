"""Make the folder that the headneck_ct bundles were trained on.

    python benchmarks/headneck_training_folder.py OPENKBP FOLDER

OPENKBP holds pt_N_ct.nii.gz and pt_N_labels.nii.gz. The split is by patient: in order of slice thickness and pixel
size, every sixth patient (from the third on) is for validation, so that both parts hold all grids.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import nibabel

EVERY, FIRST = 6, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    for part in ("images", "labels"):
        (options.folder / part).mkdir(parents=True, exist_ok=True)
    patients = sorted(options.source.glob("pt_*_ct.nii.gz"), key=grid_and_number)
    split: dict[str, list] = {"training": [], "validation": []}
    for rank, image in enumerate(patients):
        stem = image.name.removesuffix("_ct.nii.gz")
        item = {"image": f"images/{stem}.nii.gz", "label": f"labels/{stem}.nii.gz", "group": stem}
        shutil.copyfile(image, options.folder / item["image"])
        shutil.copyfile(image.with_name(f"{stem}_labels.nii.gz"), options.folder / item["label"])
        split["validation" if rank % EVERY == FIRST else "training"].append(item)
    for items in split.values():
        items.sort(key=lambda item: int(item["group"].removeprefix("pt_")))
    content = {"label_kind": "classes"} | split
    (options.folder / "dataset.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def grid_and_number(image: Path) -> tuple[float, float, int]:
    x, _, z = nibabel.load(image).header.get_zooms()
    return round(float(z), 3), round(float(x), 3), int(image.name.split("_")[1])


if __name__ == "__main__":
    main()
