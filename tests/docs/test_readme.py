"""Every command and every snippet of the README runs as printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
INSTALLS = ("make ", "python3 -m venv", "pip install", "python -m pytest")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.M | re.S)


def commands() -> list[str]:
    lines = [line.split("   # ")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(INSTALLS)]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory) -> Path:
    """A folder that looks like the checkout, with `medseg` and `python` of this interpreter on the path."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "bundles").symlink_to(ROOT / "bundles")
    programs = folder / "bin"
    programs.mkdir()
    starts = {"python": "", "medseg": " -m medseg"}
    for name, module in starts.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{module} "$@"\n')
        program.chmod(0o755)
    return folder


@pytest.mark.slow
def test_commands_run_in_order(workplace):
    assert len(commands()) >= 8
    environment = os.environ | {
        "PATH": f"{workplace / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    for command in commands():
        run = subprocess.run(command, shell=True, cwd=workplace, env=environment, capture_output=True, text=True)
        assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
    made = {str(p.relative_to(workplace)) for p in (workplace / "out").rglob("*") if p.is_file()}
    assert {
        "out/demo/results/em_section_labels.tif",
        "out/demo/results/em_section_overlay.png",
        "out/cells/em_section_objects.csv",
        "out/cells/report.html",
        "out/bundle/em_section_labels.tif",
        "out/run/model.pt",
    } <= made


@pytest.mark.parametrize("snippet", blocks("python"))
def test_snippets_run(snippet):
    exec(compile(snippet, "README.md", "exec"), {})


@pytest.mark.parametrize(("target", "command"), [("demo", "medseg demo -o out/demo"), ("test", "python -m pytest")])
def test_the_two_commands_are_what_the_readme_says(target, command):
    """`make` does what the lines beneath it do; running it here would install into the checkout."""
    assert f"make {target}" in README
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, flags=re.M)
    assert recipe
    assert command in recipe[1]
    assert command in README
