"""How each known public set becomes a folder of the layout, from its download or from a folder of pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data_tools.convert.cell_tracking import cell_tracking_sequences
from data_tools.convert.chest_ct_slices import chest_ct_slices
from data_tools.convert.nifti_pairs import nifti_pairs
from data_tools.convert.object_masks import object_mask_folders
from data_tools.convert.openkbp import openkbp_patients
from data_tools.convert.pairs import image_label_pairs, read_index, read_pair, suffix_pairs
from data_tools.convert.rgb_masks import rgb_mask_pairs
from data_tools.convert.source import Part, Sample, Source, found
from data_tools.convert.stacks import instance_stack, interior_stack
from data_tools.pixels import read_pixels
from medseg.errors import InputError
from medseg.io import Geometry
from medseg.io.paths import natural_order

Converter = Callable[[Path], list[Source]]


def isbi2012_em(src: Path) -> list[Source]:
    """`train-volume.tif` and `train-labels.tif`; the last fifth of the sections is for validation."""
    image, labels = _file(src, "train-volume.tif"), _file(src, "train-labels.tif")
    return [_neurites("isbi2012", image, labels, interior_value=255, spacing_nm=(50, 4, 4))]


def vnc_sstem(src: Path) -> list[Source]:
    """`raw.tif` and `membranes.tif` (255 = membrane); the last fifth is for validation."""
    image, membranes = _file(src, "raw.tif"), _file(src, "membranes.tif")
    return [_neurites("vnc", image, membranes, interior_value=0, spacing_nm=(50, 4.6, 4.6))]


def dsb2018(src: Path) -> list[Source]:
    """`stage1_train` (a folder per image with a mask per nucleus), or a folder of pairs with `index.csv`."""
    if (src / "images").is_dir() and (src / "labels").is_dir():
        return image_label_pairs(src)
    return object_mask_folders(_below(src, "stage1_train"))


def bbbc039(src: Path) -> list[Source]:
    """`images/` and `masks/` of the download, or a folder of pairs; groups are wells."""
    if (src / "labels").is_dir():
        sources = image_label_pairs(src)
    else:
        sources = rgb_mask_pairs(_below(src, "images"), _below(src, "masks"), split_pieces=True, first_channel=True)
    return [replace(s, group=_well(s.name)) for s in sources]


def usiigaci(src: Path) -> list[Source]:
    """Folders `setN` with `raw.tif` and `instances_ids.png`, or a folder of pairs; correlated fields grouped."""
    if (src / "images").is_dir() and (src / "labels").is_dir():
        sources = image_label_pairs(src)
    else:
        folders = sorted((p.parent for p in src.rglob("set*/instances_ids.png")), key=natural_order)
        folders = [p for p in folders if p.parent.name == "train"] or folders
        sources = [Source(p.name, lambda p=p: _usiigaci_field(p)) for p in folders if (p / "raw.tif").is_file()]
    pairs = {"set4": "fields 4, 39", "set39": "fields 4, 39", "set23": "fields 23, 40", "set40": "fields 23, 40"}
    short = {s.name: s.name.replace("set0", "set") for s in sources}
    sources = [replace(s, group=pairs.get(short[s.name], short[s.name])) for s in sources]
    return found(sources, src, "folders setN with raw.tif and instances_ids.png")


def openkbp(src: Path) -> list[Source]:
    """Patients in sparse CSV files, or the same as NIfTI pairs `pt_N_ct` and `pt_N_labels`."""
    if any(src.glob("pt_*_ct.nii.gz")):
        return [replace(s, group=s.name) for s in nifti_pairs(src)]
    return openkbp_patients(src)


def fib_medulla(src: Path) -> list[Source]:
    """`raw.tif` and `labels.tif`, one id per neuron, isotropic 10 nm."""
    raw, labels = _file(src, "raw.tif"), _file(src, "labels.tif")
    return [instance_stack(raw, labels, name="medulla", spacing=(10, 10, 10), unit="nm")]


def ovules_3d(src: Path) -> list[Source]:
    """Pairs `NAME_raw.tif` and `NAME_labels.tif`; `index.csv` has the voxel sizes in µm."""
    rows = read_index(src / "index.csv")

    def with_spacing(source: Source) -> Sample:
        sample = source.read()
        size = rows.get(source.name, {}).get("voxel_um_zyx", "")
        spacing = tuple(float(v) for v in size.split("x")) if size else None
        return replace(sample, geometry=Geometry("ZYX", spacing, "um" if spacing else None))

    return [replace(s, group=s.name, read=lambda s=s: with_spacing(s)) for s in suffix_pairs(src, ("_labels",))]


def msd_spleen(src: Path) -> list[Source]:
    """`Task09_Spleen` with `imagesTr` and `labelsTr`."""
    return nifti_pairs(_below(src, "imagesTr").parent)


def chest_ct_kaggle(src: Path) -> list[Source]:
    """`3d_images` with `IMG_ID.nii.gz` and `MASK_ID.nii.gz`."""
    images = sorted(src.rglob("IMG_*.nii*"), key=natural_order)
    sources = []
    for image in images:
        mask = image.with_name(image.name.replace("IMG_", "MASK_", 1))
        if mask.is_file():
            name = image.name.split(".nii")[0].removeprefix("IMG_")
            sources.append(Source(name, lambda i=image, m=mask: read_pair(i, m), group=name))
    return found(sources, src, "IMG_*.nii.gz with MASK_*.nii.gz")


CONVERTERS: dict[str, Converter] = {
    "isbi2012_em": isbi2012_em,
    "vnc_sstem": vnc_sstem,
    "dsb2018": dsb2018,
    "bbbc039": bbbc039,
    "usiigaci": usiigaci,
    "openkbp": openkbp,
    "fib_medulla": fib_medulla,
    "ovules_3d": ovules_3d,
    "ct_examples": nifti_pairs,
    "msd_spleen": msd_spleen,
    "cell_tracking": cell_tracking_sequences,
    "chest_ct_kaggle": chest_ct_kaggle,
    "chest_ct_slices": chest_ct_slices,
}


def _neurites(
    name: str, image: Path, marks: Path, *, interior_value: int, spacing_nm: tuple[float, float, float]
) -> Source:
    depth = len(read_pixels(image).array)
    cut = depth * 4 // 5
    parts = (Part("training", (0, cut)), Part("validation", (cut, depth)))
    return interior_stack(
        image, marks, name=name, interior_value=interior_value, spacing=spacing_nm, unit="nm", parts=parts
    )


def _file(src: Path, name: str) -> Path:
    path = next(iter(sorted(src.rglob(name))), None)
    if path is None:
        raise InputError(f"{src}: holds no {name}")
    return path


def _below(src: Path, name: str) -> Path:
    """The innermost folder `name` in `src` or below (archives repeat it); `src` itself where there is none."""
    folder = src / name
    if not folder.is_dir():
        folder = next((p for p in sorted(src.rglob(name)) if p.is_dir()), src)
    while (folder / name).is_dir():
        folder = folder / name
    return folder


def _well(stem: str) -> str:
    parts = stem.split("_")
    return parts[1] if parts[0] == "IXMtest" and len(parts) > 1 else parts[0]


def _usiigaci_field(folder: Path) -> Sample:
    image, truth = read_pixels(folder / "raw.tif"), read_pixels(folder / "instances_ids.png", labels=True)
    return Sample(image.array, truth.array, image.geometry)
