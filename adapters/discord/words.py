"""What people type to the bot, as the core takes it: their words, with the accounts in them as `@1`, `@2` … Pure.

A command is no prose: nothing in it is formatted, and no character of it escaped, or `find a_b` would find nothing.
"""

import re

_ACCOUNT = re.compile(r"<@!?(\d{1,20})>")


def numbered(text: str) -> tuple[str, list[str]]:
    """The text with each account that is mentioned as `@1`, `@2` …, and their ids in that order."""
    ids: list[str] = []

    def plain(token: re.Match[str]) -> str:
        if token[1] not in ids:
            ids.append(token[1])
        return f"@{ids.index(token[1]) + 1}"

    return _ACCOUNT.sub(plain, text).strip(), ids
