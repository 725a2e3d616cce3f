"""The Python of each page runs, from its first block to its last."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", sorted(p.name for p in PAGES.glob("*.md")))
def test_python_of_the_page_runs(page, tmp_path, monkeypatch):
    blocks = re.findall(r"^```python\n(.*?)^```", (PAGES / page).read_text(encoding="utf-8"), flags=re.M | re.S)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{p.name}" for p in PAGES.glob("*.md"))])
def test_links_lead_to_files(page):
    root = PAGES.parent
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (root / page).read_text(encoding="utf-8")):
        if "://" not in link:
            assert ((root / page).parent / link).exists(), link
