"""Where a network runs."""

from __future__ import annotations

import re

import torch

from medseg.errors import InputError


def pick_device(name: str) -> torch.device:
    """``auto`` (the first GPU, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        InputError: another name, or a GPU that is not there.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    matched = re.fullmatch(r"cpu|cuda(:([0-9]+))?", name)
    if not matched:
        raise InputError(f"--device {name}: give auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count()
    if name != "cpu" and int(matched[2] or 0) >= count:
        builds = (
            "" if count or torch.version.cuda else " (it is built without CUDA; https://pytorch.org has builds with it)"
        )
        raise InputError(f"--device {name}: torch sees {count} CUDA devices here{builds}; use --device cpu")
    return torch.device(name)
