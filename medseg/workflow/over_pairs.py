"""Do something with each pair of files; one that fails is noted and the others are still done."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeVar

from medseg.errors import InputError, InputWarning
from medseg.workflow.pairs import FilePair

Result = TypeVar("Result")


def over_pairs(
    pairs: list[FilePair], work: Callable[[FilePair], Result], progress: Callable[[FilePair], None]
) -> tuple[dict[str, Result], dict[str, str], list[tuple[str, str]]]:
    """Call ``work`` with each pair, before it ``progress``.

    Returns:
        results by stem; why there is none, by stem (the message names a file); stem and message of each warning, once.

    Raises:
        InputError: not one pair could be done.
    """
    results: dict[str, Result] = {}
    failed: dict[str, str] = {}
    warned: list[tuple[str, str]] = []
    for pair in pairs:
        progress(pair)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UserWarning)
                results[pair.stem] = work(pair)
            ours = [w for w in caught if w.category is UserWarning or issubclass(w.category, InputWarning)]
            warned += dict.fromkeys((pair.stem, str(w.message)) for w in ours)
        except InputError as error:
            failed[pair.stem] = _with_name(str(error), pair)
        except OSError as error:
            failed[pair.stem] = f"{error.filename or pair.prediction}: {error.strerror or error}"
    if not results:
        raise InputError("; ".join(failed.values()))
    return results, failed, warned


def _with_name(message: str, pair: FilePair) -> str:
    named = str(pair.prediction) in message or str(pair.reference) in message
    return message if named else f"{pair.prediction} and {pair.reference}: {message}"
