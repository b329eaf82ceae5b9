"""What an operator typed in Slack, as the shopper should read it: Markdown, as docs/connect-your-assistant.md has it.

Slack sends mentions, links and emoji as codes (`<@U1>`, `<url|label>`, `:tada:`); a shopper never sees them raw. Where
a message has a `rich_text` block that is read, being exact; `text` is for the others.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.slack.rich_text import (
    Names,
    blocks_of,
    characters,
    elements,
    known_emoji,
    leading_mention,
)
from bot.markdown import Block, Span
from bot.markdown_writer import written
from bot.typed import INVISIBLE, clean, code_lines, linked, said, without

NameOf = Callable[[str], str]
"""From a user's id to the first name to show."""

_FENCED = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_TOKEN = re.compile(r"<([^<>\n]+)>")
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_LABELLED = re.compile(r"<(?:!subteam\^|#)([SCG][A-Z0-9]+)\|([^<>]+)>")
_LEADING = re.compile(
    r"[\s\u200b\u200c\u200d\u2060\ufeff]*"
    r"<(?:@([UW][A-Z0-9]+)|!(?:subteam\^|here|channel|everyone))[^<>]*>[\s,:;]*"
)
_QUOTED = re.compile(r"(?:&gt;|>) ?")
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<token>[^<>\n]+)>"
    r"|(?<![\w*])\*(?=[^\s*])(?P<bold>[^*\n]*[^\s*])\*(?![\w*])"
    r"|(?<![\w_])_(?=[^\s_])(?P<italic>[^_\n]*[^\s_])_(?![\w_])"
    r"|(?<![\w~])~(?=[^\s~])(?P<strike>[^~\n]*[^\s~])~(?![\w~])"
    r"|(?<!\w):(?P<emoji>[a-z0-9_+'\-]*[a-z_][a-z0-9_+'\-]*|[+-]1|100|1234):(?::skin-tone-(?P<tone>[2-6]):)?"
)


def markdown_of(message: Mapping[str, Any], bot_user_id: str, name_of: NameOf) -> tuple[str | None, str]:
    """To whom a message is said when it begins with a mention ("bot" or "person"), and its words as Markdown; without
    the mention if it is the bot's. What marks a note stands at the beginning as it was typed."""
    text = str(message.get("text") or "")
    to, rest = addressed(text, bot_user_id)
    found = leading_mention(message)
    if found:
        to = "bot" if found[1].get("user_id") == bot_user_id else "person"
    blocks = blocks_of(message, Names(name_of, dict(_LABELLED.findall(text))))
    if blocks is None:
        blocks = list(_blocks(rest, name_of, emoji_in(message.get("blocks"))))
    elif found and to == "bot":
        blocks = without(blocks, len(_first_mention(blocks)))
    return to, said(blocks)


def mentioned_in(message: Mapping[str, Any]) -> list[str]:
    """The ids of the people a message mentions, so that their names can be looked up first."""
    ids = mentioned(str(message.get("text") or ""))
    ids += [
        str(part.get("user_id")) for part in elements(message.get("blocks")) if part.get("type") == "user"
    ]
    return list(dict.fromkeys(ids))


def mentioned(text: str) -> list[str]:
    """The same for a `text` alone."""
    return list(dict.fromkeys(_USER.findall(text)))


def addressed(text: str, bot_user_id: str) -> tuple[str | None, str]:
    """To whom a `text` is said when it begins with a mention ("bot" or "person"), and the text for that case:
    without the mention if it is the bot's."""
    found = _LEADING.match(text)
    if not found:
        return None, text
    if found[1] == bot_user_id:
        return "bot", text[found.end() :]
    return "person", text


def to_markdown(text: str, name_of: NameOf, emoji: Mapping[str, str] | None = None) -> str:
    """A `text` as Markdown. `emoji` are characters for names, as the message itself gives them (`emoji_in`)."""
    return written(_blocks(text, name_of, emoji or {}))


def emoji_in(blocks: Any) -> dict[str, str]:
    """Names and characters of the emoji in a message's `rich_text` blocks: Slack itself says what they are."""
    found = (part for part in elements(blocks) if part.get("type") == "emoji" and part.get("unicode"))
    return {str(part.get("name")): characters(str(part["unicode"])) for part in found}


# --- a mention at the beginning ------------------------------------------------------------------------------


def _first_mention(blocks: list[Block]) -> str:
    """What stands there for a mention at the beginning, with the punctuation behind it."""
    spans = [span for block in blocks for span in block.spans]
    at = next(at for at, span in enumerate(spans) if span.text.strip(INVISIBLE + " \n\t\u00a0"))
    after = "".join(span.text for span in spans[at + 1 :])
    return (
        "".join(span.text for span in spans[: at + 1])
        + after[: len(after) - len(after.lstrip(" \n\t,:;\u00a0"))]
    )


# --- text -----------------------------------------------------------------------------------------------------


def _blocks(text: str, name_of: NameOf, known: Mapping[str, str]) -> Iterator[Block]:
    at = 0
    for fence in _FENCED.finditer(text):
        yield from _lines(text[at : fence.start()], name_of, known)
        code = _TOKEN.sub(lambda token: token[1].partition("|")[2] or token[1], fence[1])
        yield Block("code", (Span(clean(_unescape(code)), code=True),))
        at = fence.end()
    yield from _lines(text[at:], name_of, known)


def _lines(text: str, name_of: NameOf, known: Mapping[str, str]) -> Iterator[Block]:
    """Paragraphs and quotes."""
    kept: list[str] = []
    quoted = False
    for line in [*clean(text).split("\n"), None]:
        mark = _QUOTED.match(line) if line is not None else None
        if kept and (line is None or bool(mark) != quoted):
            yield Block("text", tuple(_inline("\n".join(kept), Span(""), name_of, known)), quoted=quoted)
            kept = []
        quoted = bool(mark)
        if line is not None:
            kept.append(line[mark.end() :] if mark else line)


def _inline(text: str, style: Span, name_of: NameOf, known: Mapping[str, str]) -> Iterator[Span]:
    at = 0
    for found in _INLINE.finditer(text):
        yield replace(style, text=_unescape(text[at : found.start()]))
        at = found.end()
        kind = "emoji" if found["emoji"] else str(found.lastgroup)
        if kind in ("bold", "italic", "strike"):
            within = replace(style, **{kind: True})  # type: ignore[arg-type]
            yield from _inline(found[kind], within, name_of, known)
        elif kind == "code":
            yield from code_lines(replace(style, text=_unescape(_TOKEN.sub(r"\1", found["code"]))))
        elif kind == "emoji":
            shown = known.get(found["emoji"]) or known_emoji(found["emoji"], found["tone"]) or found[0]
            yield replace(style, text=shown)
        else:
            yield _token(found["token"], style, name_of)
    yield replace(style, text=_unescape(text[at:]))


def _token(inside: str, style: Span, name_of: NameOf) -> Span:
    target, _, label = inside.partition("|")
    label = _unescape(label)
    if target.startswith("@"):
        return replace(style, text=f"@{name_of(target[1:])}")
    if target.startswith("#"):
        return replace(style, text=f"#{label or 'channel'}")
    if target.startswith("!"):
        return replace(style, text=_special(target[1:], label))
    return linked(replace(style, text=label), _unescape(target))


def _special(name: str, label: str) -> str:
    if name.startswith("date^"):
        return label
    if name.startswith("subteam^"):
        return label if label.startswith("@") else f"@{label or 'team'}"
    return f"@{name}"


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
