import numba
import pytest

from medseg.kernels.compiled import compiled


def test_a_kernel_that_cannot_be_cached_is_compiled_nonetheless(monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    namespace = {}
    exec(compile("def add(a, b):\n    return a + b\n", "<nowhere>", "exec"), namespace)  # in no file
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(namespace["add"])
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR"):
        add = compiled(namespace["add"])
    assert add(1, 2) == 3
    assert add.nopython_signatures
