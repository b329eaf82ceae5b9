"""What was given up is said in the thread, can be tried again there, and says how that went; commands in the thread."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from bot import commands, texts
from bot.commands import Resolve, RetryDead
from bot.entries import Reader
from bot.errors import EntryFault, NotAllowed, NotFound, PlaceFault, Refused
from bot.handlers.cases import Done
from bot.posts import Action, Post, PostKind, Receipt
from storage.writer import Writer
from tests.fakes.chat import FakeChat
from tests.storage.world import ANNA, BEN, GUEST, ManualClock, World, make_settings


@pytest_asyncio.fixture
async def world(database_url: str, clock: ManualClock, chat: FakeChat) -> AsyncIterator[World]:
    """A store whose backend listens too."""
    world = World(make_settings(database_url, webhook="https://shop.example/hook"), clock, chat)
    world.start()
    yield world
    await world.stop()


async def alerts(world: World, number: int) -> list[Post]:
    root = (await world.binding(number)).root
    return [
        one.content
        for one in world.chat.messages
        if one.root == root and isinstance(one.content, Post) and one.content.kind is PostKind.ALERT
    ]


async def refused_in_thread(world: World, reason: str = "msg_too_long") -> int:
    """A case of Anna's in whose thread a message of the shopper's was refused."""
    number = await world.claimed()
    world.chat.troubles["post"] = [EntryFault(reason)]
    await world.writes("bad words", "w-bad")
    await world.settle()
    return number


async def refused_by_store(world: World) -> int:
    """A case of Anna's whose answer the store's backend refused."""
    number = await world.claimed()
    world.webhook.troubles = [EntryFault("webhook answered 410")]
    await world.says(number, "Hello", "m1")
    await world.settle()
    return number


async def retry(world: World, actor: Any = ANNA) -> None:
    (dead,) = await world.dead()
    await world.submit(RetryDead(dead.id, actor))


# --- the alert ------------------------------------------------------------------------------------------------


async def test_a_refusal_is_an_alert_that_mentions_the_owner_with_the_reason_and_retry(world: World) -> None:
    number = await refused_in_thread(world)
    (alert,) = await alerts(world, number)
    (dead,) = await world.dead()
    assert alert.mentions == (ANNA.id,)
    assert alert.text.startswith("⚠️ A message of Sarah was refused here: it is too long.")
    assert [(one.action, one.value) for one in alert.buttons] == [(Action.RETRY, dead.id)]
    assert "bad words" not in alert.text


async def test_an_unknown_reason_is_quoted(world: World) -> None:
    number = await refused_in_thread(world, "strange_thing")
    assert "the answer was “strange_thing”" in (await alerts(world, number))[0].text


async def test_nobody_is_mentioned_in_a_case_without_owner(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    world.chat.troubles["post"] = [EntryFault("no_text")]
    await world.writes("bad")
    await world.settle()
    assert [one.mentions for one in await alerts(world, number)] == [()]


async def test_a_refusal_of_the_stores_backend_is_said_in_the_thread_too(world: World) -> None:
    number = await refused_by_store(world)
    (alert,) = await alerts(world, number)
    assert alert.text.startswith("⚠️ A message of Anna was refused by the store's backend")
    assert alert.mentions == (ANNA.id,)


async def test_it_is_said_in_the_thread_of_a_resolved_case(world: World) -> None:
    number = await world.claimed()
    world.webhook.troubles = [None, EntryFault("webhook answered 410")]
    await world.says(number, "one")
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    assert len(await world.dead()) == 1
    assert len(await alerts(world, number)) == 1


async def test_an_alert_that_is_refused_itself_is_not_announced(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [EntryFault("no"), EntryFault("no")]
    await world.writes("bad")
    await world.settle()
    assert len(await world.dead()) == 2
    assert (await world.kinds(number)).count("dead_letter") == 1


async def test_the_store_is_never_told_of_dead_letters(world: World) -> None:
    await refused_in_thread(world)
    await retry(world)
    await world.settle()
    assert not any(b"dead" in body for _, _, body in world.webhook.sent)


# --- retry ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refused", [refused_in_thread, refused_by_store])
async def test_an_alert_says_when_it_was_delivered_after_all_and_offers_nothing_more(
    world: World, refused: Any
) -> None:
    number = await refused(world)
    await retry(world)
    world.clock.advance(60)
    at = datetime.fromtimestamp(world.clock(), UTC)
    await world.settle()
    shown = await world.thread(number)
    assert any(f"Delivered after all, at {at:%H:%M}." in text for text in shown)
    assert await alerts(world, number) == []
    assert await world.dead() == []
    assert sum("was refused" in text for text in shown) == 1


async def test_it_says_that_it_tries_again_until_it_knows(world: World) -> None:
    number = await refused_by_store(world)
    world.webhook.troubles = [PlaceFault("webhook answered 503")]
    await retry(world)
    await world.settle()
    (alert,) = await alerts(world, number)
    assert alert.text.endswith("Trying again…")
    assert alert.buttons == ()
    await world.settle(10)
    assert await alerts(world, number) == []


async def test_a_second_refusal_is_said_by_the_same_post(world: World) -> None:
    number = await refused_by_store(world)
    world.webhook.troubles = [EntryFault("webhook answered 422")]
    await retry(world)
    await world.settle()
    (alert,) = await alerts(world, number)
    assert "webhook answered 422" in alert.text
    assert [one.action for one in alert.buttons] == [Action.RETRY]
    await retry(world)
    await world.settle()
    assert await alerts(world, number) == []


async def test_a_retried_message_that_was_taken_back_meanwhile_is_said_to_be_gone(world: World) -> None:
    number = await refused_in_thread(world)
    await world.submit(commands.DeleteTurn("main", "c-1", "w-bad"))
    await retry(world)
    await world.settle()
    assert any("taken back meanwhile" in text for text in await world.thread(number))
    assert await alerts(world, number) == []


async def test_a_retried_line_is_posted_as_it_was(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [EntryFault("no")]
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    assert texts.thread.line_resolved("Anna Berg") not in await world.thread(number)
    await retry(world)
    await world.settle()
    assert texts.thread.line_resolved("Anna Berg") in await world.thread(number)


async def test_who_pressed_retry_is_in_the_log(world: World) -> None:
    number = await refused_in_thread(world)
    await retry(world, BEN)
    said = [one for one in await world.log(number) if one.kind == "dead_letter" and one.target]
    asked = [one for one in said if one.data["state"] != "delivered"]  # the courier may have been quick
    assert [(one.name, one.data["state"], str(one.audience)) for one in asked] == [("Ben", "trying", "team")]


async def test_guests_may_not_retry(world: World) -> None:
    await refused_in_thread(world)
    with pytest.raises(NotAllowed):
        await retry(world, GUEST)
    assert len(await world.dead()) == 1


async def test_a_second_click_is_told_how_it_stands(world: World) -> None:
    await refused_in_thread(world)
    (dead,) = await world.dead()
    await world.submit(RetryDead(dead.id, ANNA))
    with pytest.raises(Refused, match="tried again already"):
        await world.submit(RetryDead(dead.id, BEN))
    await world.settle()
    with pytest.raises(Refused, match="delivered after all"):
        await world.submit(RetryDead(dead.id, BEN))


async def test_what_never_failed_cannot_be_retried(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(NotFound):
        await world.submit(RetryDead("nope", ANNA))
    assert number


async def test_a_new_thread_repeats_only_what_is_still_failing(world: World) -> None:
    number = await refused_by_store(world)
    await world.submit(commands.RootDeleted(await world.place(number)))
    await world.settle()
    assert len(await alerts(world, number)) == 1
    await retry(world)
    await world.settle()
    await world.submit(commands.RootDeleted(await world.place(number)))
    await world.settle()
    assert not any("refused" in text for text in await world.thread(number))


async def test_a_kill_while_it_is_said_says_it_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await world.claimed()
    await world.hush()
    await world.writes("bad")
    call = await world.submit(commands.Advance(number, Reader.THREAD, "h1"))
    ended = commands.Advance(
        number,
        Reader.THREAD,
        "h1",
        commands.Settled(call.delivery_id, fault="entry", reason="no"),
        stop=True,
    )
    commit = Writer._commit

    def killed(self: Writer, connection: Any) -> None:
        commit(self, connection)
        raise RuntimeError("killed")

    monkeypatch.setattr(Writer, "_commit", killed)
    with pytest.raises(RuntimeError):
        await world.submit(ended)
    monkeypatch.setattr(Writer, "_commit", commit)
    await world.submit(ended)
    assert (await world.kinds(number)).count("dead_letter") == 1


# --- receipts -------------------------------------------------------------------------------------------------


async def test_an_answer_that_was_given_up_gets_a_warning_until_the_shopper_has_it(world: World) -> None:
    number = await refused_by_store(world)
    assert world.chat.marks["m1"] is Receipt.FAILED
    head = (await world.case(number)).head
    await world.submit(commands.Seen(world.window(), "tab", head, head, False))
    await world.settle()
    assert world.chat.marks["m1"] is Receipt.SEEN


async def test_the_warning_becomes_an_hourglass_when_it_was_delivered_after_all(world: World) -> None:
    await refused_by_store(world)
    await retry(world)
    await world.settle(10)
    assert world.chat.marks["m1"] is Receipt.PENDING


# --- commands in the thread -----------------------------------------------------------------------------------


class Performed:
    """Stands in for `perform_in_thread`: notes what it was asked, and answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, tuple[Any, ...], str]] = []

    def __call__(
        self, uow: Any, conversation: Any, text: str, actor: Any, people: tuple[Any, ...], request: str
    ) -> Done:
        self.asked.append((text, actor, people, request))
        return Done(conversation.number, str(conversation.stage), None, "as you wish")


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Performed:
    performed = Performed()
    monkeypatch.setattr("bot.handlers.perform.perform_in_thread", performed)
    return performed


async def test_a_message_to_the_bot_is_performed_answered_and_never_relayed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    performed = stand_in(monkeypatch)
    number = await world.claimed()
    answer = await world.says(number, "snooze 2h", "m1", addressed="bot")
    assert answer.whisper == "as you wish"
    assert [(text, actor) for text, actor, _, _ in performed.asked] == [("snooze 2h", ANNA)]
    last = (await world.log(number))[-1]
    assert (last.kind, last.text, last.data) == ("aside", "snooze 2h", {"command": True})
    assert await world.to_shopper(number) == ["My lamp broke"]


async def test_its_people_and_the_words_with_their_numbers_are_handed_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    performed = stand_in(monkeypatch)
    number = await world.claimed()
    extra = {"command": "assign @1", "people": (BEN,)}
    await world.says(number, "assign @Ben", addressed="bot", extra=extra)
    ((text, _, people, _),) = performed.asked
    assert (text, people) == ("assign @1", (BEN,))


async def test_redelivery_and_catch_up_never_perform_it_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    performed = stand_in(monkeypatch)
    number = await world.claimed()
    for _ in range(3):
        await world.says(number, "resolve", "m1", addressed="bot")
    assert len(performed.asked) == 1


async def test_a_refusal_is_the_answer_and_a_later_arrival_does_not_ask_again(world: World) -> None:
    """It would mean something else by then: Ben may release what is his."""
    number = await world.claimed()
    answer = await world.says(number, "release", "m1", BEN, addressed="bot")
    assert answer.whisper == texts.answers.not_yours("Anna Berg")
    await world.submit(commands.Assign(number, ANNA, BEN))
    assert await world.says(number, "release", "m1", BEN, addressed="bot") is None
    assert (await world.case(number)).stage == "active"
    assert [one.data for one in await world.log(number) if one.kind == "aside"] == [{"command": True}]


async def test_a_misspelt_command_is_never_relayed(world: World) -> None:
    number = await world.claimed()
    answer = await world.says(number, "resovle", addressed="bot")
    assert answer.whisper
    assert await world.to_shopper(number) == ["My lamp broke"]
    assert (await world.case(number)).stage == "active"
