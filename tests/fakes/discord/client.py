"""Pointing this process's discord.py at the fake. Nothing else of it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from . import FakeDiscord


@contextmanager
def pointed_at(discord: FakeDiscord, *, hurried: bool = False) -> Iterator[None]:
    """REST, gateway and CDN of discord.py. Attachments need no patch: their addresses come in the JSON; avatars do.

    `hurried` takes away its pauses: 5 s before a second IDENTIFY, seconds before it tries to connect again.
    """
    import yarl
    from discord import client
    from discord.asset import Asset
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    with ExitStack() as patches:
        enter = patches.enter_context
        enter(patch.object(Route, "BASE", discord.api_url))
        enter(patch.object(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(discord.gateway_url)))
        enter(patch.object(Asset, "BASE", discord.base_url.rstrip("/")))
        if hurried:
            enter(patch.object(client.Client, "before_identify_hook", _at_once))
            enter(patch.object(client, "ExponentialBackoff", _Pauses))
        yield


async def _at_once(*_: Any, **__: Any) -> None:
    """In place of five seconds' sleep."""


class _Pauses:
    """Short pauses between two attempts to connect."""

    def __init__(self) -> None:
        self._pause = 0.01

    def delay(self) -> float:
        self._pause = min(0.2, self._pause * 2)
        return self._pause
