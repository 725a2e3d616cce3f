"""Share the lines of an array among threads, for kernels compiled with ``nogil=True``.

Plain Python threads and not numba's ``parallel=True``: numba's thread pools end the process when a data
loader forks after their first use (GNU OpenMP) or when two threads enter one at once (workqueue). Transforms
run in exactly such places.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba


def default_threads() -> int:
    """``NUMBA_NUM_THREADS`` (by default the number of cores); 1 in a worker process, which has siblings."""
    return 1 if multiprocessing.parent_process() is not None else numba.config.NUMBA_NUM_THREADS


def in_threads(work: Callable[[int, int], None], count: int, threads: int | None = None) -> None:
    """Call ``work(start, stop)`` for consecutive parts of ``range(count)``, one part per thread.

    Args:
        work: releases the GIL and writes to places that belong to its range only.
        count: number of lines.
        threads: number of threads, None for :func:`default_threads`.
    """
    threads = max(1, min(default_threads() if threads is None else threads, count))
    if threads == 1:
        work(0, count)
        return
    bounds = [count * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(work, a, b) for a, b in pairwise(bounds)]:
            future.result()
