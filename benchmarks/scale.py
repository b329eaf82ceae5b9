"""Claim, append and the queue's first page with few and with many conversations in the database (SQLite).

Both databases hold the same live cases; what differs is the past, which is what grows in a store's life.
"""

import asyncio
import json
import shutil
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import median
from benchmarks.house import ADMIN_TOKEN, Case, House, api_key, escalated, house
from benchmarks.load import undisturbed
from benchmarks.processes import BenchFailed, calm
from benchmarks.seed import multiply, write_template
from benchmarks.wire import Wire, request

QUEUE = "/console/api/conversations"


@dataclass(frozen=True)
class Plan:
    """Conversations in the small and the large database, rounds, and how often each is asked in a round."""

    small: int
    large: int
    rounds: int
    claims: int
    appends: int
    pages: int


@dataclass
class Times:
    """Milliseconds of each request, from the client's side."""

    claim: list[float] = field(default_factory=list)
    append: list[float] = field(default_factory=list)
    queue: list[float] = field(default_factory=list)

    def p50(self) -> dict[str, float]:
        """Medians."""
        return {"claim": median(self.claim), "append": median(self.append), "queue": median(self.queue)}


async def measure(folder: Path, plan: Plan) -> tuple[Times, Times]:
    """The small database's times and the large one's; both are asked in turn."""
    template = folder / "template.db"
    async with house(folder, "template", channels=1, with_slack=False) as first:
        await write_template(first)
    shutil.copy(first.folder / "baton.db", template)
    found = []
    async with AsyncExitStack() as stack:
        subjects = []
        for name, amount in (("small", plan.small), ("large", plan.large)):
            database = folder / f"{name}.db"
            shutil.copy(template, database)
            await asyncio.to_thread(multiply, database, amount)
            ours = await stack.enter_async_context(
                house(folder, name, channels=1, with_slack=False, database=f"sqlite:///{database}")
            )
            live = await escalated(ours, [f"live-{index:04}" for index in range(plan.rounds * plan.claims)])
            subjects.append(_Subject(ours, live, await Wire.connect(ours.baton.port)))
            found.append(Times())
        for _ in range(plan.rounds):
            for subject, times in zip(subjects, found, strict=True):
                await calm([one.house.baton for one in subjects])
                await subject.round(plan, times)
        for subject in subjects:
            subject.wire.close()
            subject.house.require_alive()
    small, large = found
    return small, large


@dataclass
class _Subject:
    house: House
    live: list[Case]
    wire: Wire
    claimed: int = 0
    appended: int = 0

    async def round(self, plan: Plan, times: Times) -> None:
        """Some claims, appends and pages, one after the other."""
        with undisturbed():
            for _ in range(plan.claims):
                case = self.live[self.claimed]
                self.claimed += 1
                body = {"operator": "Olga Lind"}
                times.claim.append(await self._ask("POST", f"{QUEUE}/{case.number}/claim", body, ADMIN_TOKEN))
            for _ in range(plan.appends):
                case = self.live[self.appended % len(self.live)]
                self.appended += 1
                said = {"id": f"a{self.appended}", "author": "shopper", "text": "Is there any news?",
                        "shopper": {"id": f"shopper-{case.name}"}}  # fmt: skip
                path = f"/v1/conversations/{case.name}/messages"
                times.append.append(await self._ask("POST", path, said, api_key(0)))
            for _ in range(plan.pages):
                times.queue.append(await self._ask("GET", QUEUE, None, ADMIN_TOKEN))

    async def _ask(self, method: str, path: str, body: object, token: str) -> float:
        whole = request(method, path, b"" if body is None else json.dumps(body).encode(), token)
        began = time.perf_counter()
        status, answer = await self.wire.send(whole)
        took = (time.perf_counter() - began) * 1000
        if status != 200:
            raise BenchFailed(f"{method} {path} was answered with {status}: {answer[:200]!r}")
        return took
