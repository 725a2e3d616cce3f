"""COCO run-length encoding of masks: runs of 0 and 1 in column order, plain or as a compressed string."""

from __future__ import annotations

import numpy as np


def encode_runs(mask: np.ndarray) -> list[int]:
    """Return the run lengths of a (Y, X) mask read column by column, the first run counting zeros."""
    flat = np.asarray(mask, dtype=bool).ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def encode_window_runs(mask: np.ndarray, corner: tuple[int, int], shape: tuple[int, int]) -> list[int]:
    """Return the run lengths of a (Y, X) mask that lies in a larger image, without making that image.

    Args:
        mask: the object's window.
        corner: place of its first pixel in the image.
        shape: of the image; the window lies wholly inside.
    """
    edges = np.diff(np.pad(np.asarray(mask, dtype=np.int8), ((1, 1), (0, 0))), axis=0)
    ends = []
    for beginning in (True, False):
        column, row = np.nonzero(edges.T > 0 if beginning else edges.T < 0)
        ends.append((corner[1] + column) * shape[0] + corner[0] + row)
    # start, stop, start, stop, ...; a run down to the last row goes on at the top of the next column
    places = np.stack(ends, axis=1).ravel()
    joined = np.flatnonzero(places[1:-1:2] == places[2::2]) * 2 + 1
    places = np.delete(places, np.concatenate([joined, joined + 1]))
    runs = np.diff(np.concatenate([[0], places, [shape[0] * shape[1]]])).tolist()
    return runs if len(runs) == 1 or runs[-1] else runs[:-1]


def decode_runs(runs: list[int], shape: tuple[int, int]) -> np.ndarray:
    """Return the boolean (Y, X) mask of run lengths.

    Raises:
        ValueError: the runs do not fill `shape` exactly, or one is negative.
    """
    counts = np.asarray(runs, dtype=np.int64)
    if (counts < 0).any() or counts.sum() != shape[0] * shape[1]:
        raise ValueError(f"runs of {counts.sum()} pixels do not fill a mask of {shape[0]} x {shape[1]}")
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(shape, order="F")


def decode_string(text: str) -> list[int]:
    """Return the run lengths of a compressed string.

    Each number is written in groups of five bits, low first, each as one character from '0' on, bit 5 saying
    that another group follows, bit 4 of the last group being the sign; from the third number on it is the
    difference to the number two before (format of the COCO API, `mask.py`).
    """
    runs: list[int] = []
    position = 0
    while position < len(text):
        value, shift, more = 0, 0, True
        while more:
            if position >= len(text):
                raise ValueError("the compressed runs end in the middle of a number")
            group = ord(text[position]) - 48
            if not 0 <= group < 64:
                raise ValueError(f"{text[position]!r} is no character of compressed runs")
            value |= (group & 31) << shift
            more = bool(group & 32)
            position, shift = position + 1, shift + 5
            if not more and group & 16:
                value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs


def encode_string(runs: list[int]) -> str:
    """Return the compressed string of run lengths; see :func:`decode_string`."""
    characters = []
    for index, run in enumerate(runs):
        value = run - runs[index - 2] if index > 2 else run
        while True:
            group = value & 31
            value >>= 5
            more = value != (-1 if group & 16 else 0)
            characters.append(chr(group + (32 if more else 0) + 48))
            if not more:
                break
    return "".join(characters)
