"""A stand-in for core and storage behind the console: rows in lists, a bus that records what it was asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientResponse, ClientSession, web

from adapters.console import ConsoleAdapter
from bot import commands
from bot.conversation import Conversation, Move, Stage
from bot.entries import KINDS, Audience, Author, Entry, Kind
from bot.errors import AlreadyClaimed, Busy, Refused
from bot.people import Actor, Operator, Shopper
from bot.settings import Settings, StorePolicy, TeamPolicy

SECRET = "s" * 40
ADMIN = "admin-token-of-the-tests"
START = 1_790_000_000.0


def settings(**changes: Any) -> Settings:
    given = Settings(
        database_url="sqlite:///unused.db",
        host="127.0.0.1",
        port=8080,
        public_url="https://help.example",
        secret=SECRET,
        admin_token=ADMIN,
        stores={"main": StorePolicy("main", "key")},
        teams={"support": TeamPolicy("support", "console", "console")},
        triggers=(),
    )
    return replace(given, **changes)


class World:
    """Conversations, people and logs in memory; what `views` and the console read of a unit of work."""

    def __init__(self, given: Settings) -> None:
        self.settings = given
        self.now = START
        self.cases: dict[int, Conversation] = {}
        self.shoppers: dict[int, Shopper] = {}
        self.operators: dict[int, Operator] = {}
        self.entries: dict[int, list[Entry]] = {}
        self.seen: dict[int, int] = {}
        self.conversations = SimpleNamespace(
            get=self.cases.get,
            queue=lambda team=None, limit=100: self._queue(team)[:limit],
            page=self._page,
            stages=lambda: {str(s): sum(c.stage is s for c in self.cases.values()) for s in Stage},
            waiting_before=lambda case: [c for c in self._queue(None) if c.stage is Stage.WAITING].index(
                case
            ),
            recent_waits=lambda team: [60.0],
        )
        self.people = SimpleNamespace(
            shopper=self.shoppers.get,
            operator=self.operators.get,
            team=lambda team: list(self.operators.values()),
        )
        self.log = SimpleNamespace(
            last=lambda number, limit: self.entries[number][-limit:],
            entry=lambda number, seq: self.entries[number][seq - 1],
        )
        self.presence = SimpleNamespace(tabs=self._tabs)
        self.held = SimpleNamespace(of=lambda number: [])
        self.lanes = SimpleNamespace(
            lane=lambda number, reader: None, bindings=lambda number: [], undelivered=lambda number: ()
        )

    def _queue(self, team: str | None) -> list[Conversation]:
        cases = [c for c in self.cases.values() if c.in_persons_hands and team in (None, c.team)]
        return sorted(cases, key=lambda c: (c.priority != "high", c.waiting_since or 0, c.number))

    def _page(self, *, stage: Any, team: Any, before: Any, limit: int) -> list[Conversation]:
        cases = [c for c in self.cases.values() if stage in (None, c.stage) and team in (None, c.team)]
        cases.sort(key=lambda c: (c.updated_at, c.number), reverse=True)
        return [c for c in cases if before is None or (c.updated_at, c.number) < before][:limit]

    def _tabs(self, number: int) -> list[Any]:
        seen = self.seen.get(number)
        return (
            []
            if seen is None
            else [SimpleNamespace(at=self.now, seen=seen, delivered=999, hidden_since=None)]
        )

    def add_case(
        self, number: int, stage: Stage = Stage.WAITING, name: str = "Sarah K.", **facts: Any
    ) -> None:
        self.shoppers[number] = Shopper(
            number, "main", f"s-{number}", START, name=name, tier=facts.pop("tier", None)
        )
        waiting = self.now - 60 if stage is Stage.WAITING else None
        defaults: dict[str, Any] = {"waiting_since": waiting, "updated_at": self.now}
        self.cases[number] = Conversation(
            number, "main", f"c-{number}", number, "chat", stage, "support", START, **(defaults | facts)
        )
        self.entries[number] = []

    def say(self, number: int, author: Author, text: str, kind: Kind = Kind.MESSAGE, **more: Any) -> Entry:
        case = self.cases[number]
        case.head += 1
        case.updated_at = self.now
        if kind is Kind.MESSAGE and author is Author.SHOPPER:
            case.last_shopper_seq = case.head
        if kind is Kind.MESSAGE and author is Author.OPERATOR:
            case.last_answer_seq = case.head
        base: dict[str, Any] = {
            "operator_id": None, "name": None, "source": "", "external_id": None, "target": None, "at": self.now,
            "stored_at": self.now, "late": False, "handoff": 1, "data": {},
        }  # fmt: skip
        audience = KINDS[kind].audience or Audience.TEAM
        entry = Entry(number, case.head, kind, audience, author, text=text, **(base | more))
        self.entries[number].append(entry)
        return entry

    def operator(self, actor: Actor) -> Operator:
        for row in self.operators.values():
            if (row.platform, row.external_id) == (actor.platform, actor.id):
                return row
        row = Operator(
            len(self.operators) + 1, actor.platform, actor.id, actor.name, actor.first_name, actor.role
        )
        self.operators[row.id] = row
        return row


class Changed:
    """What a commit changed."""

    def __init__(self, *numbers: int, typing: list[tuple[int, str, str | None]] | None = None) -> None:
        self.appended: dict[int, list[Entry]] = {}
        self.touched = set(numbers)
        self.lanes: set[Any] = set()
        self.typing = typing or []


class Wakeup:
    def __init__(self) -> None:
        self.subscribers: list[Callable[[Any], None]] = []

    def subscribe(self, subscriber: Callable[[Any], None]) -> Callable[[], None]:
        self.subscribers.append(subscriber)
        return lambda: self.subscribers.remove(subscriber)

    def tell(self, changes: Any) -> None:
        for subscriber in list(self.subscribers):
            subscriber(changes)


class Bus:
    """Records commands; answers roughly as the core would. `refusal` is raised instead, once; not for what the console
    asks by itself."""

    def __init__(self, world: World, wakeup: Wakeup) -> None:
        self.asked: list[Any] = []
        self.refusal: Refused | Busy | None = None
        self._world = world
        self._wakeup = wakeup
        self._known: set[str] = set()

    async def submit(self, command: Any) -> Any:
        self.asked.append(command)
        if self.refusal and not isinstance(command, commands.TeamMembers):
            refusal, self.refusal = self.refusal, None
            raise refusal
        if isinstance(command, commands.TeamMembers):
            return None
        case = self._world.cases[command.number]
        self._run(command, case, self._world.operator(command.actor))
        self._wakeup.tell(Changed(case.number))
        return {"number": case.number, "whisper": None}

    def _run(self, command: Any, case: Conversation, operator: Operator) -> None:
        say = self._world.say
        match command:
            case commands.Claim():
                if case.stage is Stage.ACTIVE:
                    owner = self._world.operators[case.owner_id or 0]
                    raise AlreadyClaimed(f"{owner.name} claimed this just now.", owner=owner.name)
                case.make(Move.CLAIM)
                self._own(case, operator, Kind.CLAIMED, {})
            case commands.Assign():
                case.make(Move.ASSIGN)
                self._own(case, self._world.operator(command.to), Kind.ASSIGNED, {"by": operator.name})
            case commands.Release():
                case.make(Move.RELEASE)
                case.owner_id, case.waiting_since = None, self._world.now
                say(case.number, Author.OPERATOR, "", Kind.RELEASED, name=operator.name)
            case commands.HandBack():
                case.make(Move.HAND_BACK)
                say(case.number, Author.BATON, "", Kind.HANDED_BACK, name=operator.name)
            case commands.Resolve():
                case.make(Move.RESOLVE)
                say(case.number, Author.BATON, "", Kind.RESOLVED, name=operator.name)
            case commands.OperatorWrites():
                if command.id in self._known:
                    return
                self._known.add(command.id)
                leaves = case.owner_id == operator.id and not command.text.startswith(("note:", "//"))
                offer = {} if leaves else {"offer": "send" if case.owner_id == operator.id else "send_as_me"}
                say(case.number, Author.OPERATOR, command.text, Kind.MESSAGE if leaves else Kind.ASIDE,
                    name=operator.first_name, external_id=command.id, data=offer)  # fmt: skip
            case commands.SendAside():
                text = self._world.entries[case.number][command.seq - 1].text.removeprefix("note:").strip()
                say(case.number, Author.OPERATOR, text, name=operator.first_name, data={"aside": command.seq})

    def _own(self, case: Conversation, operator: Operator, kind: Kind, data: dict[str, Any]) -> None:
        case.owner_id, case.waiting_since = operator.id, None
        self._world.say(case.number, Author.OPERATOR, "", kind, name=operator.name, data=data)
        told = f"{operator.first_name} is here and has read your chat."
        self._world.say(case.number, Author.BATON, told, Kind.NOTICE, data={"code": "claimed"})

    async def arrive(self, lane: str, order: str, command: Any, **_: Any) -> Any:
        return await self.submit(command)


class Reads:
    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, read: Callable[[Any], Any]) -> Any:
        return read(self._world)


@web.middleware
async def errors(request: web.Request, handler: Any) -> Any:
    try:
        return await handler(request)
    except Refused as refused:
        error = {"code": refused.code, "message": refused.message, "field": refused.field}
        return web.json_response({"error": error}, status=refused.status)
    except Busy as busy:
        return web.json_response({"error": {"code": "busy", "message": str(busy)}}, status=503)


@dataclass
class Console:
    """The running console and what stands behind it."""

    adapter: ConsoleAdapter
    world: World
    bus: Bus
    wakeup: Wakeup
    http: ClientSession
    url: str

    async def call(
        self, method: str, path: str, body: Any = None, token: str | None = ADMIN, **headers: str
    ) -> tuple[int, Any]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        async with self.http.request(method, f"{self.url}{path}", json=body, headers=given) as answer:
            return answer.status, await answer.json()

    async def sign_in(self, name: str = "Maya Rao", token: str | None = ADMIN) -> str:
        status, answer = await self.call("POST", "/console/api/session", {"operator": name}, token)
        assert status == 200, answer
        return str(answer["token"])

    def asked(self, kind: type) -> list[Any]:
        return [command for command in self.bus.asked if isinstance(command, kind)]


Start = Callable[..., Awaitable[Console]]


async def text_until(answer: ClientResponse, wanted: str) -> str:
    """What a stream said up to and with `wanted`."""
    said = ""
    async for chunk in answer.content.iter_any():
        said += chunk.decode()
        if wanted in said:
            break
    return said
