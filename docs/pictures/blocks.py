"""Block Kit as HTML, for pictures and tests. Pure: the same blocks always give the same page.

Only what Baton sends is known here, so a new kind of block is noticed (`Unknown`). Everything that is not ours is
escaped: a picture of what a shopper wrote never runs it.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import emoji

Block = Mapping[str, Any]
STYLE = Path(__file__).with_name("slack.css")


class Unknown(ValueError):
    """A block, an element or a text that the previewer cannot draw."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: when, and what they call people. Times are in UTC."""

    now: float
    people: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a channel: a person's `text`, or an app's `blocks`. `mark` is a class for what points at it."""

    speaker: str
    at: float
    text: str = ""
    blocks: Sequence[Block] = ()
    app: bool = False
    reactions: Sequence[str] = ()
    mark: str = ""


# --- texts ----------------------------------------------------------------------------------------------------

_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<token>[^<>\n]+)>"
    r"|(?<![\w*])\*(?=[^\s*\u200b])(?P<b>[^*\n]*[^\s*])\*(?![\w*])"
    r"|(?<![\w_])_(?=[^\s_\u200b])(?P<i>[^_\n]*[^\s_])_(?![\w_])"
    r"|(?<![\w~])~(?=[^\s~\u200b])(?P<s>[^~\n]*[^\s~])~(?![\w~])"
    r"|:(?P<emoji>[a-z0-9_+'-]+):"
)
_DATE = re.compile(r"!date\^(\d+)\^([^^|]*)")
_HOUR, _DAY = 3600, 86400


def text_html(text: Block, reader: Reader) -> str:
    """A text object."""
    if text["type"] == "mrkdwn":
        return mrkdwn_html(text["text"], reader)
    if text["type"] != "plain_text":
        raise Unknown(f"text {text['type']}")
    return _plain(text["text"], emojis=text.get("emoji", False)).replace("\n", "<br>")


def mrkdwn_html(text: str, reader: Reader) -> str:
    """Slack's markup: lines, quotes and code blocks around what stands in a line."""
    out, at = "", 0
    for fence in _FENCE.finditer(text):
        out += _lines(text[at : fence.start()].removesuffix("\n"), reader)
        out += f"<pre>{_plain(fence[1])}</pre>"
        at = fence.end() + (text[fence.end() : fence.end() + 1] == "\n")
    return out + _lines(text[at:], reader)


def _lines(text: str, reader: Reader) -> str:
    """Neighbouring quoted lines are one quote."""
    if not text:
        return ""
    out, quote = "", ""
    for line in text.split("\n"):
        mark = re.match(r"(?:&gt;|>) ?", line)
        shown = f"<div>{_inline(line[mark.end() :] if mark else line, reader) or '&nbsp;'}</div>"
        if mark:
            quote += shown
            continue
        out += _quote(quote) + shown
        quote = ""
    return out + _quote(quote)


def _quote(inside: str) -> str:
    return f"<blockquote>{inside}</blockquote>" if inside else ""


def _inline(text: str, reader: Reader) -> str:
    out, at = "", 0
    for found in _INLINE.finditer(text):
        out += _plain(text[at : found.start()])
        at = found.end()
        kind = str(found.lastgroup)
        if kind == "code":
            out += f"<code>{_plain(found['code'])}</code>"
        elif kind == "token":
            out += _token(found["token"], reader)
        elif kind == "emoji":
            out += _plain(character(found["emoji"]) or found[0])
        else:
            out += f"<{kind}>{_inline(found[kind], reader)}</{kind}>"
    return out + _plain(text[at:])


def _token(inside: str, reader: Reader) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return _at(f"@{reader.people.get(target[1:], target[1:])}")
    if target.startswith("#"):
        return _at(f"#{label or target[1:]}")
    date = _DATE.match(target)
    if date:
        return _plain(_date(float(date[1]), date[2], reader.now))
    if target.startswith("!"):
        return _at(label or "@" + target[1:].partition("^")[0])
    if not target.startswith(("https://", "http://", "mailto:")):
        return _plain(label or target)
    return f'<a href="{html.escape(html.unescape(target))}">{_plain(label or target)}</a>'


def _at(name: str) -> str:
    return f'<span class="at">{_plain(name)}</span>'


def _date(at: float, pattern: str, now: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    parts = {
        "{ago}": _ago(now - at),
        "{time}": moment.strftime("%H:%M"),
        "{date_num}": moment.strftime("%Y-%m-%d"),
        "{date}": f"{moment:%B} {moment.day}, {moment.year}",
        "{date_short}": f"{moment:%b} {moment.day}, {moment.year}",
    }
    for name, value in parts.items():
        pattern = pattern.replace(name, value)
    if "{" in pattern:
        raise Unknown(f"date {pattern}")
    return pattern


def _ago(seconds: float) -> str:
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (60, "minute")):
        count = int(seconds // unit)
        if count:
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now"


def character(name: str) -> str:
    """The emoji behind a shortcode; empty if there is none."""
    found = emoji.emojize(f":{name.replace('-', '_')}:", language="alias")
    return "" if found.startswith(":") else found


def _plain(text: str, emojis: bool = False) -> str:
    """Slack's text, in which `& < >` are escaped, as HTML's."""
    if emojis:
        text = re.sub(r":([a-z0-9_+'-]+):", lambda found: character(found[1]) or found[0], text)
    return html.escape(html.unescape(text).replace("\u200b", ""))


# --- blocks ---------------------------------------------------------------------------------------------------


def blocks_html(blocks: Sequence[Block], reader: Reader) -> str:
    """Blocks, one below the other."""
    return "".join(block_html(one, reader) for one in blocks)


def block_html(block: Block, reader: Reader) -> str:
    """One block; `Unknown` if there is no picture of its kind."""
    draw = _BLOCKS.get(block["type"])
    if draw is None:
        raise Unknown(f"block {block['type']}")
    return draw(block, reader)


def _header(block: Block, reader: Reader) -> str:
    return f"<h2>{text_html(block['text'], reader)}</h2>"


def _section(block: Block, reader: Reader) -> str:
    said = text_html(block["text"], reader) if "text" in block else ""
    fields = "".join(f"<div>{text_html(one, reader)}</div>" for one in block.get("fields", ()))
    if fields:
        said += f'<div class="fields">{fields}</div>'
    beside = block.get("accessory")
    if beside:
        said = f"<div>{said}</div>{element_html(beside, reader)}"
    return f'<div class="section{" beside" if beside else ""}">{said}</div>'


def _context(block: Block, reader: Reader) -> str:
    shown = (
        element_html(one, reader) if one["type"] == "image" else text_html(one, reader)
        for one in block["elements"]
    )
    return f'<div class="context">{"".join(shown)}</div>'


def _divider(block: Block, reader: Reader) -> str:
    return "<hr>"


def _actions(block: Block, reader: Reader) -> str:
    shown = "".join(element_html(one, reader) for one in block["elements"])
    return f'<div class="actions">{shown}</div>'


def _input(block: Block, reader: Reader) -> str:
    optional = ' <span class="optional">(optional)</span>' if block.get("optional") else ""
    hint = f'<div class="hint">{text_html(block["hint"], reader)}</div>' if "hint" in block else ""
    label = f'<div class="name">{text_html(block["label"], reader)}{optional}</div>'
    return f'<div class="input">{label}{element_html(block["element"], reader)}{hint}</div>'


_BLOCKS: dict[str, Callable[[Block, Reader], str]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "divider": _divider,
    "actions": _actions,
    "input": _input,
}


# --- elements -------------------------------------------------------------------------------------------------


def element_html(element: Block, reader: Reader) -> str:
    """What stands in a block and can be pressed, chosen or filled in."""
    draw = _ELEMENTS.get(element["type"])
    if draw is None:
        raise Unknown(f"element {element['type']}")
    return draw(element, reader)


def _button(element: Block, reader: Reader) -> str:
    style = element.get("style") or ""
    if style not in ("", "primary", "danger"):
        raise Unknown(f"style {style}")
    return f'<span class="button {style}">{text_html(element["text"], reader)}</span>'


def _overflow(element: Block, reader: Reader) -> str:
    return '<span class="button more">⋯</span>'


def menu_html(element: Block, reader: Reader) -> str:
    """An overflow menu as it stands open on a phone: a sheet with its entries."""
    entries = "".join(f"<div>{text_html(one['text'], reader)}</div>" for one in element["options"])
    return f'<div class="sheet"><i class="grip"></i>{entries}</div>'


def _select(element: Block, reader: Reader) -> str:
    return f'<span class="select">{_chosen(element, reader)}<i>▾</i></span>'


def _chosen(element: Block, reader: Reader) -> str:
    first = element.get("initial_option")
    if first:
        return text_html(first["text"], reader)
    placeholder = element.get("placeholder")
    return f"<em>{text_html(placeholder, reader) if placeholder else 'Choose an option'}</em>"


def _multi_select(element: Block, reader: Reader) -> str:
    chosen = element.get("initial_options", ())
    shown = "".join(f'<span class="chip">{text_html(one["text"], reader)}</span>' for one in chosen)
    return f'<span class="select">{shown or _chosen(element, reader)}<i>▾</i></span>'


def _options(element: Block, reader: Reader) -> str:
    kind = "radio" if element["type"] == "radio_buttons" else "check"
    first = [element.get("initial_option"), *element.get("initial_options", ())]
    return "".join(
        f'<div class="option"><i class="{kind}{" on" if one in first else ""}"></i>'
        f"<div>{text_html(one['text'], reader)}{_description(one, reader)}</div></div>"
        for one in element["options"]
    )


def _description(option: Block, reader: Reader) -> str:
    if "description" not in option:
        return ""
    return f'<div class="description">{text_html(option["description"], reader)}</div>'


def _text_input(element: Block, reader: Reader) -> str:
    placeholder = element.get("placeholder")
    holds = _plain(element.get("initial_value") or "").replace("\n", "<br>")
    if not holds and placeholder:
        holds = f"<em>{text_html(placeholder, reader)}</em>"
    return f'<div class="field{" tall" if element.get("multiline") else ""}">{holds}</div>'


def _image(element: Block, reader: Reader) -> str:
    return f'<span class="image">{_plain(element["alt_text"])}</span>'


_ELEMENTS: dict[str, Callable[[Block, Reader], str]] = {
    "button": _button,
    "overflow": _overflow,
    "static_select": _select,
    "multi_static_select": _multi_select,
    "radio_buttons": _options,
    "checkboxes": _options,
    "plain_text_input": _text_input,
    "image": _image,
}


# --- messages, windows, tabs ----------------------------------------------------------------------------------


def message_html(said: Said, reader: Reader) -> str:
    """A message as it stands in a channel or thread."""
    who = _plain(said.speaker) + (' <span class="app">APP</span>' if said.app else "")
    face = f'<div class="face{"" if said.app else " person"}">{_plain(said.speaker[:1])}</div>'
    body = blocks_html(said.blocks, reader) if said.blocks else mrkdwn_html(said.text, reader)
    marks = "".join(
        f'<span class="reaction">{character(name) or _plain(name)} 1</span>' for name in said.reactions
    )
    at = datetime.fromtimestamp(said.at, UTC).strftime("%H:%M")
    return (
        f'<div class="message">{face}<div class="what"><div class="who">{who} <time>{at}</time></div>'
        f'<div class="said {said.mark}">{body}</div>'
        f"{f'<div>{marks}</div>' if marks else ''}</div></div>"
    )


def channel_html(name: str, root: Said, replies: Sequence[Said], reader: Reader) -> str:
    """A channel's window with one thread in it."""
    count = f'<div class="count">{len(replies)} replies</div>' if replies else ""
    below = "".join(message_html(one, reader) for one in replies)
    return f'<div class="slack"><div class="bar"># {_plain(name)}</div>{message_html(root, reader)}{count}{below}</div>'


def thread_html(name: str, replies: Sequence[Said], reader: Reader) -> str:
    """A thread on a phone, scrolled past its root."""
    below = "".join(message_html(one, reader) for one in replies)
    return f'<div class="slack"><div class="bar">Thread<small># {_plain(name)}</small></div>{below}</div>'


def view_html(view: Block, reader: Reader) -> str:
    """A modal, or the Home tab."""
    inside = blocks_html(view["blocks"], reader)
    if view["type"] == "home":
        tabs = '<div class="tabs"><b>Home</b><span>Messages</span><span>About</span></div>'
        return f'<div class="slack"><div class="bar">Baton</div>{tabs}<div class="view">{inside}</div></div>'
    if view["type"] != "modal":
        raise Unknown(f"view {view['type']}")
    close = text_html(view["close"], reader) if "close" in view else "✕"
    submit = text_html(view["submit"], reader) if "submit" in view else ""
    top = (
        f'<div class="bar window"><span>{close}</span><b>{text_html(view["title"], reader)}</b>'
        f'<span class="submit">{submit}</span></div>'
    )
    return f'<div class="slack">{top}<div class="view">{inside}</div></div>'


def page_html(*windows: str, width: int = 390, extra: str = "") -> str:
    """A whole page; `width` in CSS pixels of each window."""
    style = STYLE.read_text().replace("WIDTH", str(width)) + extra
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style>{"".join(windows)}'
