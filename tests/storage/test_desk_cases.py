"""What else operators do with a case: take over, priority, tags, snooze, notes, outcomes; and going away."""

from dataclasses import replace
from typing import Any

import pytest

from bot import commands, texts
from bot.commands import (
    AddNote,
    AddOutcome,
    Assign,
    Claim,
    ComeBack,
    GoAway,
    HandBack,
    MoveToTeam,
    Outcome,
    Release,
    Resolve,
    SetPriority,
    SetTags,
    Snooze,
)
from bot.entries import Audience, Draft, Kind
from bot.errors import AlreadyClaimed, IllegalTransition, NotAllowed, NotFound, Refused
from bot.hours import parse_hours
from bot.people import Actor
from bot.posts import Post, PostKind
from bot.settings import Followup, Settings
from storage.writer import Writer
from tests.fakes.chat import FakeChat
from tests.storage.world import ANNA, BEN, GUEST, LEA, ManualClock, World, with_team

SALE = Outcome("sale", 129.0, "eur", "paid by card")


async def _due(world: World, kind: str, number: int) -> None:
    """Let the time of that row come, and act on it."""
    rows = await world.read(lambda uow: uow.due.ripe(float("inf"), 100))
    at = next(due_at for found, case, due_at in rows if (found, case) == (kind, number))
    world.clock.now = at
    await world.submit(commands.RunDue(kind, number, at))


async def _newest(world: World, number: int, kind: Kind) -> Any:
    return [entry for entry in await world.log(number) if entry.kind is kind][-1]


def _posts(world: World, root: str) -> list[Post]:
    return [one.content for one in world.chat.messages if one.root == root and isinstance(one.content, Post)]


# --- who may, and what for ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda n: Claim(n, GUEST, take_over=True),
        lambda n: MoveToTeam(n, GUEST, "support"),
        lambda n: SetPriority(n, GUEST, "high"),
        lambda n: SetTags(n, GUEST, ("vip",)),
        lambda n: Snooze(n, GUEST, 2e9),
        lambda n: AddNote(n, GUEST, "x", "1"),
        lambda n: AddOutcome(n, GUEST, SALE),
        lambda _: GoAway(GUEST),
        lambda _: ComeBack(GUEST),
    ],
)
async def test_guests_may_do_nothing(world: World, make: Any) -> None:
    number = await world.escalate()
    head = (await world.case(number)).head
    with pytest.raises(NotAllowed):
        await world.submit(make(number))
    assert (await world.case(number)).head == head


@pytest.mark.parametrize(
    "command",
    [
        MoveToTeam(4711, ANNA, "support"),
        SetPriority(4711, ANNA, "high"),
        SetTags(4711, ANNA, ("vip",)),
        Snooze(4711, ANNA, 2e9),
        AddNote(4711, ANNA, "x", "1"),
        AddOutcome(4711, ANNA, SALE),
    ],
)
async def test_a_case_that_does_not_exist_is_not_found(world: World, command: Any) -> None:
    with pytest.raises(NotFound):
        await world.submit(command)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: MoveToTeam(n, ANNA, "support"),
        lambda n: SetPriority(n, ANNA, "high"),
        lambda n: Snooze(n, ANNA, 2e9),
    ],
)
async def test_a_closed_case_is_not_moved_put_in_order_or_snoozed(world: World, make: Any) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    with pytest.raises(IllegalTransition, match="resolved"):
        await world.submit(make(number))


# --- take over ------------------------------------------------------------------------------------------------


async def test_a_lead_who_says_so_takes_a_case_over(world: World) -> None:
    number = await world.claimed()
    answer = await world.submit(Claim(number, LEA, take_over=True))
    assert (answer.owner, answer.stage) == ("Lea Lind", "active")
    claimed = await _newest(world, number, Kind.CLAIMED)
    assert (claimed.name, claimed.data["from"]) == ("Lea Lind", "Anna Berg")
    await world.settle()
    line = _posts(world, (await world.binding(number)).root)[-1]
    assert line.mentions == ("U-lea", "U-anna")
    assert line.text == texts.thread.line_taken_over("Lea Lind", "Anna Berg")


async def test_a_lead_who_does_not_say_so_is_told_who_has_it(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(AlreadyClaimed, match="Anna Berg claimed this"):
        await world.submit(Claim(number, LEA))


async def test_an_operator_may_not_take_over_and_learns_who_may(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(NotAllowed, match="only a lead"):
        await world.submit(Claim(number, BEN, take_over=True))
    assert (await world.case(number)).owner_id is not None


async def test_anybody_claims_an_unowned_case_whatever_the_button_said(world: World) -> None:
    number = await world.escalate()
    assert (await world.submit(Claim(number, BEN, take_over=True))).owner == "Ben Cho"
    assert "from" not in (await _newest(world, number, Kind.CLAIMED)).data


async def test_taking_over_ones_own_case_changes_nothing(world: World) -> None:
    number = await world.escalate()
    await world.submit(Claim(number, LEA))
    head = (await world.case(number)).head
    assert (await world.submit(Claim(number, LEA, take_over=True))).whisper == texts.answers.already_yours()
    assert (await world.case(number)).head == head


# --- priority -------------------------------------------------------------------------------------------------


async def test_a_priority_moves_the_case_in_the_queue_and_is_said_once(world: World) -> None:
    first = await world.escalate()
    second = await world.escalate("c-2", shopper=commands.ShopperFacts("s-2"))
    await world.submit(SetPriority(second, ANNA, " Urgent "))
    await world.submit(SetPriority(second, ANNA, "urgent"))
    assert (await world.case(second)).priority == "urgent"
    assert (await world.kinds(second)).count("prioritised") == 1
    queue = await world.read(lambda uow: [one.number for one in uow.conversations.queue("support")])
    assert queue == [second, first]
    await world.settle()
    assert texts.thread.line_prioritised("Anna Berg", "urgent", "normal") in await world.thread(second)


async def test_a_misspelt_priority_is_answered_with_what_was_meant(world: World) -> None:
    number = await world.escalate()
    with pytest.raises(Refused, match="Did you mean urgent") as refused:
        await world.submit(SetPriority(number, ANNA, "urgnet"))
    assert (refused.value.field, refused.value.facts["meant"]) == ("priority", "urgent")


# --- tags -----------------------------------------------------------------------------------------------------


async def test_tags_are_kept_in_one_form(world: World) -> None:
    number = await world.escalate()
    await world.submit(SetTags(number, ANNA, ("#VIP", " Broken   lamp ", "vip", "", "#")))
    assert (await world.case(number)).tags == ["vip", "broken lamp"]
    await world.submit(SetTags(number, ANNA, ("vip", "broken lamp")))
    assert (await world.kinds(number)).count("tagged") == 1
    await world.submit(SetTags(number, ANNA, ()))
    assert (await world.case(number)).tags == []


async def test_a_closed_case_can_still_be_tagged_and_its_card_says_so(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.submit(SetTags(number, BEN, ("vip",)))
    await world.settle(2)
    assert "#vip" in world.chat.card((await world.binding(number)).root).footer


@pytest.mark.parametrize("tags", [tuple(f"t{n}" for n in range(13)), ("x" * 33,)])
async def test_too_many_or_too_long_tags_are_refused(world: World, tags: tuple[str, ...]) -> None:
    number = await world.escalate()
    with pytest.raises(Refused):
        await world.submit(SetTags(number, ANNA, tags))
    assert (await world.case(number)).tags == []


# --- snooze ---------------------------------------------------------------------------------------------------


async def test_a_snooze_changes_no_stage_and_ends_by_its_time(world: World) -> None:
    number = await world.claimed()
    until = world.clock() + 7200
    await world.submit(Snooze(number, ANNA, until))
    case = await world.case(number)
    assert (case.stage, case.snoozed_until) == ("active", until)
    await _due(world, "snooze", number)
    assert (await world.case(number)).snoozed_until is None
    assert (await _newest(world, number, Kind.WOKEN)).data == {"why": "time"}
    await world.settle()
    woken = _posts(world, (await world.binding(number)).root)[-1]
    assert (woken.text, woken.mentions) == (texts.thread.line_woken("time", None), ("U-anna",))


async def test_a_claim_ends_a_snooze_without_a_line_of_its_own(world: World) -> None:
    number = await world.escalate()
    await world.submit(Snooze(number, ANNA, world.clock() + 7200))
    await world.submit(Claim(number, BEN))
    assert (await world.case(number)).snoozed_until is None
    assert "snooze" not in await world.due_rows()
    assert (await _newest(world, number, Kind.WOKEN)).data == {"why": "claim"}
    await world.settle()
    assert not any("snooze is over" in line for line in await world.thread(number))


async def test_the_shopper_ends_a_snooze_and_the_owner_is_called(world: World) -> None:
    number = await world.claimed()
    await world.writes("Anyone?")
    await world.submit(Snooze(number, ANNA, world.clock() + 7200))
    await world.writes("Hello?")
    assert (await world.case(number)).snoozed_until is None
    assert (await world.due_rows())["idle"] == 600
    await world.settle()
    woken = _posts(world, (await world.binding(number)).root)[-1]
    assert (woken.text, woken.mentions) == (texts.thread.line_woken("shopper", None), ("U-anna",))


async def test_a_snooze_is_ended_by_hand(world: World) -> None:
    number = await world.claimed()
    assert (await world.submit(Snooze(number, ANNA, None))).whisper == texts.answers.not_snoozed(number)
    await world.submit(Snooze(number, ANNA, world.clock() + 7200))
    await world.submit(Snooze(number, ANNA, None))
    assert (await world.case(number)).snoozed_until is None
    await world.settle()
    assert texts.thread.line_woken("operator", "Anna Berg") in await world.thread(number)


async def test_while_snoozed_no_owner_is_idle_and_nothing_is_closed_for_silence(world: World) -> None:
    number = await world.claimed()
    await world.writes("Anyone?")
    three_days = 3 * 24 * 3600.0
    await world.submit(Snooze(number, ANNA, world.clock() + three_days))
    rows = await world.due_rows()
    assert not {"idle", "nudge"} & rows.keys()
    assert rows["stale"] == three_days + world.settings.followup.stale_shopper


async def test_the_same_snooze_again_changes_nothing(world: World) -> None:
    number = await world.claimed()
    for _ in range(2):
        await world.submit(Snooze(number, ANNA, world.clock() + 7200))
    assert (await world.kinds(number)).count("snoozed") == 1


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 91 * 24 * 3600.0, float("nan")])
async def test_a_snooze_ends_in_the_future_and_not_too_far_in_it(world: World, seconds: float) -> None:
    number = await world.claimed()
    with pytest.raises(Refused, match="ends in the future"):
        await world.submit(Snooze(number, ANNA, world.clock() + seconds))


async def test_somebodys_case_is_theirs_or_a_leads_to_snooze(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(NotAllowed):
        await world.submit(Snooze(number, BEN, world.clock() + 60))
    await world.submit(Snooze(number, LEA, world.clock() + 60))
    assert (await world.case(number)).snoozed_until == world.clock() + 60


@pytest.mark.parametrize("make", [lambda n: Resolve(n, ANNA), lambda n: HandBack(n, ANNA)])
async def test_a_case_that_ends_is_not_snoozed_any_more(world: World, make: Any) -> None:
    number = await world.claimed()
    await world.submit(Snooze(number, ANNA, world.clock() + 7200))
    await world.submit(make(number))
    assert (await world.case(number)).snoozed_until is None
    assert "snooze" not in await world.due_rows()


# --- note -----------------------------------------------------------------------------------------------------


async def test_a_note_stands_in_the_thread_and_never_reaches_the_shopper(world: World) -> None:
    number = await world.claimed()
    for _ in range(2):
        await world.submit(AddNote(number, BEN, " She called before. ", "form-1"))
    note = await _newest(world, number, Kind.ASIDE)
    assert (note.audience, note.source, note.text) == (Audience.TEAM, "note", "She called before.")
    assert (await world.kinds(number)).count("aside") == 1
    await world.settle()
    assert "Ben: She called before. [inside]" in await world.thread(number)
    assert "She called before." not in await world.to_shopper(number)


async def test_an_empty_note_is_refused(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(Refused, match="empty"):
        await world.submit(AddNote(number, ANNA, "  ", "1"))


async def test_a_note_and_an_outcome_are_shown_in_a_closed_thread_too(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    await world.submit(AddNote(number, ANNA, "Refund is on its way", "1"))
    await world.submit(AddOutcome(number, ANNA, SALE))
    await world.settle()
    shown = await world.thread(number)
    assert shown[-2] == "Anna: Refund is on its way [inside]"
    assert shown[-1] == "Outcome: sale, 129.00 EUR: paid by card"
    await world.writes("One more question")
    await world.settle()
    assert (await world.thread(number)).count(shown[-2]) == 1


# --- outcome --------------------------------------------------------------------------------------------------


async def test_an_outcome_is_recorded_once_and_stands_on_the_resolved_card(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    for _ in range(2):
        await world.submit(AddOutcome(number, BEN, SALE))
    recorded = {"kind": "sale", "amount": 129.0, "currency": "EUR", "note": "paid by card"}
    assert (await world.case(number)).outcome == recorded
    assert (await world.kinds(number)).count("outcome") == 1
    assert (await _newest(world, number, Kind.OUTCOME)).data == recorded
    await world.settle(2)
    card = world.chat.card((await world.binding(number)).root)
    assert (card.fields[0].label, card.fields[0].text) == ("Outcome", "sale, 129.00 EUR: paid by card")


async def test_an_outcome_comes_with_resolving_and_before_it(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA, SALE))
    kinds = await world.kinds(number)
    assert kinds.index("outcome") < kinds.index("resolved")
    await world.settle()
    assert "Outcome: sale, 129.00 EUR: paid by card" in await world.thread(number)


async def test_a_wrong_outcome_leaves_the_case_as_it_was(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(Refused, match="Did you mean refund"):
        await world.submit(Resolve(number, ANNA, Outcome("refnd")))
    for amount in (-1.0, float("nan"), float("inf")):
        with pytest.raises(Refused, match="no amount"):
            await world.submit(AddOutcome(number, ANNA, Outcome("sale", amount)))
    case = await world.case(number)
    assert (case.stage, case.outcome) == ("active", None)


async def test_a_conversation_that_no_person_was_needed_in_has_no_outcome(world: World) -> None:
    await world.writes("hello")
    case = await world.read(lambda uow: uow.conversations.named("main", "c-1"))
    assert case is not None
    with pytest.raises(Refused, match="no outcome"):
        await world.submit(AddOutcome(case.number, ANNA, SALE))


async def test_the_stores_outcome_is_the_cases_too(world: World) -> None:
    number = await world.claimed()
    await world.submit(commands.RecordOutcome("main", "c-1", "refund", 10.0, "EUR"))
    assert (await world.case(number)).outcome == {
        "kind": "refund", "amount": 10.0, "currency": "EUR", "note": "",
    }  # fmt: skip


# --- away -----------------------------------------------------------------------------------------------------


async def _operator(world: World, actor: Actor) -> Any:
    return await world.read(
        lambda uow: next(
            one for one in (uow.people.operator(n) for n in range(1, 9)) if one and one.name == actor.name
        )
    )


async def test_who_goes_away_is_told_which_cases_are_still_theirs(world: World) -> None:
    first = await world.claimed()
    second = await world.escalate("c-2", shopper=commands.ShopperFacts("s-2"))
    await world.submit(Claim(second, ANNA))
    answer = await world.submit(GoAway(ANNA))
    assert (answer.away, answer.until, answer.open_cases) == (True, None, (first, second))
    assert "2 open cases" in answer.whisper
    assert (await _operator(world, ANNA)).is_away(world.clock() + 1e6)
    assert (await world.case(first)).stage == "active"


async def test_away_until_a_time_ends_by_itself(world: World) -> None:
    until = world.clock() + 3600
    answer = await world.submit(GoAway(ANNA, until))
    assert answer.until == until
    anna = await _operator(world, ANNA)
    assert anna.is_away(until - 1)
    assert not anna.is_away(until)


async def test_the_newest_word_on_being_away_counts(world: World) -> None:
    await world.submit(GoAway(ANNA))
    since = (await _operator(world, ANNA)).away_since
    world.clock.advance(60)
    await world.submit(GoAway(ANNA, world.clock() + 60))
    anna = await _operator(world, ANNA)
    assert (anna.away_since, anna.away_until) == (since, world.clock() + 60)


async def test_away_until_a_time_that_is_over_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="over already"):
        await world.submit(GoAway(ANNA, world.clock()))


async def test_back_is_back_and_said_twice_it_changes_nothing(world: World) -> None:
    await world.submit(GoAway(ANNA))
    assert (await world.submit(ComeBack(ANNA))).whisper == texts.answers.come_back(0)
    assert not (await _operator(world, ANNA)).is_away(world.clock())
    assert (await world.submit(ComeBack(ANNA))).whisper == texts.answers.not_away()


async def test_whoever_assigns_to_somebody_away_is_told_so(world: World) -> None:
    number = await world.escalate()
    await world.submit(GoAway(BEN))
    answer = await world.submit(Assign(number, ANNA, BEN))
    assert (answer.owner, answer.whisper) == ("Ben Cho", texts.answers.assigned_to_away("Ben Cho"))


# --- an idle owner --------------------------------------------------------------------------------------------


async def test_an_idle_owner_is_reminded_after_five_minutes_and_loses_the_case_after_ten(
    world: World,
) -> None:
    number = await world.claimed()
    await world.writes("Anyone?")
    rows = await world.due_rows()
    assert (rows["nudge"], rows["idle"]) == (300, 600)
    await _due(world, "nudge", number)
    alerted = await _newest(world, number, Kind.ALERTED)
    assert alerted.data["code"] == "idle"
    assert (await world.case(number)).stage == "active"
    await world.settle()
    post = _posts(world, (await world.binding(number)).root)[-1]
    assert (post.kind, post.mentions) == (PostKind.ALERT, ("U-anna",))
    await _due(world, "idle", number)
    assert (await world.case(number)).stage == "waiting"


async def test_an_owner_who_answered_is_not_reminded(world: World) -> None:
    number = await world.claimed()
    await world.writes("Anyone?")
    await world.says(number, "Here I am")
    assert "nudge" not in await world.due_rows()


async def test_more_of_the_shoppers_words_give_the_owner_no_more_time(world: World) -> None:
    await world.claimed()
    await world.writes("Anyone?")
    world.clock.advance(200)
    await world.writes("Hello?")
    assert (await world.due_rows())["nudge"] == 100


@pytest.fixture
def nobody_is_in(settings: Settings) -> Settings:
    """A team that is there on Tuesdays only; the test's day is a Monday."""
    return with_team(settings, hours=parse_hours({"tue": "09:00-17:00"}))


async def test_outside_hours_nobody_is_reminded(
    nobody_is_in: Settings, clock: ManualClock, chat: FakeChat
) -> None:
    world = World(nobody_is_in, clock, chat)
    world.start()
    number = await world.claimed()
    await world.writes("Anyone?")
    await _due(world, "nudge", number)
    assert "alerted" not in await world.kinds(number)
    await world.stop()


async def test_a_reminder_that_would_come_after_the_release_is_left_out(
    settings: Settings, clock: ManualClock, chat: FakeChat
) -> None:
    hasty = replace(settings, followup=Followup(idle_nudge=600, idle_release=600))
    world = World(hasty, clock, chat)
    world.start()
    await world.claimed()
    await world.writes("Anyone?")
    assert "nudge" not in await world.due_rows()
    await world.stop()


# --- alerts of others -----------------------------------------------------------------------------------------


async def _alert(world: World, number: int, data: dict[str, Any]) -> None:
    """As another handler would append it."""
    writer: Writer = world.writer
    known = dict(writer._handlers)
    writer._handlers[_Append] = lambda uow, command: uow.log.append(
        uow.conversations.get(number), Draft(Kind.ALERTED, data=command.data)
    )
    await world.submit(_Append(data))
    writer._handlers = known
    await world.settle()


class _Append:
    def __init__(self, data: dict[str, Any]):
        self.data = data


async def test_an_alert_says_its_text_and_calls_whom_it_names(world: World) -> None:
    number = await world.claimed()
    anna = (await world.case(number)).owner_id
    data = {"code": "late", "text": "Far too late", "mention": [anna], "mention_accounts": ["here", "S1"]}
    await _alert(world, number, data)
    post = _posts(world, (await world.binding(number)).root)[-1]
    assert (post.kind, post.text, post.mentions) == (PostKind.ALERT, "Far too late", ("U-anna", "here", "S1"))


async def test_an_alert_without_words_still_asks_to_look(world: World) -> None:
    number = await world.claimed()
    await _alert(world, number, {"code": "nobody_there"})
    assert (await world.thread(number))[-1] == texts.thread.alert("nobody_there")


async def test_who_is_on_another_platform_is_named_in_an_alert(world: World) -> None:
    number = await world.escalate()
    await world.submit(Claim(number, Actor("elsewhere", "7", "Eve Else")))
    owner = (await world.case(number)).owner_id
    await _alert(world, number, {"code": "x", "text": "Look", "mention": [owner]})
    post = _posts(world, (await world.binding(number)).root)[-1]
    assert (post.text, post.mentions) == ("Eve Else: Look", ())


# --- released -------------------------------------------------------------------------------------------------


async def test_a_released_case_stays_snoozed(world: World) -> None:
    number = await world.claimed()
    until = world.clock() + 7200
    await world.submit(Snooze(number, ANNA, until))
    await world.submit(Release(number, ANNA))
    assert (await world.case(number)).snoozed_until == until
