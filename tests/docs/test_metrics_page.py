"""The page on the metrics: its examples run as printed, its picture is what the script draws."""

import json
import re
import runpy
from pathlib import Path

import pytest
from matplotlib.image import imread

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "metrics.md").read_text(encoding="utf-8")


def test_python_runs_as_printed(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "docs/metrics.md", "exec"), {})
    assert capsys.readouterr().out == "merge (20, 31) 1\n0.988\n"


def test_handler_in_the_page_can_be_built():
    from monai.bundle import ConfigParser

    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    parser = ConfigParser({"imports": ["$import monai"], "handler": json.loads(block)})
    assert type(parser.get_parsed_content("handler").metric_fn).__name__ == "WarpingErrorMetric"


def test_examples_in_the_picture_show_their_class():
    drawing = runpy.run_path(str(DOCS / "figures" / "mismatch_classes.py"))
    warping = drawing["topological_warping_error"]
    found = [
        (name, {m.kind for m in warping(prediction, reference, radius=None, positions=True).mismatches})
        for name, reference, prediction in drawing["examples"]()
    ]
    assert found == [(name, {name}) for name in drawing["COLOURS"]]
    assert imread(DOCS / "figures" / "mismatch_classes.png").shape[2] == 4


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", PAGE))
def test_links_lead_somewhere(link):
    page, _, heading = link.partition("#")
    assert (DOCS / (page or "metrics.md")).exists()
    if not page:
        assert heading in [h.lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)]
