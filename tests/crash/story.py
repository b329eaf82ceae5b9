"""One case from the first word to the resolve, told over real sockets by people who do what people do.

A store escalates with a transcript too long for one post; two operators press Claim at once; the winner writes three
quick replies and a note, while the shopper writes, too; the store's assistant talks out of turn; the winner resolves.
Nobody here knows that Baton is being killed: a button that showed an error is pressed again, a request without an
answer is sent again.
"""

import asyncio
import contextlib
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import aiohttp

from tests.crash.clients import Client, Hook, Widget
from tests.crash.databases import Database, File
from tests.crash.house import House, Replica, Zygote
from tests.crash.plans import Plan
from tests.crash.teams import TEAMS, Team

KEY, ADMIN = "store-key", "admin-token"
WORDS = {1: 12, 2: 1500, 3: 30, 4: 600, 5: 1, 6: 800}
"""How many words each line of the transcript has. A word is 8 characters: the second line fills a post and more."""
REPLIES, SAID = 3, 3
WORD = re.compile(r"\b([twra]\d+)w(\d+)\b")
LAST_FOR_SHOPPER = "SELECT max(seq) FROM entry WHERE audience = 'shopper'"
TIMEOUT = 60.0
TICK = 0.02


def speech(name: str, words: int = 3) -> str:
    """A text whose every word says whose it is and which, so that a lost, doubled or moved one shows."""
    return " ".join(f"{name}w{index:04d}" for index in range(words))


TRANSCRIPT = [
    {
        "id": f"t{number}",
        "author": "shopper" if number % 2 else "assistant",
        "text": speech(f"t{number}", words),
    }
    for number, words in WORDS.items()
]
MESSAGES = len(TRANSCRIPT) + SAID + REPLIES + 1
"""Said in one story: the transcript, the shopper, the operator, and the assistant once it may."""


class Story:
    """One telling. `faults` prepares the fake; `plan` is what befalls Baton; `remember` makes the database, by default
    a file."""

    def __init__(
        self,
        zygote: Zygote,
        folder: Path,
        number: int,
        plan: Plan,
        *,
        faults: Callable[[Any], None] = lambda _: None,
        hooked: bool = True,
        remember: Callable[[], Database] | None = None,
    ):
        folder.mkdir(parents=True)
        self._zygote, self._folder, self._number = zygote, folder, number
        self._remember = remember or (lambda: File(zygote.template, folder))
        self.plan = plan
        self.name = f"{plan}, seed {number}"
        self.team: Team = TEAMS[plan.chat](plan)
        faults(self.team.fake)
        self.hook = Hook() if hooked else None
        self.house: House
        self.client: Client
        self.widget: Widget
        self.presses = 0
        self.broken = ""

    async def tell(self, then: Callable[["Story"], Awaitable[Any]]) -> Any:
        """From the first word until nothing is owed to anybody; `then` looks at it while everything still runs."""
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self.team.fake)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            environment = self._environment(await self._hook_address(stack))
            database = await asyncio.to_thread(self._remember)
            stack.push_async_callback(asyncio.to_thread, database.drop)
            self.house = House(self._zygote, self._folder, self._number, environment, self.plan, database)
            stack.push_async_callback(self.house.stop)
            if self.plan.over_http:
                self.team.fake.deliver_to(*(f"{url}/slack/events" for url in self.house.urls))
            self.client = Client(session, self.house.urls, lambda: self.house.broken, stay=self.plan.stay)
            self.house.start()
            try:
                async with asyncio.timeout(TIMEOUT):
                    await self._everybody()
                    return await then(self)
            except TimeoutError as error:
                raise AssertionError(self._where_it_hangs(error)) from None

    async def _hook_address(self, stack: contextlib.AsyncExitStack) -> str:
        if self.hook is None:
            return ""
        stack.push_async_callback(self.hook.stop)
        return await self.hook.start()

    def _environment(self, hook: str) -> dict[str, str]:
        return {
            "BATON_SECRET": "s" * 32,
            "BATON_API_KEY": KEY,
            "BATON_ADMIN_TOKEN": ADMIN,
            **self.team.environment(),
            "WEBHOOK_URL": hook,
            "WEBHOOK_SECRET": "hook-secret" if hook else "",
        }

    async def _everybody(self) -> None:
        await self._escalate()
        async with self._page():
            await self._at_once(self._shopper(), self._operators(), self._assistant_out_of_turn())
            await self._resolve()
            await self._log_turn("a2", (200, 201, 202))
            await self.until(self.is_settled)

    @contextlib.asynccontextmanager
    async def _page(self) -> AsyncIterator[None]:
        """The shopper has it open."""
        answer = await self.client.ask(
            "POST", "/v1/widget-tokens", KEY, {"shopper": {"id": "s-1"}, "conversation_id": "c-1"}
        )
        self.widget = Widget(self.client, answer["token"])
        background = [asyncio.create_task(self.widget.listen()), asyncio.create_task(self.widget.confirm())]
        for task in background:
            task.add_done_callback(self._page_closed)
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    def _page_closed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self.broken = f"the page ended: {task.exception()!r}"

    async def _at_once(self, *acts: Awaitable[None]) -> None:
        async with asyncio.TaskGroup() as group:
            for act in acts:
                group.create_task(_run(act))

    # --- the store --------------------------------------------------------------------------------------------

    async def _escalate(self) -> None:
        body = {
            "conversation_id": "c-1",
            "shopper": {"id": "s-1", "name": "Sarah K."},
            "reason": {"trigger": "keyword", "detail": "refund"},
            "transcript": TRANSCRIPT,
        }
        await self.client.ask("POST", "/v1/escalations", KEY, body)

    async def _assistant_out_of_turn(self) -> None:
        """While a person is needed or engaged the assistant is refused, however often Baton restarts."""
        for _ in range(3):
            await self._log_turn("a1", (409,))
            await asyncio.sleep(0.05)

    async def _log_turn(self, name: str, wanted: Collection[int]) -> None:
        body = {"id": name, "author": "assistant", "text": speech(name)}
        await self.client.ask("POST", "/v1/conversations/c-1/messages", KEY, body, wanted)

    # --- the shopper ------------------------------------------------------------------------------------------

    async def _shopper(self) -> None:
        await self.widget.write("w1", speech("w1"))
        await self.until(lambda: any(one.get("code") == "claimed" for one in self.widget.entries))
        await self.widget.write("w2", speech("w2"))
        await self.widget.write("w3", speech("w3"))

    # --- the operators ----------------------------------------------------------------------------------------

    async def _operators(self) -> None:
        await self._at_once(self._press(self.team.dana, "claim"), self._press(self.team.bob, "claim"))
        await self.until(lambda: self.owner() is not None)
        owner = self.owner()
        assert owner is not None
        for number in range(1, REPLIES + 1):
            await self.team.write(owner, speech(f"r{number}"))
            if number == 1:
                await self.team.write(owner, "// secret of the team")
            await asyncio.sleep(0.002)

    async def _press(self, user: str, action: str) -> None:
        """Until it shows no error, or there is nothing to press any more."""
        await self.until(lambda: self.team.shows(action) or self._is_past(action))
        while self.team.shows(action):
            self.presses += 1
            if await self.team.press(user, action):
                return
            await asyncio.sleep(0.1)

    def _is_past(self, action: str) -> bool:
        return self.owner() is not None if action == "claim" else self.stage() == "resolved"

    async def _resolve(self) -> None:
        """Once the shopper's words stand in the thread and the replies are marked as seen."""
        await self.until(lambda: f"w{SAID}w0002" in self.team.shown() and self._all_seen())
        owner = self.owner()
        assert owner is not None
        while self.stage() != "resolved":
            await self._press(owner, "resolve")

    def _all_seen(self) -> bool:
        replies = self.replies()
        return len(replies) == REPLIES and all(self.team.seen in marks for _, marks in replies)

    # --- what can be looked at --------------------------------------------------------------------------------

    def replies(self) -> list[tuple[str, list[str]]]:
        """The operators' messages that were meant for the shopper, with their reactions."""
        return [(text, marks) for text, marks in self.team.replies() if not text.startswith("//")]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database says now."""
        return self.house.database.rows(statement)

    def ask_at(self, replica: Replica) -> Client:
        """The store's backend, asking just this one."""
        return Client(self.client.session, [replica.url], lambda: self.house.broken)

    def stage(self) -> str:
        """The case's stage."""
        found = self.rows("SELECT stage FROM conversation")
        return str(found[0][0]) if found else ""

    def owner(self) -> str | None:
        """The owner's account."""
        found = self.rows("SELECT o.external_id FROM conversation c JOIN operator o ON o.id = c.owner_id")
        return str(found[0][0]) if found else None

    def is_settled(self) -> bool:
        """Whether nothing is owed, under way or about to come."""
        if not self.team.is_quiet():
            return False
        if any(replica.stands_still for replica in self.house.replicas):
            return False
        owed = self.rows("SELECT 1 FROM lane WHERE due_at IS NOT NULL")
        open_calls = self.rows("SELECT 1 FROM delivery WHERE state IN ('planned', 'sending', 'uncertain')")
        last = self.rows(LAST_FOR_SHOPPER)
        return not owed and not open_calls and last[0][0] == self.widget.last

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for that."""
        while not condition():
            broken = self.house.broken or self.broken
            if broken:
                raise AssertionError(broken)
            await asyncio.sleep(TICK)

    def _where_it_hangs(self, error: TimeoutError) -> str:
        waits = traceback.extract_tb((error.__cause__ or error).__traceback__)
        lanes = self.rows("SELECT reader, position, due_at, not_before, lease_until, faults, fault FROM lane")
        calls = self.rows(
            "SELECT id, reader, op, state, attempt, error FROM delivery WHERE state NOT IN ('sent')"
        )
        says = [
            "waits in " + ", ".join(f"{one.name}:{one.lineno}" for one in waits),
            f"quiet {self.team.is_quiet()}, last for the shopper {self.rows(LAST_FOR_SHOPPER)}",
            f"died at {self.house.deaths}, stood still {self.house.pauses}",
            f"lanes {lanes}",
            f"deliveries {calls}",
            f"stage {self.stage()}, {len(self.team.cards())} cards",
        ]
        says += [f"{text[:60]!r} {marks}" for text, marks in self.team.replies()]
        says += [f"widget at {self.widget.last}"] if hasattr(self, "widget") else []
        says += [self.team.fake._recently(), self.house.log()[-3000:]]
        return f"{self._folder.name} hangs:\n" + "\n".join(says)


async def _run(act: Awaitable[None]) -> None:
    await act
