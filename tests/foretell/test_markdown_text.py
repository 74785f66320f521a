"""Names from outside stay text, in Markdown and in HTML."""

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from foretell.markdown_text import escape, quote, to_html

HOSTILE = [
    "<script>alert(1)</script>",
    "a | b",
    "`code` and ``more``",
    "**bold** _it_ __x__ ~~gone~~",
    "[link](http://evil.example) ![img](x)",
    "http://evil.example www.evil.example a@b.example",
    "&lt;b&gt; &amp;",
    "back\\slash \\| pipe",
    "{{ 7 * 7 }} {% raw %}",
    "# head",
    "$x$ :smile: @team",
    "\"quoted\" 'single'",
    "emoji 🛒 café",
]


class Page(HTMLParser):
    """Collects tags and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_it_is(name):
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    sentence = Page(reader.render(f"It is {quote(name)} here"))
    assert sentence.tags == ["p"]
    assert sentence.text.strip() == f"It is “{name}” here"
    cell = Page(reader.render(f"| a | b |\n|---|---|\n| {escape(name)} | end |"))
    assert cell.tags.count("td") == 2
    assert set(cell.tags) <= {"table", "thead", "tbody", "tr", "th", "td"}
    assert name in cell.text


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("purchase_done", "purchase_done"),
        ("_private_", "\\_private\\_"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("turned\u202eround", "turned round"),
        ("promoted: better", "promoted: better"),
        ("http://x", "http\\://x"),
        (3, "3"),
    ],
)
def test_known_answers(name, escaped):
    assert escape(name) == escaped


def test_a_page_shows_html_as_text_and_escapes_its_title():
    page = to_html("Hello <img src=x onerror=alert(1)> *you*", "<b>title</b>")
    assert "<img" not in page
    assert "&lt;img" in page
    assert "<title>&lt;b&gt;title&lt;/b&gt;</title>" in page
    assert "default-src 'none'" in page
