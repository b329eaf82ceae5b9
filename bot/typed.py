"""What people typed in a team's chat, on its way to becoming Markdown: cleaned, its links checked, a note's mark first.

A platform's adapter reads its own codes into blocks; from there on the rules are the same for every platform.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.markdown import Block, Span
from bot.markdown_writer import is_address, written
from bot.relay import marker_of

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
"""What nobody sees at the beginning of a message, and what would hide a note's mark."""

_BREAKS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")
_LONE_HALF = re.compile(r"[\ud800-\udfff]")
_UNREAD = INVISIBLE + " \n\t\u00a0"


def clean(text: str) -> str:
    """Text without what no database or browser takes: control characters, half characters, foreign line ends."""
    return _LONE_HALF.sub("\ufffd", _UNSEEN.sub("", _BREAKS.sub("\n", text)))


def linked(span: Span, url: str) -> Span:
    """A link; an address of mail or telephone that is shown as it is needs none."""
    scheme, _, rest = url.partition(":")
    if scheme in ("mailto", "tel") and span.text in ("", rest, url):
        return replace(span, text=span.text.removeprefix(f"{scheme}:") or rest)
    if not is_address(url):
        return replace(span, text=span.text or url)
    return replace(span, url=url, text="" if span.text == url else span.text)


def code_lines(span: Span) -> Iterator[Span]:
    """Code inside a line, line by line."""
    for at, line in enumerate(span.text.split("\n")):
        if at:
            yield replace(span, text="\n")
        yield replace(span, text=line, code=True)


def said(blocks: Sequence[Block]) -> str:
    """The Markdown; a note's mark comes first and unstyled, however it was styled: a bold `note:` is a note."""
    plain = plain_text(blocks)
    hidden = len(plain) - len(plain.lstrip(_UNREAD))
    mark = marker_of(plain[hidden:])
    if not mark:
        return written(blocks).strip()
    first = next(block for block in blocks if plain_text([block]).strip(_UNREAD))
    rest = written(without(blocks[blocks.index(first) :], hidden + len(mark)))
    between = "" if first.kind == "text" and not first.quoted else "\n"
    return f"{mark.strip()}{between}{rest}".strip()


def plain_text(blocks: Sequence[Block]) -> str:
    """The words of blocks, one behind the other."""
    return "".join(span.text or span.url or "" for block in blocks for span in block.spans)


def without(blocks: Sequence[Block], count: int) -> list[Block]:
    """The blocks without their first `count` characters."""
    kept = []
    for block in blocks:
        spans = []
        for span in block.spans:
            text = span.text or span.url or ""
            taken, count = min(count, len(text)), max(0, count - len(text))
            if taken < len(text):
                spans.append(replace(span, text=text[taken:]) if taken else span)
        kept.append(replace(block, spans=tuple(spans)))
    return kept
