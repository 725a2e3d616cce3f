"""The formats of annotators, by the name that the command line gives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data_tools.convert.cell_tracking import cell_tracking_sequences
from data_tools.convert.coco import coco_annotations
from data_tools.convert.nifti_pairs import nifti_pairs
from data_tools.convert.object_masks import object_mask_folders
from data_tools.convert.pairs import image_label_pairs, suffix_pairs
from data_tools.convert.rgb_masks import rgb_mask_pairs
from data_tools.convert.rois import roi_folder
from data_tools.convert.source import Source
from data_tools.convert.stacks import instance_stack, interior_stack
from medseg.errors import InputError
from medseg.io import image_stem


@dataclass(frozen=True)
class Extra:
    """What some formats need besides the source: a second path, the value of cell interiors, axes of the images."""

    labels: Path | None = None
    interior: int | None = None
    axes: str | None = None


@dataclass(frozen=True)
class Format:
    """A format: what the source must look like, what it holds, and the function that lists its images.

    `takes_axes`: its images may be more than planes, and `Extra.axes` names the axes of those that do not state them.
    """

    source: str
    sources: Callable[[Path, Extra], list[Source]]
    label_kind: str = "instances"
    takes_axes: bool = False


def _stack(src: Path, extra: Extra) -> list[Source]:
    labels = _labels(extra, "the stack of labels")
    if extra.interior is None:
        return [instance_stack(src, labels, name=image_stem(src), axes=extra.axes)]
    return [interior_stack(src, labels, name=image_stem(src), interior_value=extra.interior, axes=extra.axes)]


def _labels(extra: Extra, what: str) -> Path:
    if extra.labels is None:
        raise InputError(f"this format needs --labels: {what}")
    return extra.labels


FORMATS: dict[str, Format] = {
    "pairs": Format(
        "a folder with images/ and labels/ of the same names",
        lambda s, e: image_label_pairs(s, axes=e.axes),
        takes_axes=True,
    ),
    "object-masks": Format("folders ID/images and ID/masks, one mask per object", lambda s, e: object_mask_folders(s)),
    "rgb-masks": Format(
        "a folder of images; --labels: masks of the same names, one colour per object",
        lambda s, e: rgb_mask_pairs(s, _labels(e, "the folder of colour masks"), split_pieces=True),
    ),
    "coco": Format(
        "a folder of images; --labels: the COCO JSON file",
        lambda s, e: coco_annotations(_labels(e, "the COCO JSON file"), s),
    ),
    # _seg.npy files are pickles, which can run code when opened, and are not read
    "cellpose": Format(
        "a folder with NAME.tif and NAME_masks.tif or NAME_cp_masks.png",
        lambda s, e: suffix_pairs(s, ("_cp_masks", "_masks"), axes=e.axes),
        takes_axes=True,
    ),
    "rois": Format("a folder with NAME.tif and NAME.zip (ImageJ, StarDist)", lambda s, e: roi_folder(s)),
    "stack": Format(
        "a multi-page TIFF; --labels: the same for ids, or for marks with --interior VALUE", _stack, takes_axes=True
    ),
    "nifti": Format(
        "imagesTr/ and labelsTr/, or NAME_ct.nii.gz and NAME_labels.nii.gz", lambda s, e: nifti_pairs(s), "classes"
    ),
    "sequences": Format(
        "Cell Tracking Challenge folders 01, 01_GT, 01_ST",
        lambda s, e: cell_tracking_sequences(s, axes=e.axes),
        takes_axes=True,
    ),
}
