"""Write synthetic images as a data set in the layout, the last fifth for validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from data_tools.convert.build import Conversion, build_dataset
from data_tools.convert.source import Part, Sample, Source
from data_tools.layout import Description
from data_tools.synth.ct_phantom import CLASSES, ct_phantom
from data_tools.synth.em import em_sections
from data_tools.synth.nuclei import nuclei
from data_tools.synth.phase_contrast import phase_contrast_cells
from medseg.errors import InputError
from medseg.io import Geometry

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Kind:
    """A kind of synthetic image: how it looks, its usual shape and how one sample is drawn."""

    description: Description
    shape: Shape
    draw: Callable[[Shape, int], Sample]


def _em(shape: Shape, seed: int) -> Sample:
    sample = em_sections(shape, seed)
    return Sample(sample.image, sample.labels, Geometry("ZYX"[-len(shape) :], (50.0, 4.0, 4.0)[-len(shape) :], "nm"))


def _cells(generate: Callable, spacing_um: tuple[float, float, float], shape: Shape, seed: int) -> Sample:
    sample = generate(shape, seed)
    return Sample(sample.image, sample.labels, Geometry("ZYX"[-len(shape) :], spacing_um[-len(shape) :], "um"))


def _ct(shape: Shape, seed: int) -> Sample:
    sample = ct_phantom(shape if len(shape) == 3 else (*shape, 1), seed)
    return Sample(sample.image, sample.labels, affine=sample.affine)


def _description(name: str, modality: str, objects: str) -> Description:
    classes = {"0": "background", "1": objects}
    return Description(name, modality, classes=classes, licence="CC0-1.0", source="medseg data synth")


KINDS: dict[str, Kind] = {
    "em": Kind(_description("synthetic EM", "ssTEM (synthetic)", "cell interior"), (512, 512), _em),
    "nuclei": Kind(
        _description("synthetic nuclei", "fluorescence (synthetic)", "nucleus"),
        (256, 256),
        partial(_cells, nuclei, (1.0, 0.5, 0.5)),
    ),
    "phase-contrast": Kind(
        _description("synthetic cells", "phase contrast (synthetic)", "cell"),
        (512, 512),
        partial(_cells, phase_contrast_cells, (1.0, 0.65, 0.65)),
    ),
    "ct": Kind(
        Description(
            "synthetic CT",
            "CT (synthetic)",
            unit="mm",
            label_kind="classes",
            classes=CLASSES,
            licence="CC0-1.0",
            source="medseg data synth",
        ),
        (96, 80, 64),
        _ct,
    ),
}


def write_synthetic(
    kind: str, dst: str | Path, *, count: int = 10, shape: Shape | None = None, seed: int = 0
) -> Conversion:
    """Draw `count` samples with seeds `seed`, `seed` + 1 ... into the new folder `dst`.

    Raises:
        InputError: an unknown kind, a count below 1, a shape that the kind cannot have, an existing target.
    """
    if kind not in KINDS:
        raise InputError(f"{kind!r} is no kind of synthetic image; known: {', '.join(KINDS)}")
    if count < 1:
        raise InputError(f"count is {count}; draw at least one image")
    chosen = KINDS[kind]
    held = max(1, count // 5) if count > 1 else 0
    width = max(3, len(str(seed + count - 1)))
    sources = [
        Source(
            f"{kind}_{seed + i:0{width}d}",
            partial(chosen.draw, shape or chosen.shape, seed + i),
            parts=(Part("validation" if i >= count - held else "training"),),
        )
        for i in range(count)
    ]
    return build_dataset(dst, sources, chosen.description)
