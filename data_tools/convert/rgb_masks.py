"""Label images in colour: every colour but black is an object (or several, where it is used again)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data_tools.convert.paint import grey_if_equal, read_plane
from data_tools.convert.source import Sample, Source, existing_folder, found
from data_tools.layout import files_by_stem


def rgb_mask_pairs(
    images: str | Path, masks: str | Path, *, split_pieces: bool, first_channel: bool = False
) -> list[Source]:
    """List images with the colour masks of the same stem.

    Args:
        images: folder of images.
        masks: folder of colour-coded masks.
        split_pieces: separate pieces of one colour are separate objects (BBBC039 reuses colours).
        first_channel: only the first channel counts (BBBC039).

    Raises:
        InputError: no such folder, or no stem that occurs in both.
    """
    folders = [existing_folder(images), existing_folder(masks)]
    by_stem, truth = (files_by_stem(folder) for folder in folders)

    def read(stem: str) -> Sample:
        image, geometry = grey_if_equal(*read_plane(by_stem[stem]))
        mask, _ = read_plane(truth[stem])
        if first_channel and mask.ndim == 3:
            mask = mask[..., 0]
        return Sample(image, colours_to_labels(mask, split_pieces=split_pieces), geometry)

    sources = [Source(stem, lambda s=stem: read(s)) for stem in by_stem if stem in truth]
    return found(sources, folders[0], f"images with masks of the same name in {folders[1]}")


def colours_to_labels(mask: np.ndarray, *, split_pieces: bool) -> np.ndarray:
    """Return uint32 labels of a (Y, X) or (Y, X, C) mask in which black (0, alpha aside) is background."""
    from skimage.measure import label

    if mask.ndim == 3:
        channels = mask[..., :3].astype(np.uint64)
        codes = np.zeros(mask.shape[:2], dtype=np.uint64)
        for c in range(channels.shape[-1]):
            codes = (codes << np.uint64(16)) | channels[..., c]
    else:
        codes = mask.astype(np.uint64)
    values, ids = np.unique(codes, return_inverse=True)
    ids = ids.reshape(codes.shape) + (0 if values[0] == 0 else 1)
    if split_pieces:
        ids = label(ids, background=0, connectivity=2)
    return ids.astype(np.uint32)
