"""One pair that fails does not keep the others from being done."""

import warnings
from pathlib import Path

import pytest

from medseg.errors import InputError, InputWarning
from medseg.workflow.over_pairs import over_pairs
from medseg.workflow.pairs import FilePair

PAIRS = [FilePair(stem, Path(f"{stem}_labels.tif"), Path(f"{stem}.tif")) for stem in ("good", "named", "bare", "gone")]


def work(pair: FilePair) -> str:
    match pair.stem:
        case "named":
            raise InputError("named.tif: is empty")
        case "bare":
            raise InputError("shapes differ")
        case "gone":
            raise OSError(5, "Input/output error", "gone.tif")
    for category in (UserWarning, InputWarning, InputWarning, RuntimeWarning, FutureWarning):
        warnings.warn("look here" if category is InputWarning else category.__name__, category, stacklevel=1)
    return pair.stem.upper()


def test_results_failures_and_warnings_by_stem():
    begun = []
    results, failed, warned = over_pairs(PAIRS, work, lambda pair: begun.append(pair.stem))
    assert begun == ["good", "named", "bare", "gone"]
    assert results == {"good": "GOOD"}
    assert failed == {
        "named": "named.tif: is empty",
        "bare": "bare_labels.tif and bare.tif: shapes differ",
        "gone": "gone.tif: Input/output error",
    }
    assert warned == [("good", "UserWarning"), ("good", "look here")]


def test_not_one_result_is_an_error():
    with pytest.raises(InputError, match=r"named.tif: is empty; bare_labels.tif and bare.tif: shapes differ"):
        over_pairs(PAIRS[1:3], work, lambda pair: None)


def test_other_errors_are_not_hidden():
    def broken(pair: FilePair) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        over_pairs(PAIRS, broken, lambda pair: None)
