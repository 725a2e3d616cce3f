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

    def target(self, result: Any, ending: str) -> Path:
        """``<output_dir>/<stem of the input>_<ending>``.

        Raises:
            InputError: the result does not know its input file.
        """
        return self.output_dir / f"{image_stem(source_file(result))}_{ending}"
