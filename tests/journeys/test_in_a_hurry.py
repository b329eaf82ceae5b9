"""From "new case" to "first reply sent", as an operator in a hurry goes: every tap is on something that is shown.

Nothing is asserted about time. `BATON_HURRY=FILE` writes the taps, the keys and Baton's own share of the seconds of
each way there; docs/operators.md has the table.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import pytest_asyncio

from bot.replies import Reply
from tests.fakes.slack import Ephemeral, View
from tests.journeys.test_slack_surfaces import home_of, option_of, window
from tests.journeys.world import Tap, Thread, World, buttons
from tests.waiting import until

PATIENCE = 20.0
REPLY = "Sorry about the lamp, Sarah. A new one ships today."
FOUND: dict[str, dict[str, Any]] = {}


@dataclass
class Phone:
    """What an operator does, counted: a tap for everything that is pressed, a key for everything typed. What Slack's
    own app asks for (opening a notification or a thread) is a tap, too. `waited`: seconds in which they only waited."""

    world: World
    user: str
    taps: list[str] = field(default_factory=list)
    keys: int = 0
    waited: float = 0.0

    def tap(self, what: str) -> None:
        self.taps.append(what)

    async def wait(self, seen: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        found = await self.world.slack.wait_for(seen, PATIENCE)
        self.waited += time.perf_counter() - began
        return found

    async def new_case(self) -> Thread:
        """The store escalates; until the card stands, Baton is waited for."""
        await self.world.escalate()
        await self.wait(self.world.threads)
        return await self.world.thread()

    async def press(self, thread: Thread, action: str, value: str | None = None, ts: str = "") -> None:
        message = self.world.slack.message(thread.channel, ts or thread.root)
        await self.wait(lambda: action in buttons(message))
        self.tap(action)
        await self.world.slack.click(self.user, thread.channel, message.ts, f"baton:{action}", value)

    async def press_in(self, view: View, action: str, value: str | None = None) -> None:
        await self.wait(lambda: f"baton:{action}" in str(view.content))
        self.tap(action)
        await self.world.slack.click_in_view(self.user, view.id, f"baton:{action}", value)

    async def write(self, thread: Thread, text: str) -> str:
        self.tap("the reply box")
        self.keys += len(text)
        self.tap("send")
        return await thread.write(self.user, text)

    async def replied(self, tap: Tap, text: str) -> None:
        began = time.perf_counter()
        await tap.shows(text)
        self.waited += time.perf_counter() - began

    def walked(self, name: str) -> None:
        FOUND[name] = {"taps": self.taps, "keys": self.keys, "baton_seconds": round(self.waited, 3)}
        if path := os.environ.get("BATON_HURRY"):
            with open(path, "w") as file:
                json.dump(FOUND, file, indent=1)


@pytest_asyncio.fixture(loop_scope="session")
async def phone(world: World) -> Phone:
    """… once it is known who is there."""
    await until(lambda: _known(world))
    return Phone(world, world.dana)


async def _known(world: World) -> bool:
    return len(await world.baton.reads(lambda uow: uow.people.team("support"))) >= 3


async def shopper(world: World) -> Tap:
    return await world.stream()


async def test_from_a_notification_with_claim(phone: Phone) -> None:
    world = phone.world
    thread = await phone.new_case()
    live = await shopper(world)
    posted = next(call for call in world.slack.calls_to("chat.postMessage") if "thread_ts" not in call.args)
    assert f"<@{world.dana}>" in posted.args["text"], "it is a notification"
    phone.tap("the notification")
    phone.tap("the thread")
    await phone.press(thread, "claim")
    await phone.wait(lambda: "Dana Miller has it" in thread.card)
    await phone.write(thread, REPLY)
    await phone.replied(live, REPLY)
    assert len(phone.taps) == 5
    phone.walked("a notification, Claim")


async def test_by_just_writing_and_claim_and_send(phone: Phone) -> None:
    world = phone.world
    thread = await phone.new_case()
    live = await shopper(world)
    phone.tap("the notification")
    phone.tap("the thread")
    await phone.write(thread, REPLY)
    offer = await phone.wait(
        lambda: next((post for post in thread.offers() if "claim_and_send" in buttons(post)), None)
    )
    await phone.press(thread, "claim_and_send", ts=offer.ts)
    await phone.replied(live, REPLY)
    assert len(phone.taps) == 5
    phone.walked("just writing, Claim & send")


async def test_from_the_queue(phone: Phone) -> None:
    """What is left after the claim leads to the thread."""
    world = phone.world
    thread = await phone.new_case()
    live = await shopper(world)
    phone.tap("the message box")
    phone.keys += len("/handoff queue")
    phone.tap("send")
    await world.slack.command(phone.user, world.channel, "/handoff", "queue")
    listing: Ephemeral = await phone.wait(lambda: next(iter(world.slack.ephemerals), None))
    phone.tap("claim")
    await world.slack.click(phone.user, world.channel, listing.ts, "baton:claim")
    await phone.wait(lambda: "is yours" in world.slack.text_of(world.slack.ephemerals[-1]))
    (shown,) = world.slack.ephemerals
    assert f"/archives/{thread.channel}/p{thread.root.replace('.', '')}" in str(shown.blocks)
    assert "baton:claim" not in str(shown.blocks), "the row is gone"
    phone.tap("its number")
    await phone.write(thread, REPLY)
    await phone.replied(live, REPLY)
    assert len(phone.taps) == 6
    phone.walked("/handoff queue")


async def test_from_the_home_tab(phone: Phone) -> None:
    """Also there: the row is gone from Unclaimed, and the word above it leads to the thread."""
    world = phone.world
    thread = await phone.new_case()
    live = await shopper(world)
    phone.tap("Baton")
    phone.tap("Home")
    home = await home_of(world, phone.user)
    await phone.press_in(home, "claim")
    await phone.wait(lambda: "is yours" in world.slack.text_of(home))
    assert f"/archives/{thread.channel}/p{thread.root.replace('.', '')}" in str(home.content)
    phone.tap("its number")
    await phone.write(thread, REPLY)
    await phone.replied(live, REPLY)
    assert len(phone.taps) == 6
    phone.walked("the Home tab")


async def send_prepared(phone: Phone, label: str, text: str) -> None:
    world = phone.world
    thread = await phone.new_case()
    live = await shopper(world)
    phone.tap("the notification")
    await phone.press(thread, "claim")
    await phone.wait(lambda: "Dana Miller has it" in thread.card)
    phone.tap("the menu")
    root = world.slack.message(thread.channel, thread.root)
    menu = next(
        one for block in root.blocks for one in block.get("elements", ()) if one["type"] == "overflow"
    )
    assert any(one["value"].startswith("saved_reply|") for one in menu["options"]), "it is not behind More…"
    await phone.press(
        thread,
        "menu",
        next(one["value"] for one in menu["options"] if one["value"].startswith("saved_reply|")),
    )
    await phone.wait(
        lambda: world.slack.window(phone.user) and "baton:next" in str(world.slack.window(phone.user))
    )
    view = await window(world, phone.user)
    assert "submit" not in view.content, "choosing is enough"
    await phone.press_in(view, "next", option_of(view, label))
    await phone.wait(lambda: "field:text" in str(view.content))
    assert text in str(view.content)
    phone.tap("send")
    began = time.perf_counter()
    await world.slack.submit(phone.user, view.id, {"text": text})
    await world.slack.wait_for(lambda: view.closed, PATIENCE)
    phone.waited += time.perf_counter() - began
    await phone.replied(live, text)
    assert len(phone.taps) == 6


async def test_with_a_saved_reply(phone: Phone) -> None:
    world = phone.world
    settings = world._settings
    reply = Reply("On its way", "Hi {first_name}, it ships today.")
    world._settings = lambda port: replace(settings(port), replies=(reply,))  # type: ignore[method-assign]
    await world.restart()
    await send_prepared(phone, "On its way", "Hi Sarah, it ships today.")
    phone.walked("a saved reply")


async def test_with_what_the_assistant_suggested(phone: Phone) -> None:
    """Without any replies.toml, too."""
    await send_prepared(phone, "Suggested reply", "I have approved your refund.")
    phone.walked("the suggested reply")


pytestmark = pytest.mark.asyncio(loop_scope="session")
