"""What each page says in Python runs and prints what it says, its handlers can be built, its links lead somewhere."""

import json
import re
from pathlib import Path

import pytest
from monai.bundle import ConfigParser

ROOT = Path(__file__).parents[2]
PAGES = {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in sorted(ROOT.glob("docs/*.md"))}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], flags=re.M | re.S)


@pytest.mark.parametrize("page", PAGES)
def test_python_of_the_page_prints_what_it_says(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    said = []
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), names)
        said += re.findall(r"^ *print\(.*\)  # (.*)$", block, re.MULTILINE)
    printed = capsys.readouterr().out.splitlines()
    if said:
        assert printed == said


@pytest.mark.parametrize("page", ["docs/metrics.md", "docs/metrics_overlap.md"])
def test_handlers_of_metrics_can_be_built(page):
    (block,) = blocks(page, "json")
    handler = json.loads(block)
    parser = ConfigParser({"imports": ["$import monai"], "handler": handler})
    metric = parser.get_parsed_content("handler").metric_fn
    assert handler["metric_fn"]["_target_"].endswith(f".{type(metric).__name__}")


@pytest.mark.parametrize("page", ["README.md", *PAGES])
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, heading = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), link
        if heading:
            assert heading in headings(target), link


def headings(page: Path) -> list[str]:
    """As GitHub names them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found]
