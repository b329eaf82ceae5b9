"""A core that remembers what was submitted and holds logs in memory."""

import asyncio
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

from bot.conversation import Conversation, Stage
from bot.entries import Audience, Author, Entry, Kind
from bot.people import Operator, Shopper
from bot.settings import Settings, StorePolicy, TeamPolicy, Timing

KEY = "key-main"
OTHER_KEY = "key-other"
PAGE_ORIGIN = "https://shop.example"


def settings(**changes: Any) -> Settings:
    """Two stores with a key each; the server on loopback."""
    stores = {
        "main": StorePolicy("main", KEY, "Main", "pk-main", (PAGE_ORIGIN,)),
        "other": StorePolicy("other", OTHER_KEY, "Other", "pk-other", ("https://other.example",)),
    }
    made = Settings(
        database_url="sqlite:///unused.db", host="127.0.0.1", port=0, public_url="http://127.0.0.1", secret="s3cret",
        admin_token="admin", stores=stores, teams={"support": TeamPolicy("support", "console", "console")},
        triggers=(), timing=Timing(stream_ping=1.0),
    )  # fmt: skip
    return replace(made, **changes)


@dataclass
class StubChanges:
    appended: dict[int, list[Entry]] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    lanes: set[Any] = field(default_factory=set)
    typing: list[tuple[int, str, str | None]] = field(default_factory=list)


class StubCore:
    """Bus, Reads, Wakeup, Clock and the unit of work in one."""

    def __init__(self, of: Settings):
        self.settings = of
        self.now = 1_800_000_000.0
        self.submitted: list[Any] = []
        self.answers: dict[str, Any] = {}
        self.subscribers: list[Callable[[Any], None]] = []
        self.reads_made = 0
        self.before_read_answers: Callable[[], None] | None = None
        self.all: dict[int, Conversation] = {}
        self.shoppers: dict[int, Shopper] = {}
        self.logs: dict[int, list[Entry]] = {}
        self.operators: dict[int, Operator] = {}
        # the unit of work's parts
        self.conversations = self.people = self.log = self

    # --- Bus, Reads, Wakeup, Clock

    async def submit(self, command: Any) -> Any:
        self.submitted.append(command)
        answer = self.answers.get(type(command).__name__)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def arrive(self, lane: str, order: str, command: Any, **_: Any) -> Any:
        raise AssertionError("the storefront has no ordered source")

    async def read(self, read: Callable[[Any], Any]) -> Any:
        self.reads_made += 1
        await asyncio.sleep(0)
        answer = read(self)
        hook, self.before_read_answers = self.before_read_answers, None
        if hook is not None:
            hook()
        await asyncio.sleep(0)
        return answer

    def subscribe(self, subscriber: Callable[[Any], None]) -> Callable[[], None]:
        self.subscribers.append(subscriber)
        return lambda: self.subscribers.remove(subscriber)

    def clock(self) -> float:
        return self.now

    def tell(self, changes: StubChanges) -> None:
        for subscriber in self.subscribers:
            subscriber(changes)

    # --- the unit of work

    def named(self, store: str, external_id: str) -> Conversation | None:
        return next((c for c in self.all.values() if (c.store, c.external_id) == (store, external_id)), None)

    def get(self, number: int) -> Conversation | None:
        return self.all.get(number)

    def page(self, **asked: Any) -> list[Conversation]:
        found = [c for c in self.all.values() if c.store == asked["store"]]
        for name in ("stage", "team", "owner_id"):
            if asked[name] is not None:
                found = [c for c in found if getattr(c, name) == asked[name]]
        found.sort(key=lambda c: (c.updated_at, c.number), reverse=True)
        if asked["before"]:
            found = [c for c in found if (c.updated_at, c.number) < asked["before"]]
        return found[: asked["limit"]]

    def waiting_before(self, conversation: Conversation) -> int:
        return sum(c.stage is Stage.WAITING and c.number < conversation.number for c in self.all.values())

    def recent_waits(self, team: str, limit: int = 20) -> list[float]:
        return [60.0]

    def some(self, numbers: Collection[int]) -> list[Conversation]:
        return [found for number in numbers if (found := self.get(number)) is not None]

    def load_shoppers(self, shopper_ids: Collection[int]) -> None:
        pass

    def at(self, positions: Collection[tuple[int, int]]) -> list[Entry]:
        return [
            entry
            for number, seq in sorted(positions)
            for entry in self.logs.get(number, ())
            if entry.seq == seq
        ]

    def shopper(self, shopper_id: int) -> Shopper | None:
        return self.shoppers.get(shopper_id)

    def operator(self, operator_id: int) -> Operator | None:
        return self.operators.get(operator_id)

    def team(self, team: str) -> list[Operator]:
        return list(self.operators.values())

    def entry(self, number: int, seq: int) -> Entry | None:
        return next((e for e in self.logs[number] if e.seq == seq), None)

    def after(
        self, number: int, seq: int, limit: int = 1000, through: int | None = None, shopper_only: bool = False
    ) -> list[Entry]:
        found = [e for e in self.logs[number] if e.seq > seq]
        if shopper_only:
            found = [e for e in found if e.audience is Audience.SHOPPER]
        return found[:limit]

    # --- what happens

    def begin(self, name: str = "c-1", shopper: str = "s-1", store: str = "main", tell: bool = True) -> int:
        number = len(self.all) + 1001
        self.shoppers[number] = Shopper(number, store, shopper, self.now)
        self.all[number] = Conversation(
            number, store, name, number, "chat", Stage.OPEN, "support", self.now, self.now + number
        )
        self.logs[number] = []
        if tell:
            self.tell(StubChanges(touched={number}))
        return number

    def say(self, number: int, text: str, tell: bool = True, remote: bool = False, **about: Any) -> Entry:
        return self.append(number, [{"text": text, **about}], tell=tell, remote=remote)[0]

    def append(
        self, number: int, drafts: list[dict[str, Any]], tell: bool = True, remote: bool = False
    ) -> list[Entry]:
        made = []
        for about in drafts:
            conversation = self.all[number]
            conversation.head += 1
            first = Entry(
                number, conversation.head, Kind.MESSAGE, Audience.SHOPPER, Author.ASSISTANT, None, None, "store",
                f"m{conversation.head}", None, self.now, self.now, False, 0, "", {},
            )  # fmt: skip
            made.append(replace(first, **about))
            self.logs[number].append(made[-1])
        if tell:
            self.tell(StubChanges({} if remote else {number: made}, {number}))
        return made

    def take_back(self, number: int, seq: int, tell: bool = True) -> None:
        self.logs[number] = [
            replace(e, text="", deleted=True) if e.seq == seq else e for e in self.logs[number]
        ]
        self.say(number, "", kind=Kind.DELETED, target=seq, tell=tell)


@dataclass
class Event:
    name: str
    id: str
    data: Any


class EventReader:
    """Server-sent events of a response, one by one; pings are counted."""

    def __init__(self, response: Any):
        self.response = response
        self.pings = 0

    async def next(self, name: str | None = None, timeout: float = 20.0) -> Event:
        async with asyncio.timeout(timeout):
            while True:
                event = await self._one()
                if event is not None and name in (None, event.name):
                    return event

    async def _one(self) -> Event | None:
        lines = []
        while True:
            raw = await self.response.content.readline()
            if raw == b"":
                raise EOFError("the stream ended")
            if raw == b"\n":
                break
            lines.append(raw.decode().rstrip("\n"))
        if lines == [": ping"]:
            self.pings += 1
            return None
        fields = dict(line.split(": ", 1) for line in lines)
        return Event(fields["event"], fields.get("id", ""), json.loads(fields["data"]))

    async def entries(self, count: int) -> list[dict[str, Any]]:
        return [(await self.next("entry")).data for _ in range(count)]
