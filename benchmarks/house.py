"""Baton in a process of its own against a fake Slack in this one, with stores, channels and claimed cases."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.load import Thread
from benchmarks.processes import BenchFailed, Process, free_port, running
from benchmarks.wire import Wire, request
from tests.fakes.slack import FakeSlack

ADMIN_TOKEN = "bench-admin-token"
SECRET = "s" * 32
Json = dict[str, Any]


@dataclass
class House:
    """A store per channel, an operator in each, and one Baton, or several on one database."""

    slack: FakeSlack
    folder: Path
    database: str
    channels: list[str]
    operators: list[str]
    limits: bool
    over_http: bool = False
    with_slack: bool = True
    batons: list[Process] = field(default_factory=list)

    @property
    def baton(self) -> Process:
        return self.batons[0]

    @property
    def ready_after(self) -> float:
        """Seconds from spawning the first Baton until it was ready."""
        return self.baton.ready_at - self.baton.spawned_at

    def environment(self, port: int) -> dict[str, str]:
        """Of one Baton."""
        own = common_environment(self.folder, self.database, port, len(self.channels))
        if not self.with_slack:
            return own
        way_in = "SLACK_SIGNING_SECRET" if self.over_http else "SLACK_APP_TOKEN"
        return own | {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_LIMITS": "on" if self.limits else "off",
            way_in: self.slack.signing_secret if self.over_http else self.slack.app_token,
        }

    def write_policy(self) -> None:
        """One store and one team per channel."""
        write_policy(self.folder, self.channels if self.with_slack else [""] * len(self.channels))

    def require_alive(self) -> None:
        """`BenchFailed` if a Baton has ended, or its log says that something broke."""
        require_alive(self.batons)


class Served(Protocol):
    """A house, whatever its teams' chat is."""

    channels: list[str]

    @property
    def baton(self) -> Process: ...
    def require_alive(self) -> None: ...


def common_environment(folder: Path, database: str, port: int, stores: int) -> dict[str, str]:
    """Of one Baton, without its chat."""
    return {
        "BATON_DATABASE_URL": database,
        "BATON_CONFIG": str(folder / "baton.toml"),
        "BATON_SECRET": SECRET,
        "BATON_ADMIN_TOKEN": ADMIN_TOKEN,
        "BATON_PORT": str(port),
        **{f"BATON_API_KEY_S{index}": api_key(index) for index in range(stores)},
    }


def write_policy(folder: Path, channels: Sequence[str]) -> None:
    """One store and one team for each channel; an empty one is the console's."""
    parts = []
    for index, channel in enumerate(channels):
        parts.append(f'[stores.s{index}]\nteam = "t{index}"\n')
        place = f'channel = "{channel}"\nmentions = "none"\n' if channel else ""
        parts.append(f"[teams.t{index}]\n{place}")
    (folder / "baton.toml").write_text("\n".join(parts))


def require_alive(batons: Sequence[Process]) -> None:
    """`BenchFailed` if one has ended, or its log says that something broke."""
    for process in batons:
        process.require_alive()
        complaints = process.complaints()
        if complaints:
            raise BenchFailed(f"{process.name} logged {len(complaints)} faults; the first: {complaints[0]}")


@dataclass(frozen=True)
class Case:
    """One conversation, as its store and its shopper know it."""

    name: str
    store: int
    number: int
    token: str

    def stream(self) -> bytes:
        """The request that opens its stream."""
        return request("GET", "/widget/v1/stream", b"", self.token)


def api_key(store: int) -> str:
    """The key of that store's backend."""
    return f"bench-key-{store}"


@asynccontextmanager
async def slack_with(channels: int) -> AsyncIterator[tuple[FakeSlack, list[str], list[str]]]:
    """A workspace with so many channels and an operator in each: the fake, their channels' ids, their own."""
    async with FakeSlack() as slack:
        ids = [slack.add_channel(f"support-{index}") for index in range(channels)]
        operators = [slack.add_user(f"operator-{index}") for index in range(channels)]
        for channel, operator in zip(ids, operators, strict=True):
            slack.world.channels[channel].members.append(operator)
        yield slack, ids, operators


@asynccontextmanager
async def house(
    folder: Path,
    name: str,
    *,
    channels: int,
    database: str = "",
    limits: bool = True,
    over_http: bool = False,
    replicas: int = 1,
    enforce: bool = False,
    with_slack: bool = True,
) -> AsyncIterator[House]:
    """`limits`: Baton keeps inside Slack's; `enforce`: the fake does. Without `database` a fresh SQLite file;
    without Slack the teams answer in the console."""
    folder = folder / name
    folder.mkdir()
    async with AsyncExitStack() as stack:
        slack, ids, operators = await stack.enter_async_context(slack_with(channels))
        slack.enforce_limits = enforce
        database = database or f"sqlite:///{folder / 'baton.db'}"
        made = House(slack, folder, database, ids, operators, limits, over_http, with_slack)
        made.write_policy()
        for index in range(replicas):
            port = free_port()
            process = await stack.enter_async_context(
                running(f"{name}-{index}", ["-m", "bot", "run"], port, folder, made.environment(port))
            )
            made.batons.append(process)
        if over_http:
            slack.deliver_to(f"{made.baton.url}/slack/events")
        elif with_slack:
            await slack.connected(replicas)
        yield made


def escalation(name: str, turns: int = 1) -> Json:
    """As a store's assistant sends it; `turns` is the length of the transcript."""
    said = [
        ("shopper", "The lamp from order #4521 came in two pieces, and nobody answers my mails."),
        ("assistant", "I'm sorry to hear that. I can offer you **store credit** for it."),
        ("shopper", "No thanks. I want to talk to a person, please."),
    ]
    return {
        "conversation_id": name,
        "channel": "chat",
        "shopper": {"id": f"shopper-{name}", "name": "Sarah K.", "email": "sarah@example.com", "tier": "vip",
                    "orders_count": 3, "lifetime_value": 840.5, "currency": "USD"},
        "reason": {"trigger": "keyword", "rule": "refund", "detail": "I want to talk to a person"},
        "category": "refund",
        "priority": "normal",
        "summary": {"issue": f"Broken lamp ({name})", "tried": ["Verified the order", "Offered store credit"],
                    "sentiment": "frustrated", "suggested_action": "Approve the refund"},
        "collected": {"order_id": "4521"},
        "transcript": [
            {"id": f"m{index}", "author": said[index % 3][0], "text": said[index % 3][1]} for index in range(turns)
        ],
    }  # fmt: skip


async def ask(wire: Wire, path: str, body: Json, token: str, wanted: int = 200) -> Json:
    """POST, again while Baton is busy; `BenchFailed` for any other status."""
    status, answer = await wire.post(path, body, token)
    while status == 503 and wanted != 503:
        await asyncio.sleep(0.2)
        status, answer = await wire.post(path, body, token)
    if status != wanted:
        raise BenchFailed(f"POST {path} was answered with {status}: {answer[:300]!r}")
    return dict(json.loads(answer))


async def escalated(house: Served, names: Sequence[str], port: int = 0) -> list[Case]:
    """Escalate these in turn, round the stores, and get a widget token for each."""
    wire = await Wire.connect(port or house.baton.port)
    cases = []
    try:
        for index, name in enumerate(names):
            store = index % len(house.channels)
            view = await ask(wire, "/v1/escalations", escalation(name), api_key(store), 202)
            shopper = {"shopper": {"id": f"shopper-{name}"}, "conversation_id": name}
            token = await ask(wire, "/v1/widget-tokens", shopper, api_key(store))
            cases.append(Case(name, store, int(view["number"]), str(token["token"])))
    finally:
        wire.close()
    return cases


async def roots_of(house: House, cases: Sequence[Case], timeout: float = 60.0) -> dict[str, str]:
    """The threads' roots by the cases' names, once all of them stand with their transcripts."""

    def complete() -> Mapping[str, str] | None:
        found: dict[str, str] = {}
        answered: set[str] = set()
        for channel in house.channels:
            for message in house.slack.messages(channel):
                if message.is_reply:
                    answered.add(message.thread_ts or "")
                elif message.bot_id:
                    named = re.search(r"Broken lamp \((\S+)\)", house.slack.text_of(message))
                    if named:
                        found[named[1]] = message.ts
        return found if len(found) == len(cases) and answered >= set(found.values()) else None

    async with asyncio.timeout(timeout):
        while (found := complete()) is None:  # noqa: ASYNC110 - looking costs more than a tenth of a second's wait
            await asyncio.sleep(0.1)
    return dict(found)


async def claimed(house: House, cases: Sequence[Case]) -> dict[str, str]:
    """Wait for the threads, and let each channel's operator claim theirs; the answer is the roots by name. Returns
    once Baton has read every thread once, as it does after opening one: until then its events would wait."""
    roots = await roots_of(house, cases)
    for case in cases:
        channel, operator = house.channels[case.store], house.operators[case.store]
        delivery = await house.slack.click(operator, channel, roots[case.name], "baton:claim")
        await house.slack.wait_for(lambda delivery=delivery: delivery.done)  # type: ignore[misc]
        if not delivery.acked:
            raise BenchFailed(f"The click that claims {case.name} was not acknowledged.")
    await house.slack.wait_for(lambda: len(house.slack.calls_to("conversations.replies")) >= len(cases), 60)
    return roots


async def answered_threads(house: House, amount: int) -> list[Thread]:
    """So many claimed cases with their shoppers' streams, which are spread over the replicas."""
    cases = await escalated(house, [f"case-{index:04}" for index in range(amount)])
    roots = await claimed(house, cases)
    return [
        Thread(
            house.channels[case.store],
            roots[case.name],
            house.operators[case.store],
            case.stream(),
            house.batons[index % len(house.batons)].port,
        )
        for index, case in enumerate(cases)
    ]
