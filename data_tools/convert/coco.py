"""COCO instance annotations (one JSON file, polygons or run lengths) to label images, and back."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from pathlib import Path, PureWindowsPath

import numpy as np

from data_tools.convert.paint import painted_sample, read_plane
from data_tools.convert.source import Sample, Source, found
from data_tools.layout import Dataset
from data_tools.pixels import is_nifti, read_pixels
from medseg.errors import InputError
from medseg.io import image_stem
from medseg.io.atomic import atomic_target
from medseg.io.json_file import read_json_object
from medseg.kernels.run_lengths import decode_runs, decode_string, encode_runs, encode_string


def coco_annotations(annotations: str | Path, images: str | Path) -> list[Source]:
    """List the images of a COCO file; crowd regions are background.

    Args:
        annotations: the JSON file.
        images: the folder that its `file_name`s are relative to.

    Raises:
        InputError: unreadable, not COCO, or a file name that leads out of the folder.
    """
    path, folder = Path(annotations), Path(images)
    content = _load(path)
    objects = defaultdict(list)
    for annotation in content["annotations"]:
        if not annotation.get("iscrowd", 0):
            objects[annotation.get("image_id")].append(annotation)
    sources = []
    for record in content["images"]:
        name = PureWindowsPath(str(record.get("file_name", "")))  # parted by / or, from Windows, by \
        if not name.name or name.anchor or ".." in name.parts:
            raise InputError(
                f"{path}: image {record.get('id')} has the file name {name.as_posix()!r}; expected one inside {folder}"
            )
        sources.append(
            Source(
                image_stem("_".join(name.parts)),
                partial(_read, path, folder.joinpath(*name.parts), objects[record.get("id")]),
            )
        )
    return found(sources, path, "images with annotations")


def dataset_to_coco(dataset: Dataset) -> dict:
    """Return the 2D label images of a data set as a COCO dictionary, masks as compressed run lengths.

    Raises:
        InputError: a label image that is not two-dimensional.
    """
    images, annotations = [], []
    for number, (subset, entry) in enumerate(dataset.entries, start=1):
        labels = read_pixels(dataset.path(entry.label), labels=True).array
        if labels.ndim != 2 or is_nifti(entry.label):
            raise InputError(f"{entry.label}: COCO holds 2D images, this one has shape {labels.shape}")
        height, width = labels.shape
        images.append({"id": number, "file_name": entry.image, "height": height, "width": width, "subset": subset})
        for mask, box in _objects(labels):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "iscrowd": 0,
                    "area": int(mask.sum()),
                    "bbox": box,
                    "segmentation": {"size": [height, width], "counts": encode_string(encode_runs(mask))},
                }
            )
    name = next((v for k, v in dataset.description.classes.items() if k != "0"), "object")
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": name}]}


def write_coco(dataset: Dataset, path: Path) -> dict:
    """Write :func:`dataset_to_coco` into a new file and return it.

    Raises:
        InputError: the file exists, or as there.
    """
    if path.exists():
        raise InputError(f"{path}: exists already; choose another name")
    content = dataset_to_coco(dataset)
    with atomic_target(path) as partial:
        partial.write_text(json.dumps(content), encoding="utf-8")
    return content


def _objects(labels: np.ndarray) -> list[tuple[np.ndarray, list[int]]]:
    from scipy.ndimage import find_objects

    result = []
    for index, window in enumerate(find_objects(labels.astype(np.int64)), start=1):
        if window is not None:
            mask = np.zeros(labels.shape, dtype=bool)
            mask[window] = labels[window] == index
            y, x = window
            result.append((mask, [x.start, y.start, x.stop - x.start, y.stop - y.start]))
    return result


def _load(path: Path) -> dict:
    content = read_json_object(path)
    if not all(isinstance(content.get(k), list) for k in ("images", "annotations")):
        raise InputError(f"{path}: is not a COCO file; it needs the lists images and annotations")
    return content


def _read(path: Path, image_path: Path, annotations: list[dict]) -> Sample:
    image, geometry = read_plane(image_path)
    masks = [_mask(path, a, image.shape[:2]) for a in annotations]
    everything = (slice(None), slice(None))
    return painted_sample(image, geometry, ((everything, m) for m in masks))


def _mask(path: Path, annotation: dict, shape: tuple[int, int]) -> np.ndarray:
    from skimage.draw import polygon

    segmentation = annotation.get("segmentation")
    where = f"{path}: annotation {annotation.get('id')}"
    try:
        if isinstance(segmentation, dict):
            counts = segmentation["counts"]
            size = tuple(segmentation.get("size", shape))
            if size != shape:
                raise ValueError(f"its mask is {size}, its image {shape}")
            return decode_runs(decode_string(counts) if isinstance(counts, str) else counts, shape)
        mask = np.zeros(shape, dtype=bool)
        for outline in segmentation:
            # COCO's corners lie on the grid between pixels, scikit-image's on pixel centres.
            x, y = (np.asarray(outline, dtype=float).reshape(-1, 2) - 0.5).T
            mask[polygon(y, x, shape)] = True
        return mask
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where} has a segmentation that cannot be read: {error}") from error
