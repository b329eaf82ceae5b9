"""What an operator typed, as Slack's `rich_text` block holds it: exact where the message's `text` is not.

In `text` a typed `*` and a bold one look the same; in the block they do not. So the block is read where there is one
and everything in it is known; otherwise the caller falls back to `text`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.markdown import Block, Span
from bot.typed import clean, code_lines, linked

Json = Mapping[str, Any]

_MENTIONS = ("user", "usergroup", "broadcast")
_UNREADABLE = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")
_SLACK_ONLY = {
    "simple_smile": "🙂",
    "large_green_circle": "🟢",
    "large_orange_circle": "🟠",
    "large_yellow_circle": "🟡",
    "large_purple_circle": "🟣",
    "face_palm": "🤦",
    "shrug": "🤷",
    "smiling_face_with_3_hearts": "🥰",
    "hand_with_index_and_middle_fingers_crossed": "🤞",
    "the_horns": "🤘",
}


class Unknown(Exception):
    """Slack has thought of something new: this block is not read."""


@dataclass(frozen=True, slots=True)
class Names:
    """How people, groups and channels are called; `labels` are those that the message itself gives, by id."""

    of: Callable[[str], str] = lambda user_id: user_id
    labels: Mapping[str, str] = field(default_factory=dict)


def blocks_of(message: Json, names: Names) -> list[Block] | None:
    """The words of a message from its `rich_text`; None where it has none, or something in it is not known."""
    parts = message.get("blocks")
    if not isinstance(parts, list) or not parts:
        return None
    try:
        return [block for part in parts for block in _block(_of_type(part, "rich_text"), names)]
    except (Unknown, KeyError, TypeError, ValueError, AttributeError):
        return None


def leading_mention(message: Json) -> tuple[str, Any] | None:
    """The type and the element of the mention that a `rich_text` begins with; None if it begins with anything else."""
    for element in elements(message.get("blocks")):
        if element.get("type") in _MENTIONS:
            return str(element["type"]), element
        if element.get("type") != "text" or _UNREADABLE.sub("", str(element.get("text") or "")):
            return None
    return None


def elements(part: Any) -> Iterator[Json]:
    """The innermost elements of blocks, in order."""
    if isinstance(part, list):
        for item in part:
            yield from elements(item)
    elif isinstance(part, dict):
        if isinstance(part.get("elements"), list):
            yield from elements(part["elements"])
        elif part.get("type") != "rich_text":
            yield part


# --- blocks ---------------------------------------------------------------------------------------------------


def _of_type(part: Any, expected: str) -> Json:
    if not isinstance(part, Mapping) or part.get("type") != expected:
        raise Unknown
    return part


def _block(part: Json, names: Names) -> Iterator[Block]:
    levels: list[int] = []
    for element in part["elements"]:
        kind, quoted = element["type"], bool(element.get("border"))
        if kind == "rich_text_list":
            levels = _levels(levels, int(element.get("indent") or 0))
            yield from _list(element, names, len(levels) - 1, quoted)
            continue
        levels = []
        if kind == "rich_text_preformatted":
            yield Block("code", (Span(_code(element["elements"], names), code=True),), quoted=quoted)
        elif kind in ("rich_text_section", "rich_text_quote"):
            spans = tuple(_spans(element["elements"], names))
            yield Block("text", spans, quoted=quoted or kind == "rich_text_quote")
        else:
            raise Unknown


def _levels(before: Sequence[int], indent: int) -> list[int]:
    """The indents of the items that an item stands in, and its own: a list may begin deep, and skip levels."""
    return [*(one for one in before if one < indent), indent][-6:]


def _list(part: Json, names: Names, level: int, quoted: bool) -> Iterator[Block]:
    kind = "number" if part.get("style") == "ordered" else "bullet"
    for at, item in enumerate(part["elements"]):
        spans = tuple(_spans(_of_type(item, "rich_text_section")["elements"], names))
        number = at + 1 + int(part.get("offset") or 0) if kind == "number" else 0
        yield Block(kind, spans, number, level, quoted)


def _code(parts: Sequence[Json], names: Names) -> str:
    spans = _spans(parts, names)
    return "".join(span.text or span.url or "" for span in spans).removesuffix("\n")


# --- elements -------------------------------------------------------------------------------------------------


def _spans(parts: Sequence[Json], names: Names) -> Iterator[Span]:
    for part in parts:
        style = part.get("style") or {}
        span = Span(
            clean(_words(part, names)),
            bold=bool(style.get("bold")),
            italic=bool(style.get("italic")),
            strike=bool(style.get("strike")),
        )
        if part["type"] == "link":
            span = linked(span, clean(str(part["url"])))
        elif part["type"] == "text" and style.get("code"):
            yield from code_lines(span)
            continue
        yield span


def _words(part: Json, names: Names) -> str:
    match part["type"]:
        case "text":
            return str(part["text"])
        case "link":
            return str(part.get("text") or "")
        case "user":
            return f"@{names.of(str(part['user_id']))}"
        case "usergroup":
            return "@" + names.labels.get(str(part["usergroup_id"]), "team").removeprefix("@")
        case "channel":
            return "#" + names.labels.get(str(part["channel_id"]), "channel")
        case "broadcast":
            return f"@{part['range']}"
        case "emoji":
            return emoji(str(part["name"]), str(part.get("unicode") or ""), part.get("skin_tone"))
        case "date":
            return str(part.get("fallback") or part["timestamp"])
        case "color":
            return str(part["value"])
        case _:
            raise Unknown


# --- emoji ----------------------------------------------------------------------------------------------------


def emoji(name: str, codes: str = "", tone: Any = None) -> str:
    """The character Slack names, or a custom emoji's name in words: nobody reads `:party_parrot:` as one."""
    return (
        characters(codes)
        or known_emoji(name, tone)
        or f"({name.replace('_', ' ').replace('-', ' ').strip()})"
    )


def known_emoji(name: str, tone: Any = None) -> str:
    """The character for a name (`wave`, `wave::skin-tone-3`); empty for a custom emoji, or none at all."""
    name, _, toned = name.partition("::skin-tone-")
    tone = toned or tone
    character = _SLACK_ONLY.get(name) or _flag(name) or _from_library(name)
    if character and str(tone) in {"2", "3", "4", "5", "6"}:
        return character.rstrip("\ufe0f") + chr(0x1F3FB + int(tone) - 2)
    return character


def characters(codes: str) -> str:
    """What Slack's `unicode` (`1f44b-1f3fd`) stands for; empty if for nothing."""
    try:
        return "".join(chr(int(code, 16)) for code in codes.split("-")) if codes else ""
    except (ValueError, OverflowError):
        return ""


def _flag(name: str) -> str:
    country = name.removeprefix("flag-")
    if country == name or len(country) != 2 or not country.isascii() or not country.isalpha():
        return ""
    return "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in country.lower())


def _from_library(name: str) -> str:
    """The `emoji` package knows the names that Slack took over; it loads its table at the first use."""
    import emoji

    for spelling in (name, name.replace("-", "_")):
        found = emoji.emojize(f":{spelling}:", language="alias")
        if found != f":{spelling}:":
            return str(found)
    return ""
