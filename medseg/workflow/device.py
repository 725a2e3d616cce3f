"""Where a network runs."""

from __future__ import annotations

import torch

from medseg.errors import InputError


def pick_device(name: str) -> torch.device:
    """``auto`` (the first GPU, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        InputError: another name, or a GPU that is not there.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (index and not (kind == "cuda" and index.isdigit())):
        raise InputError(f"--device {name}: give auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count()
    if kind == "cuda" and int(index or 0) >= count:
        raise InputError(f"--device {name}: torch sees {count} CUDA devices here; use --device cpu")
    return torch.device(name)
