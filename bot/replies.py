"""Saved replies: the sentences a team writes again and again, with blanks that a case fills in. Pure.

They stand in `replies.toml`. A blank that nobody can fill is named, and such a reply does not leave before a person
has written it out: a shopper never reads "Hello {first_name}".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.conversation import Conversation
from bot.people import Shopper
from bot.splitting import split_text, units

BLANKS = (
    "first_name",
    "name",
    "operator",
    "case",
    "brand",
    "order.id",
    "order.status",
    "order.total",
    "collected.…",
)
"""`order.…` is any field of the newest order, `collected.…` any fact that was collected."""

LONGEST = 3000
"""Characters that every platform's window takes. A reply is read over in one, whole."""
LONGEST_FACT = 200
_BLANK = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[A-Za-z0-9_]+)?)\}")
_PLAIN = frozenset({"first_name", "name", "operator", "case", "brand"})
_FAMILIES = ("order.", "collected.")


@dataclass(frozen=True, slots=True)
class Reply:
    """One of them; `team` empty: for every team."""

    name: str
    text: str
    team: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a reply reads in a case. `missing` blanks still stand in the text."""

    text: str
    missing: tuple[str, ...] = ()


def read(raw: Mapping[str, Any], teams: Iterable[str]) -> tuple[Reply, ...]:
    """From the parsed file. ValueError names the key, says why, and what to write instead."""
    for key in raw:
        if key != "replies":
            raise ValueError(f"{key}: not known here; the file holds [[replies]] tables only.")
    tables = raw.get("replies", [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise ValueError("replies: must be a list of tables, each begun with [[replies]].")
    known = tuple(teams)
    found: dict[tuple[str, str], Reply] = {}
    for index, table in enumerate(tables):
        reply = _reply(table, f"replies[{index}]", known)
        if (reply.name.lower(), reply.team) in found:
            raise ValueError(
                f"replies[{index}].name: there are two called {reply.name!r}; rename one of them."
            )
        found[reply.name.lower(), reply.team] = reply
    return tuple(found.values())


def _reply(table: Mapping[str, Any], where: str, teams: Sequence[str]) -> Reply:
    for key in table:
        if key not in ("name", "text", "team"):
            raise ValueError(f"{where}.{key}: not a setting; the settings are name, team, text.")
    name, text, team = (table.get(key, "") for key in ("name", "text", "team"))
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f'{where}.name: missing; write what it is picked by, like "Refund sent".')
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f'{where}.text: missing; write the reply, like "Hello {{first_name}}, …".')
    longest = _longest(text)
    if longest > LONGEST:
        raise ValueError(
            f"{where}.text: up to {longest} characters (a blank may take {LONGEST_FACT}) are too long for a window; "
            f"shorten it to {LONGEST}, or make two replies of it."
        )
    if team and team not in teams:
        raise ValueError(
            f"{where}.team: there is no team {team!r}; write one of {', '.join(teams)}, or leave it out."
        )
    for blank in blanks_in(text):
        if not _is_known(blank):
            raise ValueError(f"{where}.text: nothing fills {{{blank}}}; the blanks are {_blanks_shown()}.")
    return Reply(name.strip(), text.strip(), team)


def _longest(text: str) -> int:
    """As platforms count, with every blank filled by the longest fact."""
    blanks = _BLANK.findall(text)
    return units(_BLANK.sub("", text)) + len(blanks) * LONGEST_FACT


def _blanks_shown() -> str:
    return ", ".join(f"{{{blank}}}" for blank in BLANKS)


def _is_known(blank: str) -> bool:
    return blank in _PLAIN or blank.startswith(_FAMILIES)


def blanks_in(text: str) -> tuple[str, ...]:
    """The blanks of a text, each once, in their order."""
    return tuple(dict.fromkeys(_BLANK.findall(text)))


def unfilled(text: str) -> tuple[str, ...]:
    """Blanks that must not reach a shopper. What only looks like one ("{sic}") may."""
    return tuple(blank for blank in blanks_in(text) if _is_known(blank))


def fill(reply: Reply, facts: Mapping[str, str]) -> Filled:
    """The reply with the facts of a case (`facts_of`) in its blanks."""
    missing: dict[str, None] = {}

    def put(found: re.Match[str]) -> str:
        fact = facts.get(found[1])
        if not fact:
            missing[found[1]] = None
            return found[0]
        return fact

    return Filled(_BLANK.sub(put, reply.text), tuple(missing))


def for_team(replies: Iterable[Reply], team: str) -> list[Reply]:
    """Those a team may use: its own first. Its own takes the place of a common one of the same name."""
    own = [reply for reply in replies if reply.team == team]
    taken = {reply.name.lower() for reply in own}
    return own + [reply for reply in replies if not reply.team and reply.name.lower() not in taken]


def facts_of(conversation: Conversation, shopper: Shopper, operator: str, brand: str) -> dict[str, str]:
    """What the blanks are filled with. A shopper's or a store's words cannot become a blank, or a second line."""
    packet = conversation.packet
    collected: Mapping[str, Any] = packet.get("collected") or {}
    orders = [one for one in packet.get("orders") or [] if isinstance(one, Mapping)]
    order = dict(orders[0]) if orders else {"id": next(iter(collected.get("order_id") or []), None)}
    name = shopper.name or ""
    facts: dict[str, Any] = {
        "name": name,
        "first_name": name.split()[0] if name.split() else "",
        "operator": operator,
        "case": conversation.number,
        "brand": brand,
        **{f"order.{key}": value for key, value in order.items()},
        **{f"collected.{key}": _newest(values) for key, values in collected.items()},
    }
    return {key: _tame(value) for key, value in facts.items() if _fills(value)}


def _newest(values: Any) -> Any:
    return values[-1] if isinstance(values, list) and values else values


def _fills(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and bool(str(value).strip())


def _tame(value: str | int | float) -> str:
    text = f"{value:,.2f}" if isinstance(value, float) else str(value)
    line = " ".join(text.replace("{", "(").replace("}", ")").split())
    return next(iter(split_text(line, LONGEST_FACT)), "")
