"""One name for the topology kernels."""

from medseg.kernels import topology


def test_names():
    assert all(callable(getattr(topology, name)) for name in topology.__all__ if name.lower() == name)
