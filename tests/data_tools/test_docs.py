"""The pages on data: commands run as printed, every set has its page, every check its line."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data_tools.catalogue import SETS
from data_tools.cli import app
from data_tools.convert.formats import FORMATS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def commands(text):
    blocks = re.findall(r"^ *```sh\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.strip()]


def test_data_commands_run_as_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = [c[2:] for c in commands(PAGE) if c[:2] == ["medseg", "data"]]
    assert len(data) >= 8
    for command in data:
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, (command, result.output, result.exception)
    assert (tmp_path / "out/cells/images/em_009.tif").is_file()


@pytest.mark.parametrize("name", SETS)
def test_every_set_has_a_page(name):
    page = (ROOT / "docs" / "data" / f"{name}.md").read_text(encoding="utf-8")
    public = SETS[name]
    for text in (public.title, public.description.licence, public.citation, public.description.source):
        assert text in page
    (row,) = [line for line in PAGE.splitlines() if f"(data/{name}.md)" in line]
    assert row.endswith("| `fetch` |" if public.downloads else "| by hand |")
    words = commands(page)
    assert ["medseg", "data", "fetch" if public.downloads else "convert", name] in [w[:4] for w in words]
    trained = [w[2] for w in words if w[:2] == ["medseg", "train"]]
    assert all((ROOT / "bundles" / bundle).is_dir() for bundle in trained)


@pytest.mark.parametrize("page", sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("bundles/*/docs/*.md")))
def test_bundles_fetch_only_what_a_program_can(page):
    fetched = re.findall(r"medseg data fetch (\w+)", (ROOT / page).read_text(encoding="utf-8"))
    assert all(SETS[name].downloads for name in fetched), fetched


def test_every_format_is_listed():
    assert all(f"| `{name}` |" in PAGE for name in FORMATS)


def test_every_finding_is_listed():
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "data_tools" / "check").glob("*.py"))
    levels = {code: level for level, code in re.findall(r'\b(error|warning)\(\s*"([a-z_]+)"', source)}
    rows = re.findall(r"^\| (`.*`) \| (error|warning) \|", PAGE, re.MULTILINE)
    said = {code: level for names, level in rows for code in re.findall(r"`([a-z_]+)`", names)}
    assert {code: said[code] for code in levels} == levels
    codes = {*levels, *re.findall(r'make\(\s*"([a-z_]+)"', source)}
    codes |= set(re.findall(r'\(\d, "([a-z_]+)"', source))
    assert len(codes) > 25
    listed = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert codes <= listed, codes - listed
