"""One interaction and how it is answered: within three seconds, once, to the one who acted; what takes longer is
deferred, and said later by the interaction's token, which lives for fifteen minutes.

A call is made once. Discord's own answers "unknown interaction" and "already acknowledged" are the ends of a turn that
came too late or twice; whoever pressed sees Discord's word for it and presses again.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

from adapters.discord.answer_view import EPHEMERAL, LAYOUT
from adapters.discord.api import DiscordApi
from adapters.discord.components import Component
from adapters.discord.vendor import discord
from bot.errors import DeliveryFault

log = logging.getLogger("baton.discord")

T = TypeVar("T")
Payload = dict[str, Any]
Interaction = discord.Interaction[Any]

ANSWER_WITHIN = 1.5
"""Seconds for an answer before it is deferred; Discord waits three, and counts the way there and back."""
CALL_TIMEOUT = 2.5
MESSAGE, THINK, LATER, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
"""What an interaction is answered with (Discord's numbers)."""
NO_PINGS: dict[str, list[str]] = {"parse": []}


class State(Enum):
    """What the one who acted sees so far."""

    NOTHING = "nothing"
    THINKING = "thinking"  # a message of ours that says so, to be filled
    LATER = "later"  # nothing, and no failure either
    ANSWERED = "answered"


class Turn:
    """`own`: it was done on something that only this person sees, and which can be changed in place."""

    def __init__(self, interaction: Interaction, api: DiscordApi):
        self.interaction, self._api = interaction, api
        self.state = State.NOTHING
        self._until = asyncio.get_running_loop().time() + ANSWER_WITHIN
        self.gone = False
        """Discord takes no answer any more."""

    # What was done, and where

    @property
    def id(self) -> str:
        """Names this interaction, so that what comes twice is done once."""
        return str(self.interaction.id)

    @property
    def message_id(self) -> str:
        """The message it was done on; empty for a command."""
        message = self.interaction.message
        return str(message.id) if message is not None else ""

    @property
    def own(self) -> bool:
        """See the class."""
        message = self.interaction.message
        return message is not None and message.flags.ephemeral

    @property
    def is_layout(self) -> bool:
        """Whether that message is a layout, which it stays for ever."""
        message = self.interaction.message
        return message is not None and message.flags.components_v2

    @property
    def components(self) -> list[Component]:
        """That message's."""
        message = self.interaction.message
        return [dict(one.to_dict()) for one in message.components] if message is not None else []

    @property
    def embeds(self) -> list[Mapping[str, Any]]:
        """That message's."""
        message = self.interaction.message
        return [one.to_dict() for one in message.embeds] if message is not None else []

    # Answering

    async def wait(self, work: "asyncio.Future[T]") -> T:
        """What that gives. If all that is waited for takes long, Discord is told that there will be something."""
        left = self._until - asyncio.get_running_loop().time()
        done, _ = await asyncio.wait({work}, timeout=max(0.0, left))
        if not done:
            await self.defer()
        return await work

    async def defer(self) -> None:
        """There will be something, or nothing to be said."""
        if self.state is not State.NOTHING:
            return
        if self.interaction.message is not None:
            await self._call_back(LATER, None, State.LATER)
        else:
            await self._call_back(THINK, {"flags": EPHEMERAL}, State.THINKING)

    async def say(self, components: Sequence[Component]) -> None:
        """A message of its own, to this person only."""
        await self.send(layout(components))

    async def send(self, payload: Payload) -> None:
        """The same with a message that is no layout."""
        body = payload | {"allowed_mentions": NO_PINGS}
        if self.state is State.NOTHING:
            await self._call_back(MESSAGE, body, State.ANSWERED)
        elif self.state is State.THINKING:
            await self._edit(body)
        else:
            await self._follow(body)

    async def replace(self, payload: Payload) -> None:
        """In the place of what it was done on (of the same kind: a layout stays one), or of what says that it takes
        a moment."""
        body = payload | {"allowed_mentions": NO_PINGS}
        if self.state is State.NOTHING and self.interaction.message is not None:
            await self._call_back(UPDATE, body, State.ANSWERED)
        elif self.state is State.NOTHING:
            await self._call_back(MESSAGE, body, State.ANSWERED)
        else:
            await self._edit(body)

    async def nothing(self) -> None:
        """Nothing needs to be said: what was done shows."""
        if self.state is State.NOTHING:
            await self.defer()

    async def open(self, modal: Payload) -> None:
        """A form; only as the first answer."""
        await self._call_back(MODAL, modal, State.ANSWERED)

    async def choices(self, choices: Sequence[Payload]) -> None:
        """What may be meant, while somebody types."""
        await self._call_back(CHOICES, {"choices": list(choices)}, State.ANSWERED)

    # Calls

    async def _call_back(self, kind: int, data: Payload | None, then: State) -> None:
        body: Payload = {"type": kind} | ({"data": data} if data is not None else {})
        path = "/interactions/{interaction_id}/{interaction_token}/callback"
        named = {"interaction_id": self.id, "interaction_token": self.interaction.token}
        if await self._call("POST", path, body, **named):
            self.state = then

    async def _edit(self, body: Payload) -> None:
        path = "/webhooks/{application_id}/{interaction_token}/messages/@original"
        fresh = {key: value for key, value in body.items() if key != "flags"}
        fresh["flags"] = int(body.get("flags") or 0) & LAYOUT
        if await self._call("PATCH", path, fresh, **self._webhook):
            self.state = State.ANSWERED

    async def _follow(self, body: Payload) -> None:
        path = "/webhooks/{application_id}/{interaction_token}"
        if await self._call("POST", path, body, **self._webhook):
            self.state = State.ANSWERED

    @property
    def _webhook(self) -> dict[str, str]:
        return {
            "application_id": str(self.interaction.application_id),
            "interaction_token": self.interaction.token,
        }

    async def _call(self, method: str, path: str, body: Payload, **named: Any) -> bool:
        """Whether Discord took it. It is never done again: the one who waits acts again."""
        if self.gone:
            return False
        try:
            await self._api.call(method, path, json=body, repeatable=True, timeout=CALL_TIMEOUT, **named)
        except DeliveryFault as fault:
            self.gone = self.state is State.NOTHING
            log.warning("discord: an interaction could not be answered", extra={"reason": fault.reason})
            return False
        return True


def layout(components: Sequence[Component]) -> Payload:
    """Components as a message for one person."""
    return {"components": list(components), "flags": LAYOUT | EPHEMERAL}
