"""What people type to the bot, as the core takes it: their words, with the accounts in them as `@1`, `@2` … Pure.

A command is no prose: nothing in it is formatted, and no character of it escaped, or `find a_b` would find nothing.
"""

import re
from collections.abc import Mapping
from typing import Any

from adapters.slack.formatting import addressed
from bot.people import Actor, Role

_TOKEN = re.compile(r"<([^<>\n]+)>")
_ACCOUNT = re.compile(r"@([UW][A-Z0-9]+)")


def numbered(text: str) -> tuple[str, list[str]]:
    """The text with each account that is mentioned as `@1`, `@2` …, and their ids in that order."""
    ids: list[str] = []

    def plain(token: re.Match[str]) -> str:
        target, _, label = token[1].partition("|")
        account = _ACCOUNT.fullmatch(target)
        if account is None:
            return _plain(target, label)
        if account[1] not in ids:
            ids.append(account[1])
        return f"@{ids.index(account[1]) + 1}"

    return _unescaped(_TOKEN.sub(plain, text)).strip(), ids


def command_of(message: Mapping[str, Any], bot_user_id: str, actors: Mapping[str, Actor]) -> dict[str, Any]:
    """What a message that begins with the bot's mention asks for: its words, and the people in them. Empty for any
    other message."""
    to, text = addressed(str(message.get("text") or ""), bot_user_id)
    if to != "bot":
        return {}
    words, ids = numbered(text)
    stranger = Actor("slack", "", "someone", Role.NONE)
    return {"command": words, "people": tuple(actors.get(one, stranger) for one in ids)}


def _plain(target: str, label: str) -> str:
    """A channel, a group, an address or a link."""
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or "@" + target[1:].partition("^")[0]
    if target.startswith(("mailto:", "tel:")):
        return label or target.partition(":")[2]
    return target if not label or target.endswith(label.rstrip("/")) else f"[{label}]({target})"


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
