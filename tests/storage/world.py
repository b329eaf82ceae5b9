"""The core without adapters: the real writer, handlers and courier on SQLite, a chat in memory, a manual clock."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from bot import commands
from bot.commands import Advance, Escalate, SaidTurn, ShopperFacts, Window
from bot.conversation import Conversation
from bot.courier import Courier
from bot.delivering import Delivering
from bot.entries import Audience, Entry, Reader
from bot.errors import DeliveryFault
from bot.handlers import HANDLERS
from bot.hours import Hours
from bot.lanes import Binding, Delivery, DeliveryState, Lane
from bot.people import Actor, Role
from bot.ports import UnitOfWork
from bot.posts import Heard, Place
from bot.settings import DEFAULT_TRIGGERS, Settings, StorePolicy, TeamPolicy
from storage.engine import reading_engine, writing_engine
from storage.reads import Reads
from storage.writer import Writer
from tests.fakes.chat import FakeChat

T = TypeVar("T")

START = 1_790_000_000.0  # Monday 2026-09-21 14:13:20 UTC
ANNA = Actor("fake", "U-anna", "Anna Berg")
BEN = Actor("fake", "U-ben", "Ben Cho")
LEA = Actor("fake", "U-lea", "Lea Lind", Role.LEAD)
GUEST = Actor("fake", "U-guest", "Gus Guest", Role.NONE)


@dataclass
class ManualClock:
    now: float = START

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def make_settings(
    url: str, *, relay: str = "owner", hours: Hours | None = None, webhook: str = "", **rest: Any
) -> Settings:
    """One store `main`, one team `support` on the chat in memory. A busy machine makes nobody come back later."""
    rest.setdefault("queue_seconds", 30.0)
    store = StorePolicy("main", "key", brand="Shop", public_key="main", webhook_url=webhook)
    team = TeamPolicy("support", "fake", "C1", relay=relay, hours=hours or Hours())
    return Settings(
        database_url=url,
        host="127.0.0.1",
        port=0,
        public_url="http://127.0.0.1",
        secret="s",
        admin_token="a",
        stores={"main": store},
        teams={"support": team},
        triggers=DEFAULT_TRIGGERS,
        **rest,
    )


@dataclass
class FakeWebhook:
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)
    troubles: list[DeliveryFault | None] = field(default_factory=list)

    async def send(self, store: str, delivery_id: str, body: bytes, at: float) -> None:
        self.sent.append((store, delivery_id, body))
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble


class World:
    """Everything a test of the core touches, and short names for what happens most."""

    def __init__(self, settings: Settings, clock: ManualClock, chat: FakeChat):
        self.settings, self.clock, self.chat = settings, clock, chat
        self.webhook = FakeWebhook()
        self.engine = writing_engine(settings.database_url)
        self.read_engine = reading_engine(settings.database_url)
        self.reads = Reads(self.read_engine, settings, clock, threads=1)
        handlers = {**HANDLERS, Advance: Delivering({chat.platform: chat}).advance}
        self.writer = Writer(self.engine, settings, handlers, clock)
        self.courier = self.new_courier()
        self._ids = 0
        self._hushed = False

    def new_courier(self) -> Courier:
        return Courier(
            self.settings, _Bus(self.writer), self.reads, self.writer, self.clock,
            {self.chat.platform: self.chat}, self.webhook,
        )  # fmt: skip

    def start(self) -> None:
        self.writer.start()

    async def hush(self) -> None:
        """No courier from now on: the test makes its own calls."""
        self._hushed = True
        await self.courier.stop()

    async def stop(self) -> None:
        if not self._hushed:
            await self.courier.stop()
        await self.writer.stop()
        self.reads.close()
        self.engine.dispose()
        self.read_engine.dispose()

    async def settle(self, seconds: float = 0.0) -> None:
        """Let `seconds` pass, then let the courier do all that is owed by now."""
        self.clock.advance(seconds)
        for _ in range(300):
            await asyncio.sleep(0)
            running = list(self.courier._running.values())
            if running:
                await asyncio.wait(running)
                continue
            due = await self.reads(lambda uow: uow.lanes.due(self.clock(), 500))
            if not due:
                return
            for key in due:
                self.courier._work(key)
        raise AssertionError("the courier never comes to rest")

    # --- what happens -----------------------------------------------------------------------------------------

    async def submit(self, command: Any) -> Any:
        return await self.writer.submit(command)

    async def escalate(self, conversation_id: str = "c-1", *said: str, **rest: Any) -> int:
        """The store hands over; `said` are the shopper's words. The answer is the case number."""
        turns = tuple(
            SaidTurn("shopper", text, f"t{index}") for index, text in enumerate(said or ("My lamp broke",))
        )
        rest.setdefault("shopper", ShopperFacts("s-1", "Sarah"))
        rest.setdefault("transcript", turns)
        answer = await self.submit(Escalate("main", conversation_id, rest.pop("fingerprint", "f"), **rest))
        return int(answer["number"])

    def window(self, conversation_id: str = "c-1", shopper: str = "s-1") -> Window:
        return Window("main", shopper, conversation_id)

    async def writes(
        self, text: str, message_id: str | None = None, window: Window | None = None
    ) -> dict[str, Any]:
        """The shopper types into the widget."""
        return await self.submit(
            commands.ShopperWrites(window or self.window(), message_id or self._next("w"), text)
        )

    async def claimed(self, *said: str) -> int:
        """A case that Anna owns, its thread standing."""
        number = await self.escalate("c-1", *said)
        await self.submit(commands.Claim(number, ANNA))
        await self.settle()
        return number

    def heard(self, text: str, message_id: str, actor: Actor = ANNA, **rest: Any) -> Heard:
        rest.setdefault("order", message_id)
        return Heard(message_id, author_id=actor.id, text=text, at=self.clock(), **rest)

    async def says(
        self, number: int, text: str, message_id: str | None = None, actor: Actor = ANNA, **rest: Any
    ) -> Any:
        """Somebody writes in the case's thread."""
        heard = self.heard(text, message_id or self._next("m"), actor, **rest)
        return await self.submit(commands.ThreadMessage(await self.place(number), heard, actor))

    async def edits(
        self, number: int, text: str, message_id: str, order: str, actor: Actor = ANNA, **rest: Any
    ) -> Any:
        heard = self.heard(text, message_id, actor, edited_order=order, **rest)
        return await self.submit(commands.ThreadEdit(await self.place(number), heard, actor))

    async def deletes(self, number: int, message_id: str) -> Any:
        return await self.submit(commands.ThreadDelete(await self.place(number), message_id, message_id))

    def _next(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}{self._ids:04d}"

    # --- what stands ------------------------------------------------------------------------------------------

    async def read(self, look: Callable[[UnitOfWork], T]) -> T:
        return await self.reads(look)

    async def case(self, number: int) -> Conversation:
        found = await self.reads(lambda uow: uow.conversations.get(number))
        assert found is not None
        return found

    async def log(self, number: int) -> list[Entry]:
        return list(await self.reads(lambda uow: uow.log.after(number, 0)))

    async def kinds(self, number: int) -> list[str]:
        return [str(entry.kind) for entry in await self.log(number)]

    async def codes(self, number: int) -> list[str]:
        """The notices the shopper got."""
        return [entry.data["code"] for entry in await self.log(number) if entry.kind == "notice"]

    async def to_shopper(self, number: int) -> list[str]:
        """What a shopper's fresh window shows of people's messages."""
        return [
            entry.text
            for entry in await self.log(number)
            if entry.kind == "message" and entry.audience is Audience.SHOPPER and not entry.deleted
        ]

    async def lane(self, number: int, reader: Reader) -> Lane:
        found = await self.reads(lambda uow: uow.lanes.lane(number, reader))
        assert found is not None
        return found

    async def binding(self, number: int) -> Binding:
        found = await self.reads(lambda uow: uow.lanes.latest_binding(number))
        assert found is not None
        return found

    async def place(self, number: int) -> Place:
        binding = await self.binding(number)
        return Place(binding.platform, binding.channel, binding.root)

    async def thread(self, number: int) -> list[str]:
        """What people read in the case's newest thread."""
        return self.chat.shown((await self.binding(number)).root)

    async def dead(self) -> list[Delivery]:
        return list(await self.reads(lambda uow: uow.lanes.dead()))

    async def outstanding(self, number: int, reader: Reader) -> list[DeliveryState]:
        found = await self.reads(lambda uow: uow.lanes.outstanding(number, reader))
        return [delivery.state for delivery in found]

    async def due_rows(self) -> dict[str, float]:
        found = await self.reads(lambda uow: uow.due.ripe(float("inf"), 100))
        return {kind: due_at - self.clock() for kind, _, due_at in found}


class _Bus:
    def __init__(self, writer: Writer):
        self._writer = writer

    async def submit(self, command: Any) -> Any:
        return await self._writer.submit(command)

    async def arrive(self, lane: str, order: str, command: Any, **_: Any) -> Any:
        return await self._writer.submit(command)


def with_team(settings: Settings, **changes: Any) -> Settings:
    """The same with another team policy."""
    return replace(settings, teams={"support": replace(settings.teams["support"], **changes)})
