"""Held messages: they wait, change, are taken back, and leave once, in the order they were written."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from bot import commands, texts
from bot.commands import Assign, Claim, HandBack, OperatorWrites, Release, Resolve, RunDue, Withdraw
from bot.entries import Entry
from bot.errors import NotAllowed
from bot.holds import HOLD, Held
from bot.posts import Action, Place, Receipt
from bot.settings import Settings
from storage.writer import Writer
from tests.fakes.chat import FakeChat
from tests.storage.world import ANNA, BEN, GUEST, LEA, ManualClock, World, with_team

SECONDS = 2.0
"""Short of what is taken for an absence of ours."""


@pytest_asyncio.fixture
async def world(settings: Settings, clock: ManualClock, chat: FakeChat) -> AsyncIterator[World]:
    """A team that holds its messages."""
    world = World(with_team(settings, hold=SECONDS), clock, chat)
    world.start()
    yield world
    await world.stop()


async def held(world: World, number: int) -> list[Held]:
    return list(await world.read(lambda uow: uow.held.of(number)))


async def waiting(world: World, number: int) -> list[str]:
    return [one.text for one in await held(world, number)]


async def tick(world: World, seconds: float = SECONDS) -> None:
    """Time passes, and the scheduler looks once."""
    world.clock.advance(seconds)
    for kind, number, due_at in await world.read(lambda uow: uow.due.ripe(world.clock(), 100)):
        await world.submit(RunDue(kind, number, due_at))


async def messages(world: World, number: int) -> list[Entry]:
    return [one for one in await world.log(number) if one.kind == "message" and one.author == "operator"]


async def relayed(world: World, number: int) -> list[str]:
    return [one.text for one in await messages(world, number)]


async def stop(world: World, number: int, message_id: str, actor: Any = ANNA) -> Any:
    return await world.submit(Withdraw(await world.place(number), message_id, actor))


# --- it waits -------------------------------------------------------------------------------------------------


async def test_a_held_message_is_no_entry_until_its_time(world: World) -> None:
    number = await world.claimed()
    head = (await world.case(number)).head
    await world.says(number, "Hello")
    await tick(world, SECONDS - 0.5)
    assert (await world.case(number)).head == head
    assert await waiting(world, number) == ["Hello"]
    await tick(world, 0.5)
    assert await relayed(world, number) == ["Hello"]
    assert await waiting(world, number) == []


async def test_it_becomes_the_entry_that_an_unheld_one_would(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    written = world.clock()
    await tick(world)
    (entry,) = await messages(world, number)
    assert (entry.name, entry.source, entry.external_id, entry.late) == ("Anna", "fake", "m1", False)
    assert (entry.at, entry.stored_at, entry.edited) == (written, world.clock(), False)
    place = await world.place(number)
    link = await world.read(lambda uow: uow.lanes.link("fake", place.channel, "m1"))
    assert link is not None
    assert (link.first_seq, link.last_seq, link.ours) == (entry.seq, entry.seq, False)
    await world.settle()
    assert not any("Hello" in text for text in await world.thread(number))


async def test_a_second_arrival_of_a_held_message_changes_nothing(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    await world.says(number, "Hello", "m1")
    assert await waiting(world, number) == ["Hello"]
    await tick(world)
    await world.says(number, "Hello", "m1")
    assert await relayed(world, number) == ["Hello"]


async def test_several_leave_in_the_order_they_were_written(world: World) -> None:
    number = await world.claimed()
    for message_id in ("m3", "m1", "m2"):
        await world.says(number, message_id, message_id)
    await tick(world)
    assert await relayed(world, number) == ["m1", "m2", "m3"]
    assert [one.late for one in await messages(world, number)] == [False] * 3


async def test_one_that_comes_late_is_waited_for_by_those_written_after_it(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "second", "m2")
    world.clock.advance(1.5)
    await world.says(number, "first", "m1")
    await tick(world, 0.5)
    assert await relayed(world, number) == []
    await tick(world, 1.5)
    assert await relayed(world, number) == ["first", "second"]


async def test_one_that_comes_after_a_later_one_has_left_is_late(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "second", "m2")
    await tick(world)
    await world.says(number, "first", "m1")
    await tick(world)
    assert [(one.text, one.late) for one in await messages(world, number)] == [
        ("second", False),
        ("first", True),
    ]


@pytest.mark.parametrize(
    ("text", "actor", "rest"),
    [
        ("// hm", ANNA, {}),
        ("note: hm", ANNA, {}),
        ("hm", BEN, {}),
        ("hm", GUEST, {}),
        ("hm", ANNA, {"addressed": "person"}),
        ("", ANNA, {}),
    ],
)
async def test_what_stays_inside_is_never_held(
    world: World, text: str, actor: Any, rest: dict[str, Any]
) -> None:
    number = await world.claimed()
    await world.says(number, text, actor=actor, **rest)
    assert await held(world, number) == []
    assert (await world.kinds(number))[-1] == "aside"


async def test_a_team_without_a_hold_holds_nothing(
    settings: Settings, clock: ManualClock, chat: FakeChat
) -> None:
    world = World(settings, clock, chat)
    world.start()
    number = await world.claimed()
    await world.says(number, "Hello")
    assert await relayed(world, number) == ["Hello"]
    await world.stop()


async def test_the_owner_of_a_held_answer_is_not_idle(world: World) -> None:
    number = await world.claimed()
    await world.writes("Hello?")
    assert "idle" in await world.due_rows()
    await world.says(number, "Here I am", "m1")
    assert "idle" not in await world.due_rows()
    await world.deletes(number, "m1")
    assert "idle" in await world.due_rows()


async def test_a_reply_from_a_form_leaves_at_once_behind_what_was_held(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "first")
    await world.submit(OperatorWrites(number, ANNA, "second", "o1", source="form"))
    assert await relayed(world, number) == ["first", "second"]
    await tick(world)
    assert await relayed(world, number) == ["first", "second"]


# --- it changes -----------------------------------------------------------------------------------------------


async def test_an_edit_replaces_the_held_text_and_nobody_sees_the_old_one(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Helo", "m1")
    await world.edits(number, "Hello", "m1", "e1")
    await tick(world)
    (entry,) = await messages(world, number)
    assert (entry.text, entry.edited) == ("Hello", False)
    assert "edited" not in await world.kinds(number)


async def test_an_older_edit_changes_nothing_while_held_and_after(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "a", "m1")
    await world.edits(number, "c", "m1", "e2")
    await world.edits(number, "b", "m1", "e1")
    assert await waiting(world, number) == ["c"]
    await tick(world)
    await world.edits(number, "b", "m1", "e1.5")
    assert await relayed(world, number) == ["c"]


async def test_an_edit_does_not_hold_a_message_any_longer(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "a", "m1")
    world.clock.advance(SECONDS - 0.5)
    await world.edits(number, "b", "m1", "e1")
    await tick(world, 0.5)
    assert await relayed(world, number) == ["b"]


@pytest.mark.parametrize(
    ("text", "rest"), [("// hm", {}), ("note: hm", {}), ("hm", {"addressed": "person"}), ("", {})]
)
async def test_an_edit_that_says_so_keeps_it_inside_at_once(
    world: World, text: str, rest: dict[str, Any]
) -> None:
    number = await world.claimed()
    await world.says(number, "He is a pain", "m1")
    await world.edits(number, text, "m1", "e1", **rest)
    assert await held(world, number) == []
    last = (await world.log(number))[-1]
    assert (last.kind, last.text, last.data["offer"]) == ("aside", text, "send")
    await tick(world)
    assert await relayed(world, number) == []
    assert HOLD not in await world.due_rows()


async def test_an_edit_into_a_message_to_the_bot_is_not_performed_and_its_author_is_told(
    world: World,
) -> None:
    number = await world.claimed()
    await world.says(number, "resolve", "m1")
    answer = await world.edits(number, "resolve", "m1", "e1", addressed="bot")
    assert answer.whisper == texts.answers.command_by_edit()
    assert (await world.log(number))[-1].data == {"command": True}
    assert (await world.case(number)).stage == "active"


async def test_an_edit_after_it_left_is_an_edit(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Helo", "m1")
    await tick(world)
    await world.edits(number, "Hello", "m1", "e1")
    assert await world.to_shopper(number) == ["My lamp broke", "Hello"]
    assert (await world.kinds(number))[-1] == "edited"


# --- it is taken back -----------------------------------------------------------------------------------------


async def test_a_deleted_held_message_was_never_there(world: World) -> None:
    number = await world.claimed()
    head = (await world.case(number)).head
    await world.says(number, "oops", "m1")
    await world.deletes(number, "m1")
    await tick(world, 60)
    assert (await world.case(number)).head == head
    assert await held(world, number) == []
    assert HOLD not in await world.due_rows()


async def test_one_of_two_deleted_leaves_the_other(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "oops", "m1")
    await world.says(number, "Hello", "m2")
    await world.deletes(number, "m1")
    await tick(world)
    assert await relayed(world, number) == ["Hello"]


@pytest.mark.parametrize("actor", [ANNA, LEA])
async def test_its_author_or_a_lead_stops_it_and_it_stays_inside(world: World, actor: Any) -> None:
    number = await world.claimed()
    await world.says(number, "oops", "m1")
    answer = await stop(world, number, "m1", actor)
    assert answer.whisper == texts.answers.withdrawn()
    last = (await world.log(number))[-1]
    assert (last.kind, last.audience, last.text, last.name) == ("aside", "team", "oops", "Anna")
    await tick(world, 60)
    assert await relayed(world, number) == []


async def test_a_stopped_message_can_be_sent_after_all(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "oops", "m1")
    await stop(world, number, "m1")
    await world.settle()
    (offer,) = world.chat.offers((await world.binding(number)).root)
    assert offer.buttons[0].action is Action.SEND
    seq = (await world.log(number))[-1].seq
    await world.submit(commands.SendAside(number, seq, Action.SEND, ANNA))
    assert await relayed(world, number) == ["oops"]


@pytest.mark.parametrize("actor", [BEN, GUEST])
async def test_other_peoples_stop_signs_are_ignored(world: World, actor: Any) -> None:
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    assert await stop(world, number, "m1", actor) is None
    assert await waiting(world, number) == ["Hello"]


async def test_a_second_stop_sign_changes_nothing(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "oops", "m1")
    await stop(world, number, "m1")
    head = (await world.case(number)).head
    assert await stop(world, number, "m1") is None
    assert (await world.case(number)).head == head


async def test_whoever_stops_what_has_left_is_told_what_helps(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "oops", "m1")
    await tick(world)
    assert (await stop(world, number, "m1")).whisper == texts.answers.too_late_to_withdraw()
    assert await stop(world, number, "m1", BEN) is None
    assert await relayed(world, number) == ["oops"]


async def test_a_stop_sign_that_overtakes_its_message_stops_it(world: World) -> None:
    number = await world.claimed()
    await stop(world, number, "m1", BEN)
    await stop(world, number, "m2", ANNA)
    await stop(world, number, "m3", LEA)
    for message_id in ("m1", "m2", "m3"):
        await world.says(number, message_id, message_id)
    assert await waiting(world, number) == ["m1"]


async def test_a_stop_sign_elsewhere_is_of_no_interest(world: World) -> None:
    await world.claimed()
    assert await world.submit(Withdraw(Place("fake", "C1", "elsewhere"), "m1", ANNA)) is None


# --- nothing overtakes it -------------------------------------------------------------------------------------


def _resolves(number: int) -> Any:
    return Resolve(number, ANNA)


@pytest.mark.parametrize(
    ("make", "ending"),
    [
        (_resolves, "resolved"),
        (lambda number: Release(number, ANNA), "released"),
        (lambda number: HandBack(number, ANNA), "handed_back"),
        (lambda number: Assign(number, LEA, BEN), "assigned"),
        (lambda number: Claim(number, LEA, take_over=True), "claimed"),
        (lambda _: commands.ResolveByStore("main", "c-1"), "resolved"),
        (lambda _: commands.HandBackByStore("main", "c-1"), "handed_back"),
        (lambda _: commands.ShopperHandsBack(commands.Window("main", "s-1", "c-1")), "handed_back"),
    ],
)
async def test_whatever_ends_or_moves_the_handoff_lets_it_go_first(
    world: World, make: Callable[[int], Any], ending: str
) -> None:
    number = await world.claimed()
    await world.says(number, "first")
    await world.says(number, "second")
    await world.submit(make(number))
    kinds = await world.kinds(number)
    last = len(kinds) - 1 - kinds[::-1].index(ending)
    assert kinds[last - 2 : last] == ["message", "message"]
    assert await relayed(world, number) == ["first", "second"]
    assert HOLD not in await world.due_rows()
    await tick(world, 60)
    assert await relayed(world, number) == ["first", "second"]


async def test_it_leaves_under_its_authors_name_whoever_has_the_case_by_then(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "first")
    await world.submit(Assign(number, LEA, BEN))
    await world.says(number, "second", actor=BEN)
    await tick(world)
    assert [(one.text, one.name) for one in await messages(world, number)] == [
        ("first", "Anna"),
        ("second", "Ben"),
    ]


async def test_a_refused_release_lets_nothing_go(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "first")
    with pytest.raises(NotAllowed):
        await world.submit(Release(number, BEN))
    assert await waiting(world, number) == ["first"]


async def test_a_note_that_is_sent_after_all_does_not_overtake(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "note: second")
    seq = (await world.log(number))[-1].seq
    await world.says(number, "first")
    await world.submit(commands.SendAside(number, seq, Action.SEND, ANNA))
    assert await relayed(world, number) == ["first", "second"]


async def test_a_policy_that_ends_holding_lets_the_held_ones_go_before_the_next(
    world: World, clock: ManualClock, chat: FakeChat
) -> None:
    number = await world.claimed()
    await world.says(number, "first")
    later = World(with_team(world.settings, hold=0.0), clock, chat)
    later.start()
    await later.says(number, "second", "n1")
    assert await relayed(later, number) == ["first", "second"]
    await later.stop()


# --- receipts -------------------------------------------------------------------------------------------------


async def test_the_hourglass_is_there_at_once_and_stays_until_the_shopper_has_it(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    await world.settle()
    assert world.chat.marks["m1"] is Receipt.PENDING
    await tick(world)
    await world.settle(10)
    assert world.chat.marks["m1"] is Receipt.PENDING
    head = (await world.case(number)).head
    await world.submit(commands.Seen(world.window(), "tab", head, head, False))
    await world.settle()
    assert world.chat.marks["m1"] is Receipt.SEEN


@pytest.mark.parametrize("how", ["stop", "edit"])
async def test_the_hourglass_becomes_a_lock_once_it_stays_inside(world: World, how: str) -> None:
    number = await world.claimed()
    await world.says(number, "oops", "m1")
    await world.settle()
    if how == "stop":
        await stop(world, number, "m1")
    else:
        await world.edits(number, "// oops", "m1", "e1")
    await world.settle()
    assert world.chat.marks["m1"] is Receipt.INSIDE


# --- crashes and absence --------------------------------------------------------------------------------------


class Killed(Exception):
    """The process died at that point."""


@pytest.mark.parametrize("behind", [False, True], ids=["before the commit", "behind it"])
@pytest.mark.parametrize("step", ["keep", "ripe", "resolve", "stop", "delete", "edit inside"])
async def test_a_kill_leaves_the_held_row_or_the_entry_and_never_both_or_none(
    world: World,
    clock: ManualClock,
    chat: FakeChat,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    behind: bool,
) -> None:
    """The platform sends again what was not acknowledged; the scheduler looks again at what is still due."""
    number = await world.claimed()
    place = await world.place(number)
    message = commands.ThreadMessage(place, world.heard("Hello", "m1"), ANNA)
    if step != "keep":
        await world.submit(message)
    due_at = world.clock() + SECONDS
    made: dict[str, Any] = {
        "keep": message,
        "ripe": RunDue(HOLD, number, due_at),
        "resolve": Resolve(number, ANNA),
        "stop": Withdraw(place, "m1", ANNA),
        "delete": commands.ThreadDelete(place, "m1", "d1"),
        "edit inside": commands.ThreadEdit(
            place, replace(world.heard("// Hello", "m1"), edited_order="e1"), ANNA
        ),
    }
    if step == "ripe":
        world.clock.advance(SECONDS)
    commit = Writer._commit

    def killed(self: Writer, connection: Any) -> None:
        if behind:
            commit(self, connection)
        raise Killed

    monkeypatch.setattr(Writer, "_commit", killed)
    with pytest.raises(Killed):
        await world.submit(made[step])
    monkeypatch.setattr(Writer, "_commit", commit)
    await world.submit(made[step])  # it comes again
    written = [one for one in await world.log(number) if one.external_id == "m1"]
    kept = await held(world, number)
    expected = {
        "keep": ([], 1),
        "ripe": (["message"], 0),
        "resolve": (["message"], 0),
        "stop": (["aside"], 0),
        "delete": ([], 0),
        "edit inside": (["aside"], 0),
    }
    assert ([str(one.kind) for one in written], len(kept)) == expected[step]
    await tick(world, SECONDS)
    total = [one for one in await world.log(number) if one.external_id == "m1"]
    assert len(total) == (0 if step == "delete" else 1)


async def test_two_schedulers_that_see_the_same_due_row_let_it_go_once(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello")
    due_at = world.clock() + SECONDS
    world.clock.advance(SECONDS)
    await world.submit(RunDue(HOLD, number, due_at))
    await world.submit(RunDue(HOLD, number, due_at))
    assert await relayed(world, number) == ["Hello"]


async def test_after_an_absence_the_catch_up_may_take_it_back_before_it_leaves(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "oops", "m1")
    await world.says(number, "Hello", "m2")
    await tick(world, 3600)
    assert await relayed(world, number) == []
    await world.deletes(number, "m1")
    await tick(world, world.settings.timing.catch_up_held)
    assert await relayed(world, number) == ["Hello"]


async def test_an_absence_puts_it_off_once_only(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello")
    await tick(world, 3600)
    await tick(world, 3600)
    assert await relayed(world, number) == ["Hello"]


async def test_catch_up_compares_held_messages_too(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "note: old", "m0")
    await world.says(number, "oops", "m1")
    binding = await world.binding(number)
    links = await world.read(lambda uow: uow.lanes.last_links(binding.id, 1))
    assert [link.remote_id for link in links] == ["m1"]
