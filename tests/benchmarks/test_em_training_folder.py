"""The folder that em_membrane_unet was trained on, from stacks of the real ones' names."""

import json

import numpy as np
import tifffile

from medseg.io import training_items


def test_the_second_stack_joins_with_its_training_part(tmp_path, benchmark):
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 256, (20, 32, 32), np.uint8)
    other = tmp_path / "vnc"
    for folder, names in (
        (tmp_path, ("train-volume.tif", "train-labels.tif")),
        (other, ("images/v.tif", "labels/v.tif")),
    ):
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(folder / name, stack, metadata={"axes": "ZYX"})
    item = {"image": "images/v.tif", "label": "labels/v.tif", "group": "v"}
    parts = {"training": [item | {"sections": [0, 12]}], "validation": [item | {"sections": [12, 15]}]}
    (other / "dataset.json").write_text(json.dumps(parts))
    for vnc in ([], [other]):
        made = tmp_path / f"em{len(vnc)}"
        benchmark("em_training_folder", tmp_path, made, *vnc).main()
        assert len(training_items(made, "training")) == 16 + 4 + 12 * len(vnc)
        assert len(training_items(made, "validation")) == 4
