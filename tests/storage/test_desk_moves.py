"""A case that moves to another team: its queue, its place, its thread; whatever is under way, and whatever breaks."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot import texts
from bot.commands import (
    AddNote,
    Claim,
    DeleteTurn,
    EditTurn,
    Escalate,
    MoveToTeam,
    Release,
    Resolve,
    SaidTurn,
    SetPriority,
    SetTags,
    ShopperFacts,
    Snooze,
    ThreadMessage,
)
from bot.entries import Kind, Reader
from bot.errors import NotAllowed, PlaceFault, Refused
from bot.handlers.notice import BATON
from bot.hours import parse_hours
from bot.lanes import BindingState
from bot.posts import Post, Receipt
from bot.settings import Settings
from tests.fakes.chat import FakeChat, Late
from tests.storage.world import ANNA, BEN, LEA, ManualClock, World


@pytest.fixture
def settings(settings: Settings) -> Settings:  # type: ignore[misc]
    """Four teams: `nearby` shares support's channel, `billing` and `returns` have their own."""
    support = settings.teams["support"]
    others = {
        "nearby": replace(support, name="nearby"),
        "billing": replace(support, name="billing", channel="C2"),
        "returns": replace(support, name="returns", channel="C3"),
        "sleepy": replace(support, name="sleepy", channel="C4", hours=parse_hours({"tue": "09:00-17:00"})),
    }
    store = replace(settings.stores["main"], webhook_url="https://shop.example/hook", internal=True)
    return replace(settings, teams={"support": support, **others}, stores={"main": store})


@pytest.fixture
async def world(settings: Settings, clock: ManualClock, chat: FakeChat) -> AsyncIterator[World]:
    world = World(settings, clock, chat)
    world.start()
    yield world
    await world.stop()


async def _bindings(world: World, number: int) -> list[tuple[str, BindingState]]:
    found = await world.read(lambda uow: uow.lanes.bindings(number))
    return [(one.channel, one.state) for one in found]


async def _roots(world: World, number: int) -> list[str]:
    found = await world.read(lambda uow: uow.lanes.bindings(number))
    return [one.root for one in found]


# --- the rules ------------------------------------------------------------------------------------------------


async def test_a_moved_case_waits_in_the_new_queue_at_its_old_place(world: World) -> None:
    number = await world.claimed()
    before = await world.case(number)
    world.clock.advance(100)
    answer = await world.submit(MoveToTeam(number, ANNA, " Billing "))
    case = await world.case(number)
    assert (case.team, case.stage, case.owner_id) == ("billing", "waiting", None)
    assert case.waiting_since == before.waiting_since
    assert answer.whisper == texts.answers.done_moved(number, "billing")
    assert (await world.codes(number))[-1] == "released"
    assert "card" in await world.due_rows()
    queue = await world.read(lambda uow: [one.number for one in uow.conversations.queue("billing")])
    assert queue == [number]


async def test_an_unknown_team_is_answered_with_the_teams_and_what_was_meant(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(Refused, match="Did you mean billing") as refused:
        await world.submit(MoveToTeam(number, ANNA, "biling"))
    assert "support, nearby, billing, returns, sleepy" in refused.value.message
    assert refused.value.field == "team"
    assert (await world.case(number)).stage == "active"


async def test_the_owner_and_a_lead_move_an_owned_case_and_anybody_an_unowned_one(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(NotAllowed):
        await world.submit(MoveToTeam(number, BEN, "billing"))
    await world.submit(MoveToTeam(number, LEA, "billing"))
    await world.submit(MoveToTeam(number, BEN, "returns"))
    assert (await world.case(number)).team == "returns"


async def test_a_move_to_its_own_team_changes_nothing(world: World) -> None:
    number = await world.claimed()
    head = (await world.case(number)).head
    answer = await world.submit(MoveToTeam(number, ANNA, "support"))
    assert answer.whisper == texts.answers.already_there(number, "support")
    assert (await world.case(number)).head == head


async def test_a_shopper_whose_new_team_is_away_learns_when_it_is_back(world: World) -> None:
    number = await world.escalate()
    await world.submit(MoveToTeam(number, ANNA, "sleepy"))
    assert (await world.codes(number))[-1] == "hours"


# --- the same place -------------------------------------------------------------------------------------------


async def test_within_one_channel_a_move_is_a_line_and_a_newer_card(world: World) -> None:
    number = await world.claimed()
    await world.submit(MoveToTeam(number, LEA, "nearby"))
    await world.settle(2)
    assert await _bindings(world, number) == [("C1", BindingState.OPEN)]
    assert (await world.thread(number))[-1] == texts.thread.line_moved("Lea Lind", "support", "nearby", None)
    line = [one.content for one in world.chat.messages][-1]
    assert isinstance(line, Post)
    assert line.mentions == ("U-anna",)
    assert "nearby" in world.chat.card((await world.binding(number)).root).footer


# --- another place --------------------------------------------------------------------------------------------


async def test_elsewhere_a_thread_is_opened_with_everything_and_the_old_one_points_to_it(
    world: World,
) -> None:
    number = await world.claimed("My lamp broke")
    await world.writes("It is the blue one")
    await world.says(number, "Let me ask billing")
    await world.settle()
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)

    assert await _bindings(world, number) == [("C1", BindingState.MOVED), ("C2", BindingState.OPEN)]
    old, new = await _roots(world, number)
    shown = "\n".join(world.chat.shown(new))
    for words in ("Sarah: My lamp broke", "Sarah: It is the blue one", "Anna: Let me ask billing"):
        assert shown.count(words) == 1
    link = f"https://chat.example/{old}"
    assert world.chat.shown(new)[-1] == texts.thread.line_moved("Anna Berg", "support", "billing", link)
    pointer = texts.thread.line_moved_to("billing", f"https://chat.example/{new}")
    assert world.chat.shown(old)[-1] == pointer
    left, current = world.chat.card(old), world.chat.card(new)
    assert (left.status, left.buttons, left.menu) == (texts.card.status_moved("billing"), (), ())
    assert (current.stage, current.team) == ("waiting", "billing")
    assert [str(one.action) for one in current.buttons] == ["claim", "handback", "resolve"]


async def test_what_follows_is_said_in_the_new_thread_only(world: World) -> None:
    number = await world.claimed()
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)
    old, new = await _roots(world, number)
    before = world.chat.shown(old)
    await world.submit(Claim(number, BEN))
    await world.writes("Hello?")
    await world.submit(Resolve(number, BEN))
    await world.settle(2)
    assert world.chat.shown(old) == before
    assert any("Sarah: Hello?" in line for line in world.chat.shown(new))
    assert (await world.binding(number)).state is BindingState.CLOSED
    assert world.chat.card(old).status == texts.card.status_moved("billing")


async def test_who_had_the_case_is_called_once_when_somebody_else_moved_it(world: World) -> None:
    number = await world.claimed()
    await world.submit(MoveToTeam(number, LEA, "billing"))
    await world.settle(2)
    calls = [one for one in world.chat.messages if isinstance(one.content, Post) and one.content.mentions]
    old, _ = await _roots(world, number)
    assert [(one.root, one.content.mentions) for one in calls][1:] == [(old, ("U-anna",))]  # type: ignore[union-attr]


async def test_a_reply_in_the_old_thread_stays_inside_is_marked_and_is_told_where_to_go(world: World) -> None:
    number = await world.claimed()
    place = await world.place(number)
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)
    await world.submit(Claim(number, ANNA))
    answer = await world.submit(ThreadMessage(place, world.heard("Hello Sarah", "zz1"), ANNA))
    await world.settle(5)
    _, new = await _roots(world, number)
    assert answer.whisper == texts.thread.moved_on("billing", f"https://chat.example/{new}")
    assert "Hello Sarah" not in await world.to_shopper(number)
    assert world.chat.marks["zz1"] is Receipt.INSIDE
    assert world.chat.shown(new)[-1] == "Anna: Hello Sarah [inside]"
    assert world.chat.offers(place.root) == []


async def test_edits_and_deletes_reach_both_threads_once(world: World) -> None:
    number = await world.claimed("My lamp broke", "It is red")
    await world.submit(EditTurn("main", "c-1", "t1", "It is blue", "1"))
    await world.settle()
    first_post = ("amend", next(what for name, what in world.chat.calls if name == "amend"))
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)
    assert world.chat.calls.count(first_post) == 1
    await world.submit(DeleteTurn("main", "c-1", "t1"))
    await world.settle(2)
    assert world.chat.calls.count(first_post) == 2
    for root in await _roots(world, number):
        assert not any("blue" in line or "Correction" in line for line in world.chat.shown(root))


async def test_a_case_that_moves_on_and_back_always_has_one_place(world: World) -> None:
    number = await world.claimed()
    for team in ("billing", "returns", "support"):
        await world.submit(MoveToTeam(number, LEA, team))
        await world.settle(2)
    states = [state for _, state in await _bindings(world, number)]
    assert states == [BindingState.MOVED] * 3 + [BindingState.OPEN]
    roots = await _roots(world, number)
    newest = f"https://chat.example/{roots[-1]}"
    for root in roots[:-1]:
        assert world.chat.shown(root)[-1] == texts.thread.line_moved_to("support", newest)
    assert "\n".join(world.chat.shown(roots[-1])).count("My lamp broke") == 1


async def test_two_moves_in_a_row_open_one_thread(world: World) -> None:
    number = await world.claimed()
    await world.submit(MoveToTeam(number, LEA, "billing"))
    await world.submit(MoveToTeam(number, LEA, "returns"))
    await world.settle(2)
    assert await _bindings(world, number) == [("C1", BindingState.MOVED), ("C3", BindingState.OPEN)]
    old, new = await _roots(world, number)
    assert [line for line in world.chat.shown(old) if line.startswith("Moved to")] == [
        texts.thread.line_moved_to("returns", f"https://chat.example/{new}")
    ]


async def test_the_next_handoff_opens_its_thread_at_the_new_place(world: World) -> None:
    number = await world.claimed()
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)
    await world.submit(Claim(number, BEN))
    await world.submit(Resolve(number, BEN))
    await world.settle(2)
    await world.submit(
        Escalate("main", "c-1", "again", transcript=(SaidTurn("shopper", "It broke again", "t9"),))
    )
    await world.settle(2)
    assert [channel for channel, _ in await _bindings(world, number)] == ["C1", "C2", "C2"]


async def test_a_case_resolved_right_after_its_move_is_closed_in_the_new_thread(world: World) -> None:
    number = await world.claimed()
    await world.submit(MoveToTeam(number, LEA, "billing"))
    await world.submit(Resolve(number, LEA))
    await world.settle(2)
    assert await _bindings(world, number) == [("C1", BindingState.MOVED), ("C2", BindingState.CLOSED)]


# --- before there is a thread, and while it is being opened ---------------------------------------------------


async def test_a_case_moved_before_its_thread_stands_is_opened_at_the_new_place_only(world: World) -> None:
    number = await world.escalate()
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)
    assert await _bindings(world, number) == [("C2", BindingState.OPEN)]


async def test_a_thread_that_could_not_be_opened_is_not_opened_at_the_old_place_later(world: World) -> None:
    world.chat.troubles["open"] = [PlaceFault("archived", retry_after=600.0)]
    number = await world.escalate()
    await world.settle()
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)
    assert await _bindings(world, number) == [("C2", BindingState.OPEN)]
    assert len(world.chat.roots()) == 1


async def test_a_thread_whose_opening_is_uncertain_is_found_where_it_was_opened(world: World) -> None:
    world.chat.troubles["open"] = [Late()]
    number = await world.escalate()
    await world.settle()
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    for _ in range(4):
        await world.settle(2)
    assert await _bindings(world, number) == [("C1", BindingState.MOVED), ("C2", BindingState.OPEN)]
    old, new = await _roots(world, number)
    assert world.chat.shown(old) == [texts.thread.line_moved_to("billing", f"https://chat.example/{new}")]
    assert world.chat.shown(new)[0] == "Sarah: My lamp broke"


# --- when something breaks ------------------------------------------------------------------------------------


async def test_a_lost_answer_doubles_nothing_of_a_move(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["open"] = [Late()]
    world.chat.troubles["post"] = [Late(), Late(), Late(), Late()]
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    for _ in range(12):
        await world.settle(2)
    assert len(world.chat.roots()) == 2
    old, new = await _roots(world, number)
    assert sum(line.startswith("Moved to") for line in world.chat.shown(old)) == 1
    shown = world.chat.shown(new)
    assert len(shown) == len(set(shown))
    assert await world.outstanding(number, Reader.THREAD) == []


async def test_a_broken_old_place_holds_the_new_thread_up_for_a_moment_only(world: World) -> None:
    number = await world.claimed()
    old = (await world.binding(number)).root
    world.chat.troubles["post"] = [PlaceFault("archived", retry_after=600.0)]
    await world.writes("Hello?")
    await world.settle()
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    original = world.chat.post

    async def post(place: object, post: Post, delivery_id: str) -> object:
        if place.root == old:  # type: ignore[attr-defined]
            raise PlaceFault("archived")
        return await original(place, post, delivery_id)  # type: ignore[arg-type]

    world.chat.post = post  # type: ignore[method-assign, assignment]
    for _ in range(10):
        await world.settle(2)
    await world.writes("Still there?")
    await world.settle(2)
    new = (await world.binding(number)).root
    assert any("Sarah: Hello?" in line for line in world.chat.shown(new))
    assert world.chat.shown(new)[-1] == "Sarah: Still there?"
    assert await world.dead() == []
    assert await world.outstanding(number, Reader.THREAD) == []


async def test_what_waited_for_the_old_place_is_said_in_the_new_one_only(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [PlaceFault("down", retry_after=600.0)]
    await world.writes("Hello?")
    await world.settle()
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)
    old, new = await _roots(world, number)
    assert not any("Hello?" in line for line in world.chat.shown(old))
    assert any("Hello?" in line for line in world.chat.shown(new))


async def test_a_deleted_old_root_is_no_reason_for_another_thread(world: World) -> None:
    number = await world.claimed()
    world.chat.gone.add((await world.binding(number)).root)
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    for _ in range(3):
        await world.settle(2)
    assert await _bindings(world, number) == [("C1", BindingState.GONE), ("C2", BindingState.OPEN)]
    assert await world.outstanding(number, Reader.THREAD) == []


async def test_a_deleted_new_root_is_made_again_at_the_new_place(world: World) -> None:
    number = await world.claimed()
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)
    old, new = await _roots(world, number)
    world.chat.gone.add(new)
    await world.writes("Hello?")
    for _ in range(3):
        await world.settle(2)
    assert [one for one, _ in await _bindings(world, number)] == ["C1", "C2", "C2"]
    assert sum(line.startswith("Moved to") for line in world.chat.shown(old)) == 1
    again = world.chat.shown((await world.binding(number)).root)
    assert any("Sarah: Hello?" in line for line in again)


# --- the store ------------------------------------------------------------------------------------------------


async def test_a_store_that_wants_everything_is_told_of_all_that_is_done_with_a_case(world: World) -> None:
    number = await world.escalate("c-1", shopper=ShopperFacts("s-1", "Sarah"))
    for command in (
        SetPriority(number, ANNA, "high"),
        SetTags(number, ANNA, ("vip",)),
        AddNote(number, ANNA, "careful", "1"),
        Snooze(number, ANNA, world.clock() + 60),
        Claim(number, ANNA),
        Release(number, ANNA),
        MoveToTeam(number, ANNA, "billing"),
    ):
        await world.submit(command)
    await world.settle()
    kinds = [json.loads(body)["data"]["entry"]["kind"] for _, _, body in world.webhook.sent]
    assert {"prioritised", "tagged", "aside", "snoozed", "woken", "moved"} <= set(kinds)
    assert [one for one in kinds if one == "alerted"] == []
    audiences = {
        entry.kind: entry.audience
        for entry in await world.log(number)
        if entry.kind in {Kind.MOVED, Kind.TAGGED}
    }
    assert set(map(str, audiences.values())) == {"team"}


async def test_an_offer_that_stands_in_the_thread_is_about_the_case_as_it_is_after_the_move(
    world: World,
) -> None:
    number = await world.claimed()
    await world.says(number, "I know this one", actor=BEN)
    await world.settle()
    root = (await world.binding(number)).root
    assert [str(one.buttons[0].action) for one in world.chat.offers(root)] == ["send_as_me"]
    await world.submit(MoveToTeam(number, ANNA, "nearby"))
    await world.settle(2)
    assert [str(one.buttons[0].action) for one in world.chat.offers(root)] == ["claim_and_send"]


async def test_an_offer_in_a_thread_that_the_case_has_left_is_taken_away(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "I know this one", actor=BEN)
    await world.settle()
    root = (await world.binding(number)).root
    await world.submit(MoveToTeam(number, ANNA, "billing"))
    await world.settle(2)
    assert world.chat.offers(root) == []


async def test_a_team_without_anybody_present_moves_its_case_in_batons_name(world: World) -> None:
    number = await world.escalate()
    await world.submit(MoveToTeam(number, BATON, "billing"))
    moved = next(entry for entry in await world.log(number) if entry.kind is Kind.MOVED)
    assert (str(moved.author), moved.name, moved.operator_id) == ("baton", BATON.name, None)
