"""Write label volumes named after their input, where the input lay."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_numpy

from medseg.errors import InputError
from medseg.io.nifti import write_label_volume
from medseg.io.paths import image_stem
from medseg.io.source_file import source_file
from medseg.io.volume import Space


class SaveImageVolumed(MapTransform):
    """Write ``<output_dir>/<stem>_labels.nii.gz`` with the input's affine, sform and qform codes, and units.

    MONAI Deploy and MONAI Label, which take over saving, recognise it by the ``SaveImage`` in its name.

    Args:
        keys: label volumes ``(1, X, Y, Z)`` on the input's grid, see :class:`medseg.transforms.LabelsOnInputGridd`.
        output_dir: folder; made if missing.
        overwrite: replace files that exist.
        allow_missing_keys: skip keys that an item lacks.

    Raises:
        InputError: an existing file, or a volume that does not know its place.
        OSError: the file could not be written; nothing half-written stays.
    """

    def __init__(
        self, keys: KeysCollection, output_dir: str | Path, overwrite: bool = False, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_dir, self.overwrite = Path(output_dir), overwrite

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write each key; the data pass through unchanged."""
        for key in self.key_iterator(data):
            source, space = source_file(data[key]), space_of(data[key])
            target = self.output_dir / f"{image_stem(source)}_labels.nii.gz"
            write_label_volume(target, convert_to_numpy(data[key])[0], space, overwrite=self.overwrite)
        return dict(data)


def space_of(volume: Any) -> Space:
    """Where a volume read by medseg lies.

    Raises:
        InputError: it was read by another reader.
    """
    space = Space.from_meta(getattr(volume, "meta", {}))
    if space is None:
        raise InputError(
            f"{source_file(volume)}: does not know its place in the patient; load it with "
            "LoadImaged(reader='medseg.io.volume_reader.VolumeReader')"
        )
    return space
