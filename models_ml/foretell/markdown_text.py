"""Names from outside inside Markdown, and Markdown as an HTML page that loads and runs nothing."""

from __future__ import annotations

import html
import re

from markdown_it import MarkdownIt

# What CommonMark or GitHub's tables, links, mentions, emoji and formulas read as more than text. An
# underscore inside a word, a colon before a space, and a dot but after www are text.
SPECIAL = re.compile(
    r"[\\`*{}\[\]<>|#~&!@$^]|(?<![^\W_])_|_(?![^\W_])|:(?=\S)|(?<=www)\.", re.IGNORECASE
)
# Line breaks, other control characters, and marks that turn the direction of what follows.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
 color: #202124; overflow-wrap: break-word; }}
h1, p, li, td:first-child {{ overflow-wrap: anywhere; }}
h1, h2 {{ line-height: 1.2; }} h2 {{ margin-top: 2rem; border-bottom: 1px solid #dadce0; }}
table {{ border-collapse: collapse; font-size: .9rem; }}
th, td {{ padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #e8eaed; text-align: left; }}
img {{ max-width: 100%; }}
</style></head>
<body>
{body}</body></html>
"""


def escape(text: object) -> str:
    """Return text that Markdown shows as it is, on one line, also in a cell of a table."""
    return SPECIAL.sub(lambda found: "\\" + found.group(), UNSEEN.sub(" ", str(text)))


def quote(name: object) -> str:
    """Return a name from the data in quotation marks, escaped."""
    return f"“{escape(name)}”"


def to_html(markdown: str, title: str) -> str:
    """Return a whole page. HTML inside the Markdown is shown as text."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return PAGE.format(title=html.escape(title), body=body)
