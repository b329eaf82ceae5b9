"""Slack's own markup, written so that only Baton formats and only Baton mentions.

Everything that comes from a shopper or a store is escaped (`& < >` cannot start a mention or a link any more), and a
character that would start bold, italic, strike-through, code, a quote or an emoji gets a zero-width space behind or
before it: otherwise a shopper could write a line that looks like an operator's.
"""

import re
from collections.abc import Iterable

from bot.markdown import Block, Span

BREAK = "\u200b"
"""Zero-width space: Slack takes it for a boundary, so a marker followed by it opens nothing."""

_OPENERS = re.compile(r"((?<![A-Za-z0-9])[*_~](?=\S)|`|:(?=[a-z0-9_+'-]+:))", re.IGNORECASE)
_QUOTE = re.compile(r"((?:^|[\n\r\v\f\x85\u2028\u2029])\s*)(&gt;)")
_MEMBER = re.compile(r"[UW][A-Z0-9]{2,}")
_GROUP = re.compile(r"S[A-Z0-9]{2,}")
_BROADCASTS = ("here", "channel")


def escape(text: str) -> str:
    """The three characters that Slack reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inert(text: str) -> str:
    """Text that shows as it was written: no mention, no link, no formatting."""
    escaped = _OPENERS.sub(rf"\1{BREAK}", escape(text))
    return _QUOTE.sub(rf"\1{BREAK}\2", escaped)


def mention(person: str) -> str:
    """The ping of a person, a user group or `here`; nothing for what is none of these."""
    if _MEMBER.fullmatch(person):
        return f"<@{person}>"
    if _GROUP.fullmatch(person):
        return f"<!subteam^{person}>"
    return f"<!{person}>" if person in _BROADCASTS else ""


def mentions(people: Iterable[str]) -> str:
    """Several of them, with spaces between."""
    return " ".join(filter(None, map(mention, people)))


def quoted(text: str) -> str:
    """Untrusted text as a quote."""
    return "\n".join(f"> {inert(line)}" for line in text.strip().splitlines())


def date(at: float, token: str, fallback: str) -> str:
    """A time that each reader sees in their own zone; `{ago}` keeps counting by itself."""
    return f"<!date^{int(at)}^{token}|{fallback}>"


def written(blocks: Iterable[Block]) -> str:
    """Parsed Markdown as mrkdwn."""
    out = ""
    for block in blocks:
        out += ("\n\n" if block.apart else "\n") if out else ""
        out += _block(block)
    return out


def _block(block: Block) -> str:
    if block.kind == "code":
        code = escape(block.spans[0].text).replace("```", f"`{BREAK}`{BREAK}`")
        return f"```\n{code}\n```"
    indent = "    " * block.level
    text = indent + _mark(block) + _line(block.spans).replace("\n", "\n" + indent)
    return "\n".join(f"> {line}" for line in text.split("\n")) if block.quoted else text


def _mark(block: Block) -> str:
    if block.kind == "number":
        return f"{block.number}. "
    if block.kind == "bullet":
        return "◦ " if block.level else "• "
    return ""


def _line(spans: Iterable[Span]) -> str:
    out = ""
    for span in spans:
        piece = _span(span)
        if _touch(out, piece):
            out += BREAK
        out += piece
    return out


def _touch(before: str, after: str) -> bool:
    """Whether a marker would stand inside a word, where Slack does not read it."""
    if not before or not after:
        return False
    left, right = before[-1], after[0]
    return (left in "*_~`" and right.isalnum()) or (left.isalnum() and right in "*_~`")


def _span(span: Span) -> str:
    if span.url:
        address = escape(span.url).replace("|", "%7C")
        label = f"|{escape(span.text)}" if span.text and span.text != span.url else ""
        return _styled(f"<{address}{label}>", span)
    if span.code:
        return _styled(f"`{escape(span.text).replace('`', BREAK + '`')}`", span)
    return "\n".join(_styled(inert(line), span) for line in span.text.split("\n"))


def _styled(body: str, span: Span) -> str:
    """Slack's styles end with the line."""
    markers = "".join(
        marker for marker, on in (("*", span.bold), ("_", span.italic), ("~", span.strike)) if on
    )
    stripped = body.strip()
    if not markers or not stripped:
        return body
    lead, tail = body[: len(body) - len(body.lstrip())], body[len(body.rstrip()) :]
    return f"{lead}{markers}{stripped}{markers[::-1]}{tail}"
