"""Imports go one way, as CONTRIBUTING.md says."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "medseg"
LAYERS = (
    {"kernels"},
    {"networks", "io"},
    {"inferers", "metrics", "transforms", "losses", "training"},
    {"workflow", "report", "catalog"},
    {"cli"},
)
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer} | {"errors": -1, "__init__": -1}


def test_no_module_imports_from_a_layer_above():
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            if module.startswith("medseg.") and here != "__main__":
                assert HEIGHT[module.split(".")[1]] <= HEIGHT[here], f"{path} imports {module}"
            assert not module.startswith("data_tools") or here == "cli", f"{path} imports {module}"


def test_kernels_need_neither_torch_nor_monai():
    kernels = ", ".join(f"medseg.kernels.{path.stem}" for path in (PACKAGE / "kernels").glob("[!_]*.py"))
    code = f"import sys, {kernels}; print(sorted({{'torch', 'monai'}} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed == "[]\n"
