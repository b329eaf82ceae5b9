"""The small Markdown of Baton's texts, read into plain values.

Rendering from values instead of rewriting strings is what makes injection impossible: whatever is not recognised
here is text, and text is escaped or literal everywhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

FENCE = "```"
_STYLED = r"[^\n]{1,300}?"
_INLINE = re.compile(
    r"\\(?P<literal>[\\`*_~\[\]()#>!-])"
    r"|`(?P<code>[^`\n]+)`"
    r"|!?\[(?P<label>[^\]\n]{1,500})\]\((?P<url>(?:https?://|mailto:)[^\s()<>|]{1,2000})\)"
    rf"|\*\*(?=\S)(?P<bold>{_STYLED})(?<=\S)\*\*"
    rf"|~~(?=\S)(?P<strike>{_STYLED})(?<=\S)~~"
    r"|\*(?=[^\s*])(?P<star>[^*\n]{1,1000})(?<=\S)\*(?![\w*])"
    r"|(?<![\w_])_(?=[^\s_])(?P<under>[^_\n]{1,1000})(?<=\S)_(?![\w_])"
    r"|(?P<bare>https?://[^\s<>|]{1,2000}[^\s<>|.,;:!?)\]}'\"*_~])"
)
_LIST = re.compile(r"(?:(?P<bullet>[-*+•])|(?P<number>\d{1,3})[.)])\s+(?P<rest>\S.*)")
_HEADING = re.compile(r"#{1,6}\s+(?P<rest>\S.*)")


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; `url` makes it a link (`text` empty: the address itself)."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one kind: text, quote, code, bullet or number. An item of a list is a block of its own."""

    kind: str
    spans: tuple[Span, ...]
    number: int = 0


def literal(text: str) -> list[Block]:
    """Text that is not Markdown at all: a shopper's."""
    return [Block("text", (Span(text),))] if text else []


def parse(text: str) -> list[Block]:
    """Markdown to blocks. Nothing is an error: what is not Markdown is text."""
    return list(_blocks(text.replace("\r\n", "\n").split("\n")))


def plain(text: str) -> str:
    """The words without their markup."""
    return "\n".join("".join(span.text or span.url or "" for span in block.spans) for block in parse(text))


def _blocks(lines: list[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        kind = _kind(lines[at])
        end = at + 1
        if kind == "code":
            while end < len(lines) and lines[end].strip() != FENCE:
                end += 1
            yield from _code(lines[at], lines[at + 1 : end])
            end += 1
        elif kind in ("text", "quote"):
            while end < len(lines) and _kind(lines[end]) == kind:
                end += 1
            yield Block(kind, tuple(inline("\n".join(_bare_line(line, kind) for line in lines[at:end]))))
        else:
            yield _item(lines[at])
        at = end


def _kind(line: str) -> str:
    bare = line.strip()
    if bare.startswith(FENCE) and FENCE not in bare[3:]:
        return "code"
    if bare.startswith(">"):
        return "quote"
    if _LIST.match(bare):
        return "item"
    return "heading" if _HEADING.match(line) else "text"


def _bare_line(line: str, kind: str) -> str:
    return line.strip()[1:].lstrip() if kind == "quote" else line


def _code(opening: str, lines: list[str]) -> Iterator[Block]:
    text = "\n".join(lines)
    if text:
        yield Block("code", (Span(text, code=True),))


def _item(line: str) -> Block:
    heading = _HEADING.match(line)
    if heading:
        return Block("text", tuple(inline(heading["rest"], Span("", bold=True))))
    found = _LIST.match(line.strip())
    assert found is not None  # _kind said so
    spans = tuple(inline(found["rest"]))
    return Block("bullet", spans) if found["bullet"] else Block("number", spans, int(found["number"]))


def inline(text: str, style: Span | None = None) -> Iterator[Span]:
    """The spans of one paragraph, in `style` and what they add to it."""
    style = style or Span("")
    at = 0
    for found in _INLINE.finditer(text):
        if found.start() > at:
            yield replace(style, text=text[at : found.start()])
        yield from _span(found, style)
        at = found.end()
    if at < len(text):
        yield replace(style, text=text[at:])


def _span(found: re.Match[str], style: Span) -> Iterator[Span]:
    kind, text = found.lastgroup, found[found.lastgroup or 0]
    if kind == "literal":
        yield replace(style, text=text)
    elif kind == "code":
        yield replace(style, text=text, code=True)
    elif kind == "url":
        yield replace(style, text=found["label"], url=text)
    elif kind == "bare":
        yield replace(style, text="", url=text)
    elif kind == "bold":
        yield from inline(text, replace(style, bold=True))
    elif kind == "strike":
        yield from inline(text, replace(style, strike=True))
    else:
        yield from inline(text, replace(style, italic=True))
