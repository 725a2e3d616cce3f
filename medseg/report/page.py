"""The frame of a report page: one self-contained HTML file, light and dark, no script, no network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from string import Template

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
$style
</style>
</head>
<body>
<main>
$body
</main>
</body>
</html>
""")

_STYLE = """
:root { color-scheme: light dark; --text: #1a1c1e; --faint: #5c6166; --page: #fbfbfa; --card: #ffffff;
  --line: #d9dadb; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e7e8; --faint: #a2a7ac; --page: #16181a; --card: #1f2225; --line: #3a3e42; --link: #7ab8f5; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 24px 20px 80px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 36px 0 8px; }
p { margin: 6px 0; max-width: 80ch; }
a { color: var(--link); }
.faint { color: var(--faint); }
.scroll { overflow: auto; max-height: 420px; }
thead th { position: sticky; top: 0; background: var(--page); }
details thead th { background: var(--card); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { text-align: right; padding: 3px 12px 3px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
tr.total td { font-weight: 600; border-bottom: 2px solid var(--faint); }
.scores { display: grid; grid-template-columns: repeat(auto-fill, minmax(165px, 1fr)); gap: 8px; margin: 12px 0; }
.score { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; }
.score b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.score span { color: var(--faint); font-size: 13px; overflow-wrap: anywhere; }
.places { display: grid; grid-template-columns: repeat(auto-fill, minmax(380px, 1fr)); gap: 12px; }
.places.planes { grid-template-columns: repeat(auto-fill, minmax(min(560px, 100%), 1fr)); }
.place, details { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; }
.place { content-visibility: auto; contain-intrinsic-size: 380px 190px; }
.place .row { display: grid; grid-template-columns: repeat(auto-fit, minmax(0, 1fr)); grid-auto-flow: column;
  gap: 6px; margin-top: 6px; }
details { margin: 8px 0; content-visibility: auto; contain-intrinsic-size: auto 60px; }
details[open] { contain-intrinsic-size: auto 620px; }
summary { cursor: pointer; overflow-wrap: anywhere; }
.row.wide { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 10px; margin: 10px 0; }
figure { margin: 0; min-width: 0; }
figcaption { color: var(--faint); font-size: 12px; }
img { width: 100%; height: auto; display: block; image-rendering: pixelated; border-radius: 3px; }
.dot { display: inline-block; width: 11px; height: 11px; border-radius: 50%; margin-right: 6px; }
.legend > span { margin-right: 18px; white-space: nowrap; }
@media (max-width: 480px) { .places { grid-template-columns: 1fr; } }
@media print { details { break-inside: avoid; } .scroll { max-height: none; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The whole page; `parts` are HTML, the title is text."""
    return _PAGE.substitute(title=escape(title), style=_STYLE.strip(), body="\n".join(parts))


def table(header: Iterable[str], rows: Iterable[Iterable[str]], *, total: bool = False) -> str:
    """A table of HTML cells; the last row is set off if `total`."""
    head = _row("th", header)
    body = [_row("td", row) for row in rows]
    if total:
        body[-1] = body[-1].replace("<tr>", '<tr class="total">', 1)
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{"".join(body)}</tbody></table></div>'


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


def figure(address: str, caption: str) -> str:
    """A picture with its caption, which also describes it to those who cannot see it."""
    text = escape(caption, quote=True)
    return f'<figure><img src="{address}" alt="{text}" loading="lazy"><figcaption>{text}</figcaption></figure>'
