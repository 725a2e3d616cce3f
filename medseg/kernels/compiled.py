"""Compile a kernel, and keep the machine code on disk where that is possible."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """``numba.njit`` without the GIL, cached beside the source or in the user's cache folder.

    Where neither can be written, as in read-only containers, numba refuses to cache; each process then compiles anew,
    which is said in a warning.
    """
    try:
        return njit(cache=True, nogil=True)(kernel)
    except RuntimeError:
        warnings.warn(
            "compiled kernels cannot be kept on this disk, so each process takes seconds to compile them: set the "
            "environment variable NUMBA_CACHE_DIR to a folder that can be written",
            RuntimeWarning,
            stacklevel=1,  # one place for all kernels: said once
        )
        return njit(nogil=True)(kernel)
