"""What the transforms at the end of a bundle share that write one file per input image."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from medseg.io.paths import image_stem
from medseg.io.source_file import source_file


class ResultSaver(MapTransform):
    """Writes something of each key, in a file named after the image that it was made from.

    An item's entry ``stem`` names it otherwise, where files of one name come from several folders.

    Args:
        keys: results, MetaTensors that know their input file.
        output_dir: folder; made if missing.
        overwrite: replace files that exist.
        allow_missing_keys: skip keys that an item lacks.
    """

    def __init__(
        self, keys: KeysCollection, output_dir: str | Path, overwrite: bool = False, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_dir, self.overwrite = Path(output_dir), overwrite

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write each key; the data pass through unchanged."""
        for key in self.key_iterator(data):
            self.write(data, key)
        return dict(data)

    @abstractmethod
    def write(self, data: Mapping[Hashable, Any], key: Hashable) -> None:
        """Write the file of one key."""

    def stem(self, data: Mapping[Hashable, Any], key: Hashable) -> str:
        """What files of an item are named after.

        Raises:
            InputError: it has no ``stem``, and the result of the key does not know its input file.
        """
        return str(data.get("stem") or image_stem(source_file(data[key])))

    def target(self, data: Mapping[Hashable, Any], key: Hashable, ending: str) -> Path:
        """``<output_dir>/<stem of the input>_<ending>``.

        Raises:
            InputError: as :meth:`stem`.
        """
        return self.output_dir / f"{self.stem(data, key)}_{ending}"
