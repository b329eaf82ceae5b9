"""Discord's messages as HTML, for pictures and tests. Pure: the same message always gives the same page.

Only what Baton sends is known here, so a new kind of component is noticed (`Unknown`). Everything that is not ours is
escaped: a picture of what a shopper wrote never runs it.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]
STYLE = Path(__file__).with_name("discord.css")
LAYOUT = 1 << 15


class Unknown(ValueError):
    """A component or a text that the previewer cannot draw."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: when, and what they call people. Times are in UTC."""

    now: float
    people: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """One message: of a person, of Baton, or of a shopper through its webhook."""

    speaker: str
    at: float
    content: str = ""
    embeds: Sequence[Json] = ()
    components: Sequence[Json] = ()
    app: bool = False
    shopper: bool = False
    reactions: Sequence[str] = ()
    thread: str = ""


# --- texts ----------------------------------------------------------------------------------------------------

_FENCED = re.compile(r"```(?:[\w+\-.#]*\n)?\n*(.+?)\n*```", re.DOTALL)
_INLINE = re.compile(
    r"\\(?P<escaped>[^0-9A-Za-z\s])"
    r"|``(?P<ticks>.+?)``|`(?P<code>[^`\n]+)`"
    r"|\[(?P<label>(?:\\.|[^\[\]])+)\]\(<?(?P<target>https?://[^\s<>()]+)>?\)"
    r"|<(?P<address>https?://[^\s<>]+)>"
    r"|<@&?(?P<person>\d+)>|<t:(?P<time>\d+)(?::(?P<form>[a-zA-Z]))?>|(?P<here>@here)\b"
    r"|\*\*(?P<b>(?:\\.|[^\\])+?)\*\*(?!\*)|\*(?P<i>(?:\\.|[^\\*])+?)\*(?!\*)|~~(?P<s>.+?)~~"
)
_LINES = (
    ("quote", re.compile(r"> ?(.*)")),
    ("small", re.compile(r"-# (.*)")),
    ("item", re.compile(r"[-*] (.*)")),
    ("number", re.compile(r"(\d+\. .*)")),
)
_HOUR, _DAY = 3600, 86400


def text_html(text: str, reader: Reader) -> str:
    """Discord's Markdown."""
    out, at = "", 0
    for fence in _FENCED.finditer(text):
        out += _lines(text[at : fence.start()].strip("\n"), reader)
        out += f"<pre>{_plain(fence[1])}</pre>"
        at = fence.end()
    return out + _lines(text[at:].strip("\n") if at else text, reader)


def _lines(text: str, reader: Reader) -> str:
    out, open_quote = "", False
    for line in text.split("\n") if text else []:
        kind, inside = next(
            ((name, found[1]) for name, rule in _LINES if (found := rule.fullmatch(line.strip(" ")))),
            ("", line),
        )
        if open_quote and kind != "quote":
            out, open_quote = out + "</blockquote>", False
        if kind == "quote" and not open_quote:
            out, open_quote = out + "<blockquote>", True
        name = {"quote": "line", "": "line"}.get(kind, kind)
        out += f'<div class="{name}">{inline_html(inside, reader) or "&nbsp;"}</div>'
    return out + ("</blockquote>" if open_quote else "")


def inline_html(text: str, reader: Reader) -> str:
    """What stands in a line."""
    out, at = "", 0
    for found in _INLINE.finditer(text):
        out += _plain(text[at : found.start()])
        at = found.end()
        kind = found.lastgroup if found.lastgroup not in ("target", "form") else _first(found)
        out += _piece(str(kind), found, reader)
    return out + _plain(text[at:])


def _first(found: re.Match[str]) -> str:
    return "label" if found["label"] else "time"


def _piece(kind: str, found: re.Match[str], reader: Reader) -> str:
    match kind:
        case "escaped":
            return _plain(found["escaped"])
        case "code" | "ticks":
            return f"<code>{_plain(found[kind])}</code>"
        case "label":
            return f'<a href="{html.escape(found["target"])}">{inline_html(found["label"], reader)}</a>'
        case "address":
            return f'<a href="{html.escape(found["address"])}">{_plain(found["address"])}</a>'
        case "person":
            return f'<span class="at">@{_plain(reader.people.get(found["person"], "somebody"))}</span>'
        case "here":
            return '<span class="at">@here</span>'
        case "time":
            return f'<span class="time">{_time(int(found["time"]), found["form"] or "f", reader.now)}</span>'
        case _:
            return f"<{kind}>{inline_html(found[kind], reader)}</{kind}>"


def _time(at: int, form: str, now: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    forms = {
        "R": _ago(now - at),
        "t": moment.strftime("%H:%M"),
        "T": moment.strftime("%H:%M:%S"),
        "d": moment.strftime("%d/%m/%Y"),
        "D": f"{moment.day} {moment:%B %Y}",
        "f": f"{moment.day} {moment:%B %Y %H:%M}",
        "F": f"{moment:%A}, {moment.day} {moment:%B %Y %H:%M}",
    }
    if form not in forms:
        raise Unknown(f"time {form}")
    return forms[form]


def _ago(seconds: float) -> str:
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (60, "minute")):
        count = round(seconds / unit)
        if count == 1:
            return f"{'an' if name == 'hour' else 'a'} {name} ago"
        if count:
            return f"{count} {name}s ago"
    return "a few seconds ago"


def _plain(text: str) -> str:
    return html.escape(text.replace("\u200b", ""))


# --- components -----------------------------------------------------------------------------------------------


def component_html(one: Json, reader: Reader) -> str:
    """A component; `Unknown` if there is no picture of its kind."""
    draw = _KINDS.get(int(one["type"]))
    if draw is None:
        raise Unknown(f"component {one['type']}")
    return draw(one, reader)


def _all(many: Sequence[Json], reader: Reader) -> str:
    return "".join(component_html(one, reader) for one in many)


def _row(one: Json, reader: Reader) -> str:
    return f'<div class="row">{_all(one["components"], reader)}</div>'


def _button(one: Json, reader: Reader) -> str:
    styles = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary"}
    icon = f"{one['emoji']['name']} " if one.get("emoji") else ""
    return f'<span class="button {styles[one["style"]]}">{_plain(icon + str(one.get("label") or ""))}</span>'


def _select(one: Json, reader: Reader) -> str:
    chosen = next((option["label"] for option in one.get("options") or () if option.get("default")), "")
    shown = (
        _plain(chosen) if chosen else f"<em>{_plain(str(one.get('placeholder') or 'Make a selection'))}</em>"
    )
    return f'<span class="select">{shown}<i>⌄</i></span>'


def menu_html(one: Json, reader: Reader) -> str:
    """A select as it stands open on a phone: a sheet with its entries."""
    entries = "".join(f"<div>{_plain(str(option['label']))}</div>" for option in one["options"])
    return f'<div class="sheet"><i class="grip"></i>{entries}</div>'


def _text(one: Json, reader: Reader) -> str:
    return f'<div class="text">{text_html(one["content"], reader)}</div>'


def _section(one: Json, reader: Reader) -> str:
    inside = _all(one["components"], reader)
    return f'<div class="section"><div>{inside}</div>{component_html(one["accessory"], reader)}</div>'


def _separator(one: Json, reader: Reader) -> str:
    return "<hr>"


def _container(one: Json, reader: Reader) -> str:
    colour = f"border-left: 4px solid #{one['accent_color']:06x};" if one.get("accent_color") else ""
    return f'<div class="container" style="{colour}">{_all(one["components"], reader)}</div>'


_KINDS: dict[int, Callable[[Json, Reader], str]] = {
    1: _row, 2: _button, 3: _select, 5: _select, 9: _section, 10: _text, 14: _separator, 17: _container,
}  # fmt: skip


def embed_html(embed: Json, reader: Reader) -> str:
    """An embed of ours: a coloured edge and a text."""
    unknown = set(embed) - {"type", "color", "description"}
    if unknown:
        raise Unknown(f"embed {sorted(unknown)}")
    colour = f"#{int(embed.get('color') or 0):06x}"
    inside = text_html(embed["description"], reader)
    return f'<div class="embed" style="border-left-color: {colour}">{inside}</div>'


# --- messages and windows -------------------------------------------------------------------------------------


def message_html(said: Said, reader: Reader) -> str:
    """A message as it stands in a channel or thread."""
    tag = ' <span class="app">APP</span>' if said.app else ""
    kind = "shopper" if said.shopper else "app-face" if said.app else ""
    at = datetime.fromtimestamp(said.at, UTC).strftime("%H:%M")
    marks = "".join(f'<span class="reaction">{_plain(one)} 1</span>' for one in said.reactions)
    thread = (
        f'<div class="thread"><b>{_plain(said.thread)}</b> <span>See thread ›</span></div>'
        if said.thread
        else ""
    )
    return (
        f'<div class="message"><div class="face {kind}">{_plain(said.speaker[:1])}</div><div class="what">'
        f'<div class="who">{_plain(said.speaker)}{tag} <time>{at}</time></div>'
        f"{text_html(said.content, reader)}{''.join(embed_html(one, reader) for one in said.embeds)}"
        f"{_all(said.components, reader)}{f'<div>{marks}</div>' if marks else ''}{thread}</div></div>"
    )


def window_html(title: str, messages: Sequence[Said], reader: Reader, *, thread: bool = False) -> str:
    """A channel's window, or a thread's."""
    inside = "".join(message_html(one, reader) for one in messages)
    sign = "🧵" if thread else "#"
    return f'<div class="discord"><div class="bar"><i>{sign}</i> {_plain(title)}</div>{inside}</div>'


def page_html(*windows: str, width: int = 390, extra: str = "") -> str:
    """A whole page; `width` in CSS pixels of each window."""
    style = STYLE.read_text().replace("WIDTH", str(width)) + extra
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style>{"".join(windows)}'
