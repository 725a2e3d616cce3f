"""Walk through two label images block by block, in an order that meets the same objects again soon."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

BLOCK_VOXELS = 1 << 14
_SLAB = 32


def label_blocks(rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Matching contiguous, read-only, one-dimensional blocks of two integer arrays of one shape.

    At most `BLOCK_VOXELS` long; int32 where both dtypes fit in it, else int64, so that kernels are compiled for
    two types only. What need not be cast or made contiguous is not copied: a memory-mapped file is read once, and
    one block at a time.
    Sections of volumes are cut into bands of lines, and a band is followed by the same band of the next section.
    """
    narrow = all(np.can_cast(array.dtype, np.int32) for array in (rows, columns))
    dtype = np.dtype(np.int32 if narrow else np.int64)
    memory_order = np.argsort(np.abs(rows.strides), kind="stable")[::-1]
    rows, columns = rows.transpose(memory_order), columns.transpose(memory_order)
    if rows.ndim < 3 or not rows.shape[-1] <= BLOCK_VOXELS <= rows.shape[-2] * rows.shape[-1]:
        yield from _in_raster_order(rows, columns, dtype)
        return
    *outer, sections, lines, line = rows.shape
    band = BLOCK_VOXELS // line
    for volume in np.ndindex(*outer):
        for slab in range(0, sections, _SLAB):
            for y in range(0, lines, band):
                for z in range(slab, min(slab + _SLAB, sections)):
                    place = (*volume, z, slice(y, y + band))
                    yield _block(rows[place], dtype), _block(columns[place], dtype)


def _in_raster_order(rows: np.ndarray, columns: np.ndarray, dtype: np.dtype) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return np.nditer(
        [np.atleast_1d(rows), np.atleast_1d(columns)],  # numpy up to 2.2 reads a single number from wrong memory
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[["readonly", "contig", "aligned", "nbo"]] * 2,
        op_dtypes=[dtype] * 2,
        casting="unsafe",  # the caller has made sure that unsigned ids fit
        buffersize=BLOCK_VOXELS,
        order="C",
    )


def _block(part: np.ndarray, dtype: np.dtype) -> np.ndarray:
    block = np.ascontiguousarray(part, dtype).reshape(-1)
    block.flags.writeable = False  # of this view; numba compiles again for arrays that can be written
    return block
