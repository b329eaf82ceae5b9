"""How cases and posts look in Discord. Pure: the same value always gives the same message.

The card is read on a phone, in a hurry. Its headline is the message's own text: that is what a notification and the
channel's list of threads show, and what pings. The rest stands in an embed, whose coloured edge says the stage from
afar: who has it and for how long, the facts one per line, the shopper's own words, a reply ready to use; then the
buttons. An embed and not the newer layout of components, since that has no text of its own for a notification, and a
message cannot go back from it.
Limits (PLATFORMS.md): 2,000 characters a message, 4,096 in an embed's description.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.discord import markup
from adapters.discord.answer_view import layouts
from adapters.discord.components import buttons, card_buttons
from bot import markdown
from bot.entries import Author
from bot.posts import Answer, Card, Post, PostKind, Turn
from bot.splitting import clip, units

MESSAGE, EMBED, NAME = 2_000, 4_096, 100
ASSISTANT = "🤖 **Assistant**"
SUGGESTED = "💡 **Suggested reply**"
URGENT = "🔴 "
STAGE_MARKS = {"open": "⚪", "waiting": "🟠", "active": "🟢", "resolved": "✅"}
STAGE_COLOURS = {"open": 0x99AAB5, "waiting": 0xF0A020, "active": 0x2EB67D, "resolved": 0x4A7DB8}
RED = 0xD83A3A
NO_PREVIEWS, QUIET, LAYOUT = 1 << 2, 1 << 12, 1 << 15
"""Flags of a message: no link previews; no sound on anybody's phone; made of components alone."""

_HEADLINE = re.compile(r"^(?:🔴 )?\*\*#(\d+)\b")
_TOGETHER = 400
"""Turns in one message at most."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message. `mentions` are the only ones whom its text pings: ids, `&id` for a role, `here`. With the flag
    `LAYOUT` it is made of components alone."""

    content: str = ""
    embeds: Sequence[dict[str, Any]] = ()
    components: Sequence[dict[str, Any]] = ()
    mentions: Sequence[str] = ()
    flags: int = field(default=NO_PREVIEWS)

    def payload(self, *, edit: bool = False) -> dict[str, Any]:
        """As the API takes it. An edit pings nobody: whom it names has been called before."""
        body: dict[str, Any] = {
            "components": list(self.components),
            "allowed_mentions": allowed_mentions(() if edit else self.mentions),
        }
        flags = self.flags & ~QUIET if edit else self.flags
        if self.embeds:
            flags &= ~NO_PREVIEWS  # it would hide ours, too
        if not flags & LAYOUT:
            body |= {"content": self.content, "embeds": list(self.embeds)}
        return body | {"flags": flags}


def allowed_mentions(people: Sequence[str]) -> dict[str, Any]:
    """Nobody but these."""
    return {
        "parse": ["everyone"] if "here" in people else [],
        "users": [one for one in people if one.isdigit()][:100],
        "roles": [one[1:] for one in people if one.startswith("&")][:100],
        "replied_user": False,
    }


# --- the card -------------------------------------------------------------------------------------------------


def render_card(card: Card) -> Rendered:
    """A case's newest state. Long facts are clipped here; the thread below has the whole of them."""
    pings = markup.mentions(card.mentions)
    content = "\n".join(filter(None, (_headline(card), pings)))
    colour = RED if card.urgent else STAGE_COLOURS.get(card.stage, STAGE_COLOURS["open"])
    embed = {"type": "rich", "color": colour, "description": _about(card)}
    return Rendered(content, [embed], card_buttons(card), card.mentions)


def _headline(card: Card) -> str:
    title = markup.fit(" ".join(card.title.split()), 300, markup.escape)
    return f"{URGENT if card.urgent else ''}**#{card.number}{f' · {title}' if title else ''}**"


def number_of(content: str) -> int | None:
    """The case whose card begins so."""
    found = _HEADLINE.match(content)
    return int(found[1]) if found else None


def thread_name(card: Card) -> str:
    """Never changed later: Discord allows two renamings in ten minutes."""
    title = " ".join(card.title.split())
    return clip(f"#{card.number} · {title}" if title else f"#{card.number}", NAME)


def _about(card: Card) -> str:
    tail = []
    if card.quote:
        tail.append(markup.fit(card.quote, 600, markup.quoted))
    if card.suggestion:
        tail.append(f"{SUGGESTED}\n{markup.fit(card.suggestion, 1_400, markup.quoted)}")
    if card.footer:
        tail.append(markup.fit(card.footer, 400, markup.subtext))
    parts = [_status(card), _facts(card, EMBED - 500 - sum(units(one) + 2 for one in tail)), *tail]
    return "\n\n".join(filter(None, parts))


def _status(card: Card) -> str:
    line = f"{STAGE_MARKS.get(card.stage, '⚪')} {markup.fit(markdown.plain(card.status), 400, markup.bold)}"
    return f"{line} · {markup.date(card.since)}" if card.since is not None else line


def _facts(card: Card, room: int) -> str:
    lines: list[str] = []
    for one in card.fields[:12]:
        if not one.text.strip():
            continue
        line = f"{markup.fit(one.label, 80, markup.bold)}  {markup.fit(one.text.strip(), 300)}"
        room -= units(line) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join(lines)


# --- posts ----------------------------------------------------------------------------------------------------


def render_post(post: Post) -> Rendered:
    """One part of a post, as `split_post` gave it."""
    pings = markup.mentions(post.mentions)
    quiet = post.kind is PostKind.LINE and not pings
    if post.turns:
        said = "\n".join(map(render_turn, post.turns))
    else:
        said = (markup.subtext if quiet else markup.marked_up)(post.text)
    content = f"{pings} {said}" if pings and said else pings or said
    flags = NO_PREVIEWS | (QUIET if quiet else 0)
    return Rendered(content.strip() or "…", (), buttons(post.buttons), post.mentions, flags)


def render_turn(turn: Turn) -> str:
    """Who said it, and what."""
    said = said_by(turn)
    if not said.strip():
        return f"{_label(turn)}{_note(turn)}"
    return f"{_label(turn)}{_gap(said)}{said}{_note(turn)}"


def said_by(turn: Turn) -> str:
    """The words alone: a shopper's as they were typed, everybody else's as Markdown."""
    render = markup.inert if turn.author is Author.SHOPPER else markup.marked_up
    return render(turn.text).strip("\n")


def split_post(post: Post) -> list[Post]:
    """The post in as few parts as fit, nothing cut: the parts' turns (or texts) put together are the original's.

    A turn too long for one message is continued in the next under the same number. Mentions go with the first part,
    buttons with the last. A code block that had to be cut is closed and opened again.
    """
    room = MESSAGE - 10 - (units(markup.mentions(post.mentions)) + 1 if post.mentions else 0)
    groups: list[Any] = _turn_groups(post.turns, room) if post.turns else _text_parts(post, room)
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


def _text_parts(post: Post, room: int) -> list[Any]:
    quiet = post.kind is PostKind.LINE and not post.mentions
    if quiet and units(markup.subtext(post.text)) <= room:
        return [post.text]
    return markup.pieces(post.text, literal=False, room=room - (room // 4 if quiet else 0))


def _turn_groups(turns: Sequence[Turn], most: int) -> list[Any]:
    groups: list[list[Turn]] = [[]]
    room = most
    for turn in turns:
        for piece in _turn_pieces(turn, most):
            size = units(render_turn(piece)) + 1
            if groups[-1] and (size > room or len(groups[-1]) >= _TOGETHER):
                groups.append([])
                room = most
            groups[-1].append(piece)
            room -= size
    return groups


def _turn_pieces(turn: Turn, most: int) -> list[Turn]:
    if units(render_turn(turn)) < most:
        return [turn]
    room = most - units(_label(turn)) - units(_note(turn)) - 4
    literal = turn.author is Author.SHOPPER
    return [replace(turn, text=text) for text in markup.pieces(turn.text, literal=literal, room=room)]


def _gap(said: str) -> str:
    """What starts with a quote, a list, a heading or code needs a line of its own to be read as one."""
    return "\n" if said.startswith((">", "```", "- ", "* ", "1. ", "#", "-# ")) else "  "


def _label(turn: Turn) -> str:
    if turn.author is Author.ASSISTANT:
        return ASSISTANT
    return markup.fit(turn.speaker, 100, markup.bold) or markup.bold(turn.author.value)


def _note(turn: Turn) -> str:
    return f"  *({markup.fit(turn.note, 60)})*" if turn.note else ""


# --- answers --------------------------------------------------------------------------------------------------


def render_answer(answer: Answer) -> Rendered:
    """What is said beside threads: its text, then a listing with each row's button beside it."""
    return Rendered(components=layouts(answer)[0], flags=LAYOUT)


# --- reading back ---------------------------------------------------------------------------------------------


def is_same(message: Mapping[str, Any], rendered: Rendered) -> bool:
    """Whether that is what a message of ours says. Discord takes white space off its ends."""
    return str(message.get("content") or "").strip() == rendered.content.strip()
