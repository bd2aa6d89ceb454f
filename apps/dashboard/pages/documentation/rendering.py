"""Markdown → HTML: no raw HTML, no inline styles, headings with anchors, links as the caller says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Commands that write a part of a document mark it by comments, each on a line of its own.
COMMENT = re.compile(r"^<!--.*?-->$", re.MULTILINE)
NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")

Address = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """``title``: the first heading's text, which is not in ``html``; empty where there is none."""

    title: str
    html: str
    headings: Sequence[Heading]


def render(markdown: str, address: Address) -> Rendered:
    """Return ``markdown`` as HTML. ``address``: link as written → its address, or None, which leaves the
    link's text alone."""
    parser = _parser()
    tokens = parser.parse(COMMENT.sub("", markdown))
    title = ""
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        title, tokens = _plain(tokens[1]), tokens[3:]
    headings = list(_anchored(tokens))
    for token in tokens:
        if token.type == "inline":
            token.children = list(_addressed(token.children or [], address))
        elif token.type in {"th_open", "td_open"}:
            _align_by_class(token)
    return Rendered(title=title, html=parser.renderer.render(tokens, parser.options, {}), headings=headings)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    frame = '<div class="table-wrap" tabindex="0" role="region" aria-label="Table"><table class="table">\n'
    parser.add_render_rule("table_open", lambda *_: frame)
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    for block in ("fence", "code_block"):
        parser.add_render_rule(block, _code)
    return parser


def _code(_renderer: object, tokens: Sequence[Token], index: int, *_more: object) -> str:
    """Make a block of code reachable by keyboard, as a long line scrolls."""
    return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


def _anchored(tokens: Sequence[Token]) -> Iterator[Heading]:
    """Give each heading its id and a link to itself; the ids are those of GitHub."""
    taken: dict[str, int] = {}
    for opening, inline in zip(tokens, tokens[1:], strict=False):
        if opening.type != "heading_open":
            continue
        text = _plain(inline)
        slug = NOT_IN_ANCHORS.sub("", text.lower()).replace(" ", "-")
        count = taken[slug] = taken.get(slug, -1) + 1
        anchor = f"{slug}-{count}" if count else slug
        opening.attrSet("id", anchor)
        link = Token("link_open", "a", 1)
        link.attrs = {"class": "anchor", "href": f"#{anchor}", "aria-label": f"Link to “{text}”"}
        sign = Token("text", "", 0, content="#")
        inline.children = [*(inline.children or []), link, sign, Token("link_close", "a", -1)]
        yield Heading(level=int(opening.tag[1:]), anchor=anchor, text=text)


def _addressed(children: Sequence[Token], address: Address) -> Iterator[Token]:
    """Yield the links and pictures with their addresses. A link without one becomes its text; a picture
    without one, or of another server, its words."""
    dropped = False
    for token in children:
        if token.type == "link_close" and dropped:
            dropped = False
        elif token.type == "link_open":
            found = address(str(token.attrs["href"]))
            dropped = found is None
            if found is not None:
                token.attrs["href"] = found
                yield token
        elif token.type == "image":
            found = address(str(token.attrs["src"]))
            if found is None or "://" in found:
                yield Token("text", "", 0, content=token.content)
                continue
            token.attrs["src"] = found
            yield token
        else:
            yield token


def _align_by_class(token: Token) -> None:
    """Align numbers to the right by a class: the page's policy allows no inline style."""
    if token.attrs.pop("style", "") == "text-align:right":
        token.attrs["class"] = "r"


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [])
