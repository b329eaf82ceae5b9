"""Selects on messages that everybody sees: Discord shows what somebody chose until the message changes, and choosing it
again does nothing. So a select that was used gets another name, and shows nothing as chosen.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.discord.answers import Errand
from adapters.discord.components import Pressed, used
from adapters.discord.turns import Turn
from bot.errors import DeliveryFault

if TYPE_CHECKING:
    from adapters.discord.outbound import DiscordChat

log = logging.getLogger("baton.discord")


class Selects:
    """`is_board` is told of the message, and says whether it takes care of that itself."""

    def __init__(self, chat: "DiscordChat", errand: Errand, is_board: Callable[[str], bool]):
        self._chat, self._errand, self._is_board = chat, errand, is_board

    def used(self, turn: Turn, what: Pressed) -> None:
        """Somebody chose something: soon it shows as if nobody had."""
        if not turn.own and not self._is_board(turn.message_id):
            self._errand(self._renamed(str(turn.interaction.channel_id), turn.message_id, what.select))

    async def _renamed(self, channel: str, message_id: str, select: str) -> None:
        try:
            async with self._chat.alone(message_id):
                await self._rename(channel, message_id, select)
        except DeliveryFault as fault:
            log.info("discord: a select still shows what was chosen", extra={"reason": fault.reason})

    async def _rename(self, channel: str, message_id: str, select: str) -> None:
        """The message is looked up first: it may have been changed since it was pressed."""
        call, path = self._chat.api.call, "/channels/{channel_id}/messages/{message_id}"
        message = await call("GET", path, repeatable=True, channel_id=channel, message_id=message_id)
        rows = message.get("components") or []
        chosen = [
            one for row in rows for one in row.get("components") or () if one.get("custom_id") == select
        ]
        for one in chosen:
            one["custom_id"] = used(select)
        if chosen:
            body = {"components": rows}
            await call("PATCH", path, repeatable=True, json=body, channel_id=channel, message_id=message_id)
