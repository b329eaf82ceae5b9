"""Discord, the real adapter with the real discord.py, and a core that answers as it is told to."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.discord.app import DiscordAdapter
from bot.commands import HoldLease, Keep
from bot.forms import Option
from bot.people import Actor
from bot.posts import Action, Button, Card, Place
from bot.settings import Discord, TeamPolicy, Timing
from bot.suggestions import Sought
from tests.adapters.slack.answering import FakeDesk, FakeWakeup
from tests.fakes.discord import FakeDiscord, Interaction, Message

MENU = tuple(
    Button(action, f"{action}…", "7")
    for action in (Action.ASSIGN, Action.NOTE, Action.TAG, Action.SAVED_REPLY)
)
CARD = Card(
    7, "Refund", "Waiting", "waiting", None,
    buttons=(Button(Action.CLAIM, "Claim", "7"),),
    menu=(Button(Action.STEP_IN, "Take over", "7", confirm="Bob has it. Take it over?"), *MENU),
)  # fmt: skip


class CounterBus:
    """Takes commands. Leases are given, what is kept is kept; `failures` are raised first, one per call."""

    def __init__(self) -> None:
        self.submitted: list[Any] = []
        self.failures: list[Exception] = []
        self.kept: dict[str, str] = {}
        self.leases: dict[str, str] = {}
        self.answer: Any = None
        self.gate = asyncio.Event()
        self.gate.set()

    def arrive(self, lane: str, order: str, command: Any, **_: Any) -> Any:
        return self.submit(command)

    async def submit(self, command: Any) -> Any:
        if isinstance(command, HoldLease):
            return self.leases.setdefault(command.name, command.holder) == command.holder
        if isinstance(command, Keep):
            if command.value is not None and self.kept.get(command.name, "") == command.instead_of:
                self.kept[command.name] = command.value
            return self.kept.get(command.name, "")
        if self.failures:
            raise self.failures.pop(0)
        await self.gate.wait()
        self.submitted.append(command)
        return self.answer

    def commands(self, kind: type) -> list[Any]:
        return [command for command in self.submitted if isinstance(command, kind)]


class CounterDesk(FakeDesk):
    """Knows which case a thread is of, and suggests what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.case: int | None = 7
        self.sought: list[tuple[Sought, str, int | None]] = []
        self.options: Sequence[Option] = (Option("7", "#7 · Sarah K.", "Refund"),)

    async def case_at(self, place: Place) -> int | None:
        return self.case

    async def suggest(
        self, sought: Sought, typed: str, actor: Actor, number: int | None = None
    ) -> Sequence[Option]:
        await self._pass()
        self.sought.append((sought, typed, number))
        return self.options


class Counter:
    """A guild, the adapter connected to it, a case's card, and Anna, who answers shoppers."""

    def __init__(self, discord: FakeDiscord) -> None:
        self.discord = discord
        self.bus, self.desk, self.wakeup = CounterBus(), CounterDesk(), FakeWakeup()
        self.anna, self.lea = discord.add_user("anna", nick="Anna Berg"), discord.add_user("lea", lead=True)
        self.room = discord.add_channel("support")
        self.team = TeamPolicy("support", "discord", self.room)
        settings = Discord(discord.token, discord.guild_id, discord.api_url, discord.gateway_url)
        timing = replace(Timing(), call_timeout=3.0)
        self.adapter = DiscordAdapter(settings, timing, [self.team])
        self.card: Message

    async def listen(self) -> None:
        """Start the adapter, and wait until its commands are there."""

        async def caught_up() -> None:
            """Nothing was missed."""

        await self.adapter.start(self.bus, self.desk, self.wakeup, caught_up)
        await self.discord.connected()
        await self.discord.wait_for(lambda: self.discord.commands)

    async def start(self) -> None:
        await self.listen()
        posted = await self.adapter.chat.open_thread(self.room, CARD, "d-0")
        self.card = self.discord.message(self.room, posted.remote_id)

    async def stop(self) -> None:
        await self.adapter.stop()

    async def restart(self) -> None:
        """A deployment: the same guild, a new process."""
        await self.stop()
        self.bus.leases.clear()
        self.adapter = DiscordAdapter(self.adapter._settings, self.adapter._timing, [self.team])
        await self.listen()

    async def click(self, name: str, message: Message | None = None, user: str = "") -> Interaction:
        """Press a button, and see what comes of it."""
        shown = message or self.card
        one = await self.discord.click(user or self.anna, shown.channel_id, shown.id, name)
        return await one.outcome()

    async def choose(self, entry: str, message: Message | None = None, user: str = "") -> Interaction:
        """Choose an entry of the card's menu (or of the select of another message that has it)."""
        shown = message or self.card
        selects = self.discord.rendered(shown).selects
        name = next(one.custom_id for one in selects if entry in one.values)
        one = await self.discord.choose(user or self.anna, shown.channel_id, shown.id, name, [entry])
        return await one.outcome()

    async def type(self, command: str, /, user: str = "", channel: str = "", **options: Any) -> Interaction:
        """`/handoff` and its answer."""
        one = await self.discord.command(
            user or self.anna, channel or self.room, f"handoff {command}", **options
        )
        return await one.outcome()

    async def fill(self, opened: Interaction, **values: Any) -> Interaction:
        """Send the form that something opened."""
        assert opened.modal is not None, opened.text
        one = await self.discord.submit(opened.user, opened.modal, values)
        return await one.outcome()
