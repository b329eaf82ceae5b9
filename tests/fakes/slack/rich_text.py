"""The `rich_text` block that Slack's composer makes of what a person types. Slack's own form of it in `text` is given;
what somebody typed literally is said by a test with blocks of its own."""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_FENCE = re.compile(r"```\n?(.*?)\n?```\n?", re.DOTALL)
_PART = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<@(?P<user>[UW][A-Z0-9]+)(?:\|[^<>]*)?>"
    r"|<!subteam\^(?P<group>S[A-Z0-9]+)(?:\|[^<>]*)?>"
    r"|<!(?P<range>here|channel|everyone)(?:\|[^<>]*)?>"
    r"|<#(?P<channel>C[A-Z0-9]+)(?:\|[^<>]*)?>"
    r"|<(?P<url>[a-z]+:[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>"
    r"|(?<![\w*])\*(?=[^\s*])(?P<bold>[^*\n]*[^\s*])\*(?![\w*])"
    r"|(?<!\w)_(?=[^\s_])(?P<italic>[^_\n]*[^\s_])_(?!\w)"
    r"|(?<![\w~])~(?=[^\s~])(?P<strike>[^~\n]*[^\s~])~(?![\w~])"
    r"|(?<![\w:]):(?P<emoji>[a-z_+\-][a-z0-9_+\-]*):"
)


def rich_text(text: str) -> list[Json]:
    """As `blocks` of a message."""
    sections, at = [], 0
    for fence in _FENCE.finditer(text):
        sections += _sections(text[at : fence.start()])
        code = [{"type": "text", "text": _plain(fence[1])}]
        sections.append({"type": "rich_text_preformatted", "elements": code, "border": 0})
        at = fence.end()
    sections += _sections(text[at:])
    return [{"type": "rich_text", "elements": sections}] if sections else []


def _sections(text: str) -> list[Json]:
    found: list[Json] = []
    for quoted, lines in _runs(text):
        kind = "rich_text_quote" if quoted else "rich_text_section"
        found.append({"type": kind, "elements": list(_elements("\n".join(lines), {}))})
    return found


def _runs(text: str) -> Iterator[tuple[bool, list[str]]]:
    kept: list[str] = []
    quoted = False
    for line in text.split("\n") if text else ():
        is_quote = line.startswith("&gt;")
        if kept and is_quote != quoted:
            yield quoted, kept
            kept = []
        quoted = is_quote
        kept.append(re.sub("^&gt; ?", "", line) if is_quote else line)
    if kept:
        yield quoted, kept


def _elements(text: str, style: Json) -> Iterator[Json]:
    at = 0
    for part in _PART.finditer(text):
        yield from _text(text[at : part.start()], style)
        at = part.end()
        yield from _element(part, style)
    yield from _text(text[at:], style)


def _element(part: re.Match[str], style: Json) -> Iterator[Json]:
    more = {"style": style} if style else {}
    for name in ("bold", "italic", "strike"):
        if part[name]:
            yield from _elements(part[name], style | {name: True})
            return
    if part["code"]:
        yield from _text(part["code"], style | {"code": True})
    elif part["user"]:
        yield {"type": "user", "user_id": part["user"], **more}
    elif part["group"]:
        yield {"type": "usergroup", "usergroup_id": part["group"], **more}
    elif part["range"]:
        yield {"type": "broadcast", "range": part["range"], **more}
    elif part["channel"]:
        yield {"type": "channel", "channel_id": part["channel"], **more}
    elif part["emoji"]:
        yield {"type": "emoji", "name": part["emoji"], **more}
    else:
        label = {"text": _plain(part["label"])} if part["label"] else {}
        yield {"type": "link", "url": _plain(part["url"]), **label, **more}


def _text(text: str, style: Json) -> Iterator[Json]:
    if text:
        yield {"type": "text", "text": _plain(text), **({"style": style} if style else {})}


def _plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
