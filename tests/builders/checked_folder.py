"""Writes folders with something wrong in them, and looks what the check says."""

from data_tools.check.run import check_dataset
from data_tools.layout import Dataset, Description, Entry, write_dataset_json
from data_tools.synth.em import em_sections
from medseg.io import write_labels

SAMPLES = [em_sections((128, 128), seed) for seed in range(4)]


def entry(number, **more):
    return Entry(f"images/{number}.tif", f"labels/{number}.tif", **more)


def split(folder, training, validation, description=None):
    dataset = Dataset(folder, description or Description(), tuple(training), tuple(validation))
    write_dataset_json(dataset, overwrite=True)
    return dataset


def codes(folder):
    return [(f.code, f.file) for f in check_dataset(folder).findings]


def labels_of(folder, number, array):
    write_labels(folder / f"labels/{number}.tif", array, overwrite=True)
