"""How cases and posts look in Slack. Pure: the same value always gives the same message.

The card is read on a phone, in a hurry: what and how urgent in the header, who has it and for how long below it, the
facts one per line, the shopper's own words, a reply ready to use, then the buttons.
Limits (PLATFORMS.md): 3,000 characters a section, 50 blocks and about 12,000 characters a message, 4,000 of text.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from adapters.slack import markdown, mrkdwn
from adapters.slack.splitting import clip, split_markdown, split_text, units
from bot.entries import Author
from bot.posts import Button, Card, Post, PostKind, Turn

Block = dict[str, Any]

SECTION, MESSAGE, FALLBACK = 2_900, 11_000, 3_700
ACTION_PREFIX = "baton:"

ASSISTANT = "🤖 *Assistant*"
SUGGESTED = "💡 *Suggested reply*"
STAGE_MARKS = {"open": "⚪", "waiting": "🟠", "active": "🟢", "resolved": "✅"}
URGENT = "🔴 "


@dataclass(frozen=True, slots=True)
class Rendered:
    """What goes into a call: `text` is what notifications show, `blocks` what everybody reads."""

    text: str
    blocks: list[Block]


# --- the card -------------------------------------------------------------------------------------------------


def render_card(card: Card) -> Rendered:
    """A case's newest state. Long facts are clipped here; the thread below has the whole of them."""
    head = f"#{card.number} · {card.title}" if card.title else f"#{card.number}"
    whole = (URGENT if card.urgent else "") + head
    blocks = [_header(whole), _section(_status(card))]
    if units(whole) > 150:
        blocks.append(_section(f"*{_fit(card.title, 1_000)}*"))
    blocks += _facts(card)
    if card.quote:
        blocks.append(_section(_fit(card.quote, 800, mrkdwn.quoted)))
    if card.suggestion:
        blocks.append(_section(f"{SUGGESTED}\n{_fit(card.suggestion, 1_600, mrkdwn.quoted)}"))
    blocks += _actions(card.buttons)
    if card.footer:
        blocks.append(_context(_fit(card.footer, 1_000, _marked_up)))
    return Rendered(_fallback(f"{whole} — {markdown.plain(card.status)}", card.mentions), blocks)


def _status(card: Card) -> str:
    line = f"{STAGE_MARKS.get(card.stage, '⚪')} *{_fit(markdown.plain(card.status), 400)}*"
    if card.since is not None:
        line += f" · {mrkdwn.date(card.since, '{ago}', _utc(card.since))}"
    pings = mrkdwn.mentions(card.mentions)
    return f"{line}\n{pings}" if pings else line


def _facts(card: Card) -> list[Block]:
    lines = [
        f"*{_fit(field.label, 80)}*  {_fit(field.text.strip(), 500)}"
        for field in card.fields[:12]
        if field.text.strip()
    ]
    return [_section(text) for text in _stacked(lines)]


def _stacked(lines: Sequence[str]) -> list[str]:
    """Lines put together into as few sections as possible; each line fits into one."""
    out: list[str] = []
    for line in lines:
        if out and units(out[-1]) + 1 + units(line) <= SECTION:
            out[-1] += "\n" + line
        else:
            out.append(line)
    return out


# --- posts ----------------------------------------------------------------------------------------------------


def render_post(post: Post) -> Rendered:
    """One part of a post, as `split_post` gave it."""
    if post.turns:
        texts = _stacked([piece for turn in post.turns for piece in _turn_sections(turn)])
        plain = "\n".join(_turn_plain(turn) for turn in post.turns)
    else:
        texts = _text_sections(post.text)
        plain = markdown.plain(post.text)
    pings = mrkdwn.mentions(post.mentions)
    if pings:
        texts = [f"{pings} {texts[0]}", *texts[1:]] if texts else [pings]
    quiet = post.kind is PostKind.LINE and not pings
    blocks = [_context(text) if quiet else _section(text) for text in texts]
    return Rendered(_fallback(plain, post.mentions), [*blocks, *_actions(post.buttons)])


def split_post(post: Post) -> list[Post]:
    """The post in as few parts as fit, nothing cut: the parts' turns (or texts) put together are the original's.

    A turn too long for one message is continued in the next under the same number. Mentions go with the first part,
    buttons with the last. A code block that had to be cut is closed and opened again.
    """
    groups = _turn_groups(post.turns) if post.turns else _text_parts(post.text)
    last = len(groups) - 1
    return [
        replace(
            post,
            text="" if post.turns else str(group),
            turns=tuple(group) if post.turns else (),
            mentions=post.mentions if index == 0 else (),
            buttons=post.buttons if index == last else (),
            part=index,
            parts=len(groups),
        )
        for index, group in enumerate(groups)
    ]


def _text_parts(text: str) -> list[Any]:
    return _pieces(text, split_markdown, lambda piece: _size(_text_sections(piece)) <= MESSAGE)


def _turn_groups(turns: Sequence[Turn]) -> list[Any]:
    groups: list[list[Turn]] = [[]]
    room = MESSAGE
    for turn in turns:
        for piece in _turn_pieces(turn):
            size = _size(_turn_sections(piece)) + 1
            if groups[-1] and (size > room or len(groups[-1]) >= 400):
                groups.append([])
                room = MESSAGE
            groups[-1].append(piece)
            room -= size
    return groups


def _turn_pieces(turn: Turn) -> list[Turn]:
    def fits(text: str) -> bool:
        return _size(_turn_sections(replace(turn, text=text))) <= MESSAGE

    return [replace(turn, text=text) for text in _pieces(turn.text, _cutter(turn), fits)]


def _pieces(
    text: str, cut: Callable[[str, int], list[str]], fits: Callable[[str], bool], limit: int = MESSAGE
) -> list[str]:
    """Cut into the largest pieces whose *rendered* form fits; escaping makes some texts five times longer."""
    if fits(text):
        return [text]
    while True:
        limit = limit * 3 // 4
        pieces = cut(text, limit)
        if limit < 100 or all(map(fits, pieces)):
            return pieces


def _cutter(turn: Turn) -> Callable[[str, int], list[str]]:
    return split_text if turn.author is Author.SHOPPER else split_markdown


def _turn_sections(turn: Turn) -> list[str]:
    """A turn as the texts of its sections; nearly always one."""
    if not turn.text:
        return [f"{_label(turn)}{_note(turn)}"]
    texts = _pieces(
        turn.text,
        _cutter(turn),
        lambda text: units(_said(turn, text)) + units(_label(turn)) < SECTION - 80,
        SECTION,
    )
    said = [piece for piece in (_said(turn, text).strip("\n") for text in texts) if piece.strip()]
    if not said:
        return [f"{_label(turn)}{_note(turn)}"]
    said[0] = f"{_label(turn)}{_gap(said[0])}{said[0]}"
    said[-1] += _note(turn)
    return said


def _gap(said: str) -> str:
    """What starts with a quote, a list or code needs a line of its own to be read as one."""
    return "\n" if said.startswith((">", "```", "• ", "1. ")) else "  "


def _said(turn: Turn, text: str) -> str:
    if turn.author is Author.SHOPPER:
        return mrkdwn.inert(text)
    return _marked_up(text)


def _label(turn: Turn) -> str:
    if turn.author is Author.ASSISTANT:
        return ASSISTANT
    return f"*{_fit(' '.join(turn.speaker.split()), 100) or turn.author.value}*"


def _note(turn: Turn) -> str:
    return f"  _({_fit(turn.note, 60)})_" if turn.note else ""


def _turn_plain(turn: Turn) -> str:
    name = "🤖" if turn.author is Author.ASSISTANT else turn.speaker
    text = turn.text if turn.author is Author.SHOPPER else markdown.plain(turn.text)
    return f"{name}: {text}" + (f" ({turn.note})" if turn.note else "")


def _text_sections(text: str) -> list[str]:
    pieces = _pieces(text, split_markdown, lambda piece: units(_marked_up(piece)) < SECTION - 80, SECTION)
    return [piece for piece in (_marked_up(piece).strip("\n") for piece in pieces) if piece.strip()]


def _marked_up(text: str) -> str:
    return mrkdwn.written(markdown.parse(text))


def _fit(text: str, limit: int, render: Callable[[str], str] = mrkdwn.inert) -> str:
    """As much of a text as fits when rendered; only for the card, whose whole texts stand in the thread."""
    shown, most = render(clip(text, limit)), limit
    while units(shown) > limit and most > 1:
        most = most * 3 // 4
        shown = render(clip(text, most))
    return shown


def _size(sections: Sequence[str]) -> int:
    return sum(units(text) + 1 for text in sections)


# --- parts of Block Kit ---------------------------------------------------------------------------------------


def _header(text: str) -> Block:
    return {"type": "header", "text": _plain_text(" ".join(text.split()), 150)}


def _section(text: str) -> Block:
    return {"type": "section", "text": _marked(text), "expand": True}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_marked(text)]}


def _marked(text: str) -> Block:
    """`verbatim`: Slack must not turn plain `@here`, `#channel` or addresses into more than text."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain_text(text: str, limit: int) -> Block:
    """Plain text has no documented escape, so what could be read as markup is shown by a look-alike."""
    harmless = text.replace("<", "‹").replace(">", "›")
    return {"type": "plain_text", "text": clip(harmless, limit), "emoji": False}


def _actions(buttons: Sequence[Button]) -> list[Block]:
    if not buttons:
        return []
    seen: Counter[str] = Counter()
    elements = []
    for button in buttons[:25]:
        name = ACTION_PREFIX + button.action.value
        seen[name] += 1
        elements.append(_button(button, name if seen[name] == 1 else f"{name}:{seen[name]}"))
    return [{"type": "actions", "elements": elements}]


def _button(button: Button, action_id: str) -> Block:
    block: Block = {
        "type": "button",
        "action_id": action_id,
        "text": {**_plain_text(button.label, 75), "emoji": True},
        "value": button.value,
    }
    if button.style in ("primary", "danger"):
        block["style"] = button.style
    if button.confirm:
        block["confirm"] = {
            "title": _plain_text(button.label, 100),
            "text": _plain_text(button.confirm, 300),
            "confirm": _plain_text(button.label, 30),
            "deny": _plain_text("Cancel", 30),
        }
    return block


def _fallback(plain: str, people: Sequence[str]) -> str:
    """What a notification shows; the blocks hold the whole text."""
    text = _fit(plain, FALLBACK, mrkdwn.escape)
    pings = mrkdwn.mentions(people[:5])
    return f"{pings} {text}".strip() or "…"


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")
