"""Whoever follows docs/nuclei.md from top to bottom ends with a trained network, labels and scores."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "nuclei.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.M | re.S) for line in block.splitlines()]


@pytest.mark.slow
def test_the_page_works_from_top_to_bottom(medseg, tmp_path, monkeypatch):
    if not (ROOT / "bundles" / "nuclei_unetplusplus" / "models" / "model.pt").is_file():
        pytest.skip("the bundle has no weights here")
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 7
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "medseg"
        done = medseg(*arguments)
        assert done.code == 0, f"{command}\n{done.out}\n{done.err}"
    assert len(list((tmp_path / "out/my_labels").glob("*_overlay.png"))) == 10
    assert (tmp_path / "out/my_run/model.pt").is_file()


def test_settings_it_names_are_those_of_the_configs():
    known = "".join(
        (ROOT / "bundles/nuclei_unetplusplus/configs" / f).read_text() for f in ("train.json", "inference.json")
    )
    for name in re.findall(r"--set (\w+)=", PAGE):
        assert f'"{name}"' in known
