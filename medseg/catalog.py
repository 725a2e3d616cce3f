"""Find the bundles that medseg ships, and know whether their weights are there and whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from medseg.errors import InputError

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "_bundles", _PACKAGE.parent / "bundles")  # in an installed wheel; in a checkout


@dataclass(frozen=True)
class Bundle:
    """One MONAI bundle on disk, in the layout of the Model Zoo."""

    root: Path

    @property
    def name(self) -> str:
        """Name of the folder, which is what commands take."""
        return self.root.name

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """``configs/metadata.json``."""
        path = self.root / "configs" / "metadata.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise InputError(f"{path}: not readable as the metadata of a bundle ({error})") from error

    @property
    def weights(self) -> Path:
        """``models/model.pt``."""
        return self.root / "models" / "model.pt"

    @property
    def is_recipe(self) -> bool:
        """Whether it is made to be trained and ships no weights."""
        return not self.metadata.get("weights_sha256")

    @property
    def dimensions(self) -> int:
        """Spatial axes of the network's input."""
        return len(self.metadata["network_data_format"]["inputs"]["image"]["spatial_shape"])

    @property
    def takes_volumes(self) -> bool:
        """Whether its input are volumes with a place in the patient (NIfTI, DICOM ...), not microscopy images."""
        return self.metadata.get("data_type") == "nifti"

    @property
    def levels(self) -> list[int]:
        """Levels that the network can be pruned to, shallowest first; none if it cannot be."""
        return list(self.metadata.get("levels", []))

    def check_level(self, level: int) -> None:
        """Refuse a level that the network cannot be pruned to.

        Raises:
            InputError: it has others, or none at all.
        """
        if not self.levels:
            raise InputError(f"{self.name}: its network has no levels to prune to; leave --level out")
        if level not in self.levels:
            raise InputError(f"{self.name}: has no level {level}; give one of {', '.join(map(str, self.levels))}")

    def config(self, name: str) -> Path:
        """A file of ``configs``, for example ``inference``.

        Raises:
            InputError: the bundle has none of that name.
        """
        path = self.root / "configs" / f"{name}.json"
        if not path.is_file():
            raise InputError(f"{self.root}: this bundle has no configs/{name}.json")
        return path

    def settings(self, config: str) -> dict[str, Any]:
        """All keys of a file of ``configs``, such as ``network_def::channels``, with their values; none if it lacks."""
        path = self.root / "configs" / f"{config}.json"
        return dict(_nested(json.loads(path.read_text(encoding="utf-8")))) if path.is_file() else {}

    def summary(self) -> dict[str, Any]:
        """What ``medseg bundles`` shows; reads no weights."""
        return {
            "name": self.name,
            "version": self.metadata["version"],
            "task": self.metadata["task"],
            "dimensions": self.dimensions,
            "levels": self.levels,
            "weights": self.weights.is_file(),
            "recipe": self.is_recipe,
            "data_licence": self.metadata.get("data_licence", "not stated"),
            "path": str(self.root),
        }

    def check_weights(self) -> str:
        """SHA-256 of the shipped weights.

        Raises:
            InputError: there are none, they are missing, or not those that the metadata name.
        """
        if self.is_recipe and not self.weights.is_file():
            raise InputError(f"{self.name}: has no weights of its own; train it, and name yours (--weights)")
        if not self.weights.is_file():
            raise InputError(f"{self.weights}: the weights are missing; reinstall medseg, or give your own (--weights)")
        found = sha256(self.weights)
        expected = self.metadata.get("weights_sha256")
        if expected and found != expected:
            raise InputError(
                f"{self.weights}: the weights are damaged or were replaced (SHA-256 {found[:12]}..., expected "
                f"{expected[:12]}...); reinstall medseg, or name your own file (--weights)"
            )
        return found


def _nested(node: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield f"{above}{key}", value
        yield from _nested(value, f"{above}{key}::")


def list_bundles() -> list[Bundle]:
    """All shipped bundles, by name."""
    found = {
        path.parent.parent.name: Bundle(path.parent.parent)
        for place in _PLACES
        for path in place.glob("*/configs/metadata.json")
    }
    return [found[name] for name in sorted(found)]


def find_bundle(name: str) -> Bundle:
    """The shipped bundle of that name, or the bundle in that folder.

    Raises:
        InputError: there is neither.
    """
    bundles = list_bundles()
    for bundle in bundles:
        if bundle.name == name:
            return bundle
    if (Path(name) / "configs" / "metadata.json").is_file():
        return Bundle(Path(name).resolve())
    known = ", ".join(b.name for b in bundles) or "none found"
    raise InputError(f"{name!r} is neither a bundle of medseg ({known}) nor a folder with configs/metadata.json")


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
