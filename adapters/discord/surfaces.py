"""Everything in Discord that can be pressed, chosen, filled in or typed as a command, and the boards: put together
here, and given to each fresh client before it connects."""

import logging
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adapters.discord import commands, pressing
from adapters.discord.answers import Errand
from adapters.discord.board import Boards
from adapters.discord.clicks import Clicks
from adapters.discord.forms import Forms
from adapters.discord.selects import Selects
from adapters.discord.slash import Asking
from adapters.discord.taking import Taking
from adapters.discord.turns import Interaction
from adapters.discord.vendor import discord
from bot.errors import DeliveryFault
from bot.ports import Bus, Changes, Desk
from bot.settings import TeamPolicy

if TYPE_CHECKING:
    from adapters.discord.outbound import DiscordChat

log = logging.getLogger("baton.discord")


class Surfaces:
    """One for a started adapter. `errand` runs what nobody waits for, and logs how it failed without its text."""

    def __init__(
        self, chat: "DiscordChat", bus: Bus, desk: Desk, errand: Errand, teams: Sequence[TeamPolicy] = ()
    ):
        self._chat = chat
        self._boards = Boards(chat, bus, desk, teams, f"discord-{uuid.uuid4().hex}")
        taking = Taking(chat.api, chat.directory, chat.guild_id, bus, desk, errand)
        self._forms = Forms(taking)
        self._clicks = Clicks(taking, self._forms, Selects(chat, errand, self._boards.used))
        self._asking = Asking(taking, chat.directory, self._clicks, self._forms)
        self._trees: dict[int, Any] = {}

    def register(self, client: discord.Client) -> None:
        """Before it connects; no network."""
        pressing.hear(client, self._clicks.pressed)
        self._trees = {id(client): commands.declare(client, self._asking)}

        async def on_interaction(interaction: Interaction) -> None:
            if interaction.type is discord.InteractionType.modal_submit:
                await self._forms.submitted(interaction)

        setattr(client, "on_interaction", on_interaction)  # noqa: B010  how discord.py finds a listener

    async def ready(self, client: discord.Client) -> None:
        """After each READY: the guild's commands, and the boards."""
        self._boards.start()
        tree = self._trees.get(id(client))
        if tree is None:
            return
        try:
            if await commands.sync(tree, self._chat.api, self._chat.guild_id):
                log.info("discord: the guild's commands were written")
        except DeliveryFault as fault:
            log.warning("discord: the guild's commands could not be written", extra={"reason": fault.reason})

    def changed(self, changes: Changes) -> None:
        """Something was committed."""
        self._boards.changed(changes)

    def message_deleted(self, message_id: str) -> None:
        """A message of a channel is gone; if it was a board, there will be another."""
        self._boards.deleted(message_id)

    async def close(self) -> None:
        """The boards stay as they are."""
        await self._boards.stop()
