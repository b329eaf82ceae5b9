"""What reaches us as an interaction, whatever it is: taken once, from our own guild, by somebody we know; and answered
whatever happens, since whoever acts sees nothing else.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from adapters.discord.answer_view import layouts, question, says
from adapters.discord.answers import Errand, refusal, said
from adapters.discord.api import DiscordApi
from adapters.discord.directory import Directory
from adapters.discord.places import PLATFORM
from adapters.discord.turns import Interaction, Turn
from adapters.discord.vendor import discord
from bot import texts
from bot.commands import Claim
from bot.errors import AlreadyClaimed, Busy, DeliveryFault, Refused, Unavailable
from bot.people import Actor, Role
from bot.ports import Bus, Desk
from bot.posts import Action, Answer, Place

log = logging.getLogger("baton.discord")

REMEMBERED = 2_000
"""Interactions of which a repeat is known."""


class Taking:
    """`errand` runs what nobody waits for."""

    def __init__(
        self, api: DiscordApi, directory: Directory, guild_id: str, bus: Bus, desk: Desk, errand: Errand
    ):
        self._api, self._directory, self._guild_id = api, directory, guild_id
        self._bus, self.desk, self._errand = bus, desk, errand
        self._taken: OrderedDict[int, None] = OrderedDict()

    async def take(self, interaction: Interaction, act: Callable[[Turn], Awaitable[None]]) -> None:
        """One interaction, once, by somebody of our guild; whatever fails is said, and its text never logged. One that
        comes after its token has ended is left alone: whoever acted has long seen that it failed."""
        if interaction.id in self._taken or interaction.is_expired():
            return
        self._taken[interaction.id] = None
        if len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)
        turn = Turn(interaction, self._api)
        try:
            if not self.is_here(interaction):
                await turn.say(says(texts.windows.other_server()))
            else:
                await act(turn)
        except Refused as refused:
            await turn.say(layouts(refusal(refused))[0])
        except (Busy, DeliveryFault, Unavailable):
            await turn.say(says(texts.answers.busy_now()))
        except Exception as error:  # noqa: BLE001  the root of the task
            log.error("discord: an interaction failed", extra={"fault": type(error).__name__})
            await turn.say(says(texts.answers.busy_now()))

    def is_here(self, interaction: Interaction) -> bool:
        """Whether it was done in our guild."""
        return str(interaction.guild_id or "") == self._guild_id

    async def actor(self, turn: Turn) -> Actor:
        """Who acts: by what they are in which team."""
        return await self._directory.actor_of(turn.interaction.user, place_of(turn.interaction).channel)

    async def show(
        self, turn: Turn, work: Coroutine[Any, Any, Answer | None], *, asked: bool = False
    ) -> None:
        """What that gives, in a message of its own. `asked`: its button is the second step of a question."""
        answer = await turn.wait(self.begun(work))
        if answer is None:
            await turn.nothing()
            return
        for components in [question(answer)] if asked else layouts(answer):
            await turn.say(components)

    def begun(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Future[Any]":
        """Under way: it is not cut short, whatever happens to the connection it came by."""
        task = asyncio.ensure_future(work)
        self._errand(_ended(task))
        return task

    async def result(self, command: Any) -> Answer | None:
        """A lead who finds a case taken is offered to take it over, as after the verb."""
        try:
            return said(await self._bus.submit(command))
        except AlreadyClaimed as refused:
            if isinstance(command, Claim) and command.actor.highest is Role.LEAD:
                return await self.desk.ask(f"{Action.CLAIM} {command.number}", command.actor)
            return refusal(refused)


def place_of(interaction: Interaction) -> Place:
    """The thread it was done in, or with an empty root the channel."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        return Place(PLATFORM, str(channel.parent_id), str(channel.id))
    return Place(PLATFORM, str(interaction.channel_id or ""))


async def _ended(work: "asyncio.Future[Any]") -> None:
    """Waits for it, and hears how it ended: nobody else may be there to."""
    await asyncio.wait({work})
    if not work.cancelled():
        work.exception()
