"""Make the folder that nuclei_unetplusplus was trained on.

    python benchmarks/nuclei_training_folder.py DSB2018 BBBC039 FOLDER

DSB2018 and BBBC039 hold the public sets as `medseg data fetch` unpacks them, or as folders of pairs. The folder gets
all images of both; a fifth of each kind of image is for validation, tiles of one field and fields of a well together.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from data_tools.catalogue import SETS
from data_tools.convert.build import build_dataset
from data_tools.convert.sets import CONVERTERS
from data_tools.layout import Description, with_checksums, write_dataset_json
from data_tools.split import split_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dsb2018", type=Path)
    parser.add_argument("bbbc039", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    options = parser.parse_args()
    sources = []
    for name in ("dsb2018", "bbbc039"):
        for source in CONVERTERS[name](getattr(options, name)):
            group = f"{name} {source.group}" if source.group else ""
            sources.append(replace(source, group=group, stratum=source.stratum or name))
    classes = SETS["dsb2018"].description.classes
    description = Description(
        "nuclei", "fluorescence, brightfield and stained tissue", classes=classes, licence="CC0-1.0"
    )
    dataset = build_dataset(options.folder, sources, description).dataset
    result = split_dataset(dataset, fraction=0.2, seed=options.seed)
    write_dataset_json(with_checksums(result.dataset), overwrite=True)
    print(f"{len(result.dataset.training)} for training, {len(result.dataset.validation)} for validation")


if __name__ == "__main__":
    main()
