"""How cases and posts look in Slack. Pure: the same value always gives the same message.

The card is read on a phone, in a hurry: what and how urgent in the header, who has it and for how long below it, the
facts one per line, the shopper's own words, a reply ready to use, then the buttons.
Limits (PLATFORMS.md): 3,000 characters a section, 50 blocks and about 12,000 characters a message, 4,000 of text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from adapters.slack import mrkdwn
from adapters.slack.blocks import (
    AGAIN,
    SECTION,
    Block,
    actions,
    context,
    divider,
    fit,
    header,
    marked_up,
    pieces,
    section,
    sections,
)
from bot import markdown, texts
from bot.entries import Author
from bot.posts import Answer, Card, Post, PostKind, Row, Turn
from bot.splitting import split_markdown, split_text, units

MESSAGE, FALLBACK = 11_000, 3_700
MOST_BLOCKS = 50
ROW = "row"
MOST_NAME = 255

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
    blocks = [header(whole), section(_status(card))]
    if units(whole) > 150:
        blocks.append(section(f"*{fit(card.title, 1_000)}*"))
    blocks += _facts(card)
    if card.quote:
        blocks.append(section(fit(card.quote, 800, mrkdwn.quoted)))
    if card.suggestion:
        blocks.append(section(f"{SUGGESTED}\n{fit(card.suggestion, 1_600, mrkdwn.quoted)}"))
    blocks += actions(card.buttons, card.menu)
    if card.footer:
        blocks.append(context(fit(card.footer, 1_000, marked_up)))
    return Rendered(_fallback(f"{whole} — {markdown.plain(card.status)}", card.mentions), blocks)


def _status(card: Card) -> str:
    line = f"{STAGE_MARKS.get(card.stage, '⚪')} *{fit(markdown.plain(card.status), 400)}*"
    if card.since is not None:
        line += f" · {mrkdwn.date(card.since, '{ago}', _utc(card.since))}"
    pings = mrkdwn.mentions(card.mentions)
    return f"{line}\n{pings}" if pings else line


def _facts(card: Card) -> list[Block]:
    lines = [
        f"*{fit(field.label, 80)}*  {fit(field.text.strip(), 400)}"
        for field in card.fields[:12]
        if field.text.strip()
    ]
    return [section(text) for text in _stacked(lines)]


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
        shown = _stacked([piece for turn in post.turns for piece in _turn_sections(turn)])
        plain = "\n".join(_turn_plain(turn) for turn in post.turns)
    else:
        shown = sections(post.text)
        plain = markdown.plain(post.text)
    pings = mrkdwn.mentions(post.mentions)
    if pings:
        shown = [f"{pings} {shown[0]}", *shown[1:]] if shown else [pings]
    quiet = post.kind is PostKind.LINE and not pings
    blocks = [context(text) if quiet else section(text) for text in shown]
    return Rendered(_fallback(plain, post.mentions), [*blocks, *actions(post.buttons)])


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
    return pieces(text, split_markdown, lambda piece: _size(sections(piece)) <= MESSAGE, MESSAGE)


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

    return [replace(turn, text=text) for text in pieces(turn.text, _cutter(turn), fits, MESSAGE)]


def _cutter(turn: Turn) -> Callable[[str, int], list[str]]:
    return split_text if turn.author is Author.SHOPPER else split_markdown


def _turn_sections(turn: Turn) -> list[str]:
    """A turn as the texts of its sections; nearly always one."""
    if not turn.text:
        return [f"{_label(turn)}{_note(turn)}"]
    found = pieces(
        turn.text,
        _cutter(turn),
        lambda text: units(_said(turn, text)) + units(_label(turn)) < SECTION - 80,
        SECTION,
    )
    said = [piece for piece in (_said(turn, text).strip("\n") for text in found) if piece.strip()]
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
    return marked_up(text)


def _label(turn: Turn) -> str:
    if turn.author is Author.ASSISTANT:
        return ASSISTANT
    return f"*{fit(' '.join(turn.speaker.split()), 100) or turn.author.value}*"


def _note(turn: Turn) -> str:
    return f"  _({fit(turn.note, 60)})_" if turn.note else ""


def _turn_plain(turn: Turn) -> str:
    name = "🤖" if turn.author is Author.ASSISTANT else turn.speaker
    text = turn.text if turn.author is Author.SHOPPER else markdown.plain(turn.text)
    return f"{name}: {text}" + (f" ({turn.note})" if turn.note else "")


def _size(shown: Sequence[str]) -> int:
    return sum(units(text) + 1 for text in shown)


# --- answers --------------------------------------------------------------------------------------------------


def render_answer(answer: Answer, most: int = MOST_BLOCKS) -> Rendered:
    """What a command is answered: its text, then a listing. Of a listing that is too long the first rows, and how
    many more there are; `most` blocks fit there. A line parts a row from the next where there is room for lines: its
    buttons would stand as near to the next case as to their own."""
    lines = len(answer.rows) * 3 + 4 <= most
    blocks, last = _within(answer.text), actions(answer.buttons, block_id=_asked("answer", answer.again))
    room = MESSAGE - sum(map(_block_size, [*blocks, *last])) - 200
    for index, row in enumerate(answer.rows):
        added = render_row(row, index, answer.again)
        if lines and (index or answer.text):
            added.insert(0, divider() | {"block_id": f"{ROW}:{index}:{row.number}:line"})
        size = sum(map(_block_size, added))
        if len(blocks) + len(added) + len(last) + 1 > most or size > room:
            blocks.append(context(marked_up(texts.boards.more_rows(len(answer.rows) - index))))
            break
        blocks += added
        room -= size
    plain = "\n".join([markdown.plain(answer.text), *(markdown.plain(row.text) for row in answer.rows)])
    return Rendered(_fallback(plain.strip(), ()), [*blocks[: most - len(last)], *last])


def _within(text: str) -> list[Block]:
    """As much of an answer's text as one message holds; the rest stands in the case's thread."""
    blocks: list[Block] = []
    room = MESSAGE - 500
    for piece in sections(text):
        room -= units(piece)
        if room < 0:
            return [*blocks, context(marked_up(texts.boards.more_text()))]
        blocks.append(section(piece))
    return blocks


def render_row(row: Row, index: int, again: str = "") -> list[Block]:
    """One case in a listing. Its blocks are named after it, so that it can be taken out once it is dealt with; and its
    buttons after what brings the listing `again`."""
    name = f"{ROW}:{index}:{row.number}"
    return [
        section(fit(row.text, 1_000, marked_up) or f"#{row.number}", name),
        *actions(row.buttons, block_id=_asked(f"{name}:do", again)),
    ]


def _asked(name: str, again: str) -> str:
    """A listing whose words are too long for a name is not shown anew."""
    whole = f"{name}{AGAIN}{again}"
    return whole if again and units(whole) <= MOST_NAME else name


def is_of_row(block: Block, number: int) -> bool:
    """Whether the block belongs to that case's row."""
    name = str(block.get("block_id") or "").split(":")
    return name[0] == ROW and len(name) > 2 and name[2] == str(number)


def _block_size(block: Block) -> int:
    return sum(units(text) for text in _texts_in(block))


def _texts_in(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        return own + [text for value in part.values() for text in _texts_in(value)]
    return [text for item in part for text in _texts_in(item)] if isinstance(part, list) else []


# --- shared ---------------------------------------------------------------------------------------------------


def _fallback(plain: str, people: Sequence[str]) -> str:
    """What a notification shows; the blocks hold the whole text."""
    text = fit(plain, FALLBACK, mrkdwn.escape)
    pings = mrkdwn.mentions(people[:5])
    return f"{pings} {text}".strip() or "…"


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")
