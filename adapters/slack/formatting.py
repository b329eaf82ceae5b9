"""What an operator typed in Slack, as the shopper should read it.

Slack sends mentions, links and emoji as codes (`<@U1>`, `<url|label>`, `:tada:`); a shopper never sees them raw.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

NameOf = Callable[[str], str]
"""From a user's id to the first name to show."""

_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_TOKEN = re.compile(r"<([^<>\n]+)>")
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_LEADING = re.compile(r"\s*<(?:@([UW][A-Z0-9]+)|!(?:subteam\^|here|channel|everyone))[^<>]*>[\s,:;]*")
_EMOJI = re.compile(r"(?<!\w):([a-z0-9_+'\-]*[a-z_][a-z0-9_+'\-]*|[+-]1|100|1234):(?::skin-tone-([2-6]):)?")
_BOLD = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])")
_STRIKE = re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]*[^\s~])~(?![\w~])")
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


def mentioned(text: str) -> list[str]:
    """The ids of the people a message mentions, so that their names can be looked up first."""
    return list(dict.fromkeys(_USER.findall(text)))


def addressed(text: str, bot_user_id: str) -> tuple[str | None, str]:
    """To whom a message is said when it begins with a mention ("bot" or "person"), and the text for that case:
    without the mention if it is the bot's."""
    found = _LEADING.match(text)
    if not found:
        return None, text
    if found[1] == bot_user_id:
        return "bot", text[found.end() :]
    return "person", text


def to_markdown(text: str, name_of: NameOf, emoji: Mapping[str, str] | None = None) -> str:
    """Slack's text as Markdown. `emoji` are characters for names, as the message itself gives them (`emoji_in`)."""
    pieces = _CODE.split(text)
    return "".join(
        _unescape(_links_in_code(piece)) if index % 2 else _prose(piece, name_of, emoji or {})
        for index, piece in enumerate(pieces)
    )


def emoji_in(blocks: Any) -> dict[str, str]:
    """Names and characters of the emoji in a message's `rich_text` blocks: Slack itself says what they are."""
    return dict(_emoji_elements(blocks))


def _emoji_elements(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, list):
        for item in part:
            yield from _emoji_elements(item)
    elif isinstance(part, dict):
        if part.get("type") == "emoji" and part.get("unicode"):
            yield str(part.get("name")), _characters(str(part["unicode"]))
        yield from _emoji_elements(part.get("elements"))


def _characters(codes: str) -> str:
    try:
        return "".join(chr(int(code, 16)) for code in codes.split("-"))
    except ValueError:
        return ""


def _prose(text: str, name_of: NameOf, emoji: Mapping[str, str]) -> str:
    styled = _STRIKE.sub(r"~~\1~~", _BOLD.sub(r"**\1**", text))
    out, at = "", 0
    for token in _TOKEN.finditer(styled):
        out += _words(styled[at : token.start()], emoji) + _token(token[1], name_of)
        at = token.end()
    return out + _words(styled[at:], emoji)


def _words(text: str, emoji: Mapping[str, str]) -> str:
    return _unescape(_EMOJI.sub(lambda found: _emoji(found, emoji), text))


def _token(inside: str, name_of: NameOf) -> str:
    target, _, label = inside.partition("|")
    label = _unescape(label)
    if target.startswith("@"):
        return f"@{name_of(target[1:])}"
    if target.startswith("#"):
        return f"#{label or 'channel'}"
    if target.startswith("!"):
        return _special(target[1:], label)
    return _link(_unescape(target), label)


def _special(name: str, label: str) -> str:
    if name.startswith("date^"):
        return label
    if name.startswith("subteam^"):
        return label if label.startswith("@") else f"@{label or 'team'}"
    return f"@{name}"


def _link(target: str, label: str) -> str:
    scheme, _, rest = target.partition(":")
    if scheme in ("mailto", "tel") and label in ("", rest):
        return label or rest
    if not label or label == target:
        return target
    return f"[{label}]({target})"


def _links_in_code(text: str) -> str:
    return _TOKEN.sub(lambda token: token[1].partition("|")[2] or token[1], text)


def _emoji(found: re.Match[str], known: Mapping[str, str]) -> str:
    name, tone = found[1], found[2]
    if known.get(name):
        return known[name]
    character = _SLACK_ONLY.get(name) or _flag(name) or _from_library(name)
    if not character:
        return found[0]
    return character.rstrip("\ufe0f") + chr(0x1F3FB + int(tone) - 2) if tone else character


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


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
