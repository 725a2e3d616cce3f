"""One name for the topology kernels, light to import."""

import subprocess
import sys

from medseg.kernels import topology


def test_names():
    assert all(callable(getattr(topology, name)) for name in topology.__all__ if name.lower() == name)


def test_needs_neither_torch_nor_monai():
    code = "import sys, medseg.kernels.topology; print(sorted({'torch', 'monai'} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed == "[]\n"
