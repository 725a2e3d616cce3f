"""Write label volumes named after their input, where the input lay."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.utils import convert_to_numpy

from medseg.errors import InputError
from medseg.io.nifti import write_label_volume
from medseg.io.result_saver import ResultSaver
from medseg.io.source_file import source_file
from medseg.io.volume import Space


class SaveImageVolumed(ResultSaver):
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

    def write(self, data: Mapping[Hashable, Any], key: Hashable) -> None:
        """Write the file of one key."""
        target, space = self.target(data, key, "labels.nii.gz"), space_of(data[key])
        write_label_volume(target, convert_to_numpy(data[key])[0], space, overwrite=self.overwrite)


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
