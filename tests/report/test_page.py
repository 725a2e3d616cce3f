"""The frame of a page: valid, closed, and shut to the network."""

from html.parser import HTMLParser

from medseg.report.page import figure, page, table


class Balance(HTMLParser):
    void = {"meta", "img", "br"}  # noqa: RUF012

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_tags_are_balanced_and_text_is_escaped():
    text = page(
        "a < b & c", [table(["x"], [["1"], ["2"]], total=True), table(["y"], [["3"]]), figure("data:,", '"quoted" <b>')]
    )
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert "<title>a &lt; b &amp; c</title>" in text
    assert "&quot;quoted&quot; &lt;b&gt;" in text
    assert text.count('class="total"') == 1
    assert "<thead><tr><th>x</th></tr></thead>" in text


def test_nothing_is_loaded_and_nothing_runs():
    text = page("Title", [])
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    for forbidden in ("http:", "https:", "<script", "url("):
        assert forbidden not in text
