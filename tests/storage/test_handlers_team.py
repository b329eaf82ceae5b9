"""What operators do with a case and write in its thread, on the real writer."""

import asyncio

import pytest

from bot import commands, texts
from bot.commands import Assign, Claim, HandBack, OperatorWrites, Release, Resolve, SendAside
from bot.entries import Audience
from bot.errors import AlreadyClaimed, IllegalTransition, NotAllowed, NotFound, Refused
from bot.posts import Action, Place
from bot.settings import Settings
from tests.fakes.chat import FakeChat
from tests.storage.world import ANNA, BEN, GUEST, LEA, ManualClock, World, with_team

# --- claim ----------------------------------------------------------------------------------------------------


async def test_of_many_who_claim_at_once_one_wins_and_the_others_are_told_who(world: World) -> None:
    number = await world.escalate()
    results = await asyncio.gather(
        *(world.submit(Claim(number, actor)) for actor in (ANNA, BEN, LEA)), return_exceptions=True
    )
    won, *lost = results
    assert won.owner == "Anna Berg"
    for refusal in lost:
        assert isinstance(refusal, AlreadyClaimed)
        assert refusal.facts["owner"] == "Anna Berg"
        assert "Anna Berg claimed this" in refusal.message
    assert (await world.kinds(number)).count("claimed") == 1


async def test_a_second_click_of_the_winner_changes_nothing(world: World) -> None:
    number = await world.escalate()
    await world.submit(Claim(number, ANNA))
    head = (await world.case(number)).head
    assert (await world.submit(Claim(number, ANNA))).whisper == texts.answers.already_yours()
    assert (await world.case(number)).head == head


async def test_an_operator_may_step_in_while_the_assistant_answers(world: World) -> None:
    await world.writes("hello")
    case = await world.read(lambda uow: uow.conversations.named("main", "c-1"))
    assert case is not None
    await world.submit(Claim(case.number, ANNA))
    assert ((await world.case(case.number)).stage, (await world.case(case.number)).handoff) == ("active", 1)
    assert await world.codes(case.number) == ["claimed"]


async def test_claiming_a_resolved_case_goes_on_with_its_handoff(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.submit(Claim(number, BEN))
    case = await world.case(number)
    assert (case.stage, case.handoff, case.handoffs_ended, case.resolved_at) == ("active", 1, 0, None)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: Claim(n, GUEST),
        lambda n: Assign(n, GUEST, ANNA),
        lambda n: Assign(n, ANNA, GUEST),
        lambda n: Release(n, GUEST),
        lambda n: HandBack(n, GUEST),
        lambda n: Resolve(n, GUEST),
        lambda n: OperatorWrites(n, GUEST, "x", "1"),
        lambda n: SendAside(n, 1, Action.SEND, GUEST),
    ],
)
async def test_guests_may_do_nothing(world: World, make: object) -> None:
    number = await world.escalate()
    head = (await world.case(number)).head
    with pytest.raises(NotAllowed):
        await world.submit(make(number))  # type: ignore[operator]
    assert (await world.case(number)).head == head


async def test_a_case_that_does_not_exist_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await world.submit(Claim(4711, ANNA))


# --- assign ---------------------------------------------------------------------------------------------------


async def test_an_unowned_case_may_be_given_by_any_operator(world: World) -> None:
    number = await world.escalate()
    assert (await world.submit(Assign(number, ANNA, BEN))).owner == "Ben Cho"


async def test_an_owned_case_is_the_owners_or_a_leads_to_give(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(NotAllowed):
        await world.submit(Assign(number, BEN, BEN))
    assert (await world.submit(Assign(number, ANNA, BEN))).owner == "Ben Cho"
    assert (await world.submit(Assign(number, LEA, ANNA))).owner == "Anna Berg"
    assert (await world.codes(number))[-1] == "claimed"


async def test_assigning_to_the_owner_changes_nothing(world: World) -> None:
    number = await world.claimed()
    head = (await world.case(number)).head
    await world.submit(Assign(number, LEA, ANNA))
    assert (await world.case(number)).head == head


# --- release, hand back, resolve ------------------------------------------------------------------------------


async def test_a_released_case_is_back_at_its_old_place(world: World) -> None:
    number = await world.escalate()
    since = (await world.case(number)).waiting_since
    world.clock.advance(100)
    later = await world.escalate("c-2", shopper=commands.ShopperFacts("s-2"))
    await world.submit(Claim(number, ANNA))
    await world.submit(Release(number, ANNA))
    case = await world.case(number)
    assert (case.stage, case.owner_id, case.waiting_since) == ("waiting", None, since)
    queue = await world.read(lambda uow: [one.number for one in uow.conversations.queue("support")])
    assert queue == [number, later]
    assert "card" in await world.due_rows()


async def test_only_the_owner_or_a_lead_releases_or_hands_back(world: World) -> None:
    number = await world.claimed()
    for command in (Release(number, BEN), HandBack(number, BEN)):
        with pytest.raises(NotAllowed):
            await world.submit(command)
    assert (await world.submit(Release(number, LEA))).stage == "waiting"
    assert (await world.submit(HandBack(number, BEN))).stage == "open"


async def test_what_the_stage_does_not_allow_is_refused(world: World) -> None:
    number = await world.escalate()
    with pytest.raises(IllegalTransition):
        await world.submit(Release(number, ANNA))
    await world.submit(HandBack(number, ANNA))
    with pytest.raises(IllegalTransition):
        await world.submit(HandBack(number, ANNA))


async def test_any_operator_resolves_and_again_changes_nothing(world: World) -> None:
    number = await world.claimed()
    assert (await world.submit(Resolve(number, BEN))).stage == "resolved"
    head = (await world.case(number)).head
    assert (await world.submit(Resolve(number, ANNA))).whisper == texts.answers.done_resolved(number)
    assert (await world.case(number)).head == head


# --- what is written in a thread ------------------------------------------------------------------------------


async def test_the_owners_words_leave_and_nobody_elses(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello Sarah")
    await world.says(number, "I know this one", actor=BEN)
    await world.says(number, "note: she is cross")
    await world.says(number, "hi", actor=GUEST)
    await world.says(number, "what do you think", addressed="person")
    await world.says(number, "relaese", addressed="bot")
    assert await world.to_shopper(number) == ["My lamp broke", "Hello Sarah"]
    offers = [entry.data.get("offer") for entry in await world.log(number) if entry.kind == "aside"]
    assert offers == ["send_as_me", "send", None, "send", None]
    assert all(entry.audience is Audience.TEAM for entry in await world.log(number) if entry.kind == "aside")


async def test_a_misspelt_command_is_never_relayed_not_even_by_a_button(world: World) -> None:
    number = await world.claimed()
    answer = await world.says(number, "relaese", addressed="bot")
    assert "Did you mean `release`?" in answer.whisper
    seq = (await world.log(number))[-1].seq
    for action in (Action.SEND, Action.SEND_AS_ME, Action.TAKE_OVER):
        with pytest.raises(NotFound):
            await world.submit(SendAside(number, seq, action, ANNA))
    assert await world.to_shopper(number) == ["My lamp broke"]


async def test_in_alerts_mode_nothing_leaves(settings: Settings, clock: ManualClock, chat: FakeChat) -> None:
    world = World(with_team(settings, relay="alerts"), clock, chat)
    world.start()
    number = await world.claimed()
    await world.says(number, "Hello Sarah")
    assert await world.to_shopper(number) == ["My lamp broke"]
    await world.stop()


async def test_a_message_that_arrives_twice_counts_once(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    assert await world.says(number, "Hello", "m1") is None
    assert await world.to_shopper(number) == ["My lamp broke", "Hello"]


async def test_a_message_of_a_thread_that_is_not_ours_is_nobodys(world: World) -> None:
    heard = world.heard("hi", "m1")
    assert await world.submit(commands.ThreadMessage(Place("fake", "C1", "other"), heard, ANNA)) is None


async def test_a_message_that_arrives_after_a_later_one_is_last_and_marked_late(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "second", "m2")
    await world.says(number, "first", "m1")
    second, first = (await world.log(number))[-2:]
    assert (second.text, second.late, first.text, first.late) == ("second", False, "first", True)


async def test_a_reply_in_a_resolved_thread_stays_inside_and_offers_to_reopen(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.says(number, "One more thing")
    entry = (await world.log(number))[-1]
    assert (entry.kind, entry.data["offer"]) == ("aside", "reopen_and_send")
    await world.submit(SendAside(number, entry.seq, Action.REOPEN_AND_SEND, ANNA))
    assert (await world.case(number)).stage == "active"
    assert (await world.to_shopper(number))[-1] == "One more thing"


# --- edits and deletes in a thread ----------------------------------------------------------------------------


async def test_an_edit_reaches_the_shopper_once(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Helo", "m1")
    await world.edits(number, "Hello", "m1", "2")
    await world.edits(number, "Hello", "m1", "2")
    assert (await world.to_shopper(number))[-1] == "Hello"
    assert (await world.kinds(number)).count("edited") == 1


async def test_an_older_edit_changes_nothing(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "a", "m1")
    await world.edits(number, "c", "m1", "3")
    await world.edits(number, "b", "m1", "2")
    assert (await world.to_shopper(number))[-1] == "c"


async def test_an_older_edit_changes_nothing_when_the_newest_brought_the_first_text_back(
    world: World,
) -> None:
    number = await world.claimed()
    await world.says(number, "a", "m1")
    await world.edits(number, "a", "m1", "3")
    await world.edits(number, "b", "m1", "2")
    assert (await world.to_shopper(number))[-1] == "a"


async def test_an_edit_of_an_unknown_message_is_that_message(world: World) -> None:
    number = await world.claimed()
    await world.edits(number, "Hello", "m1", "5")
    await world.says(number, "Helo", "m1")
    await world.edits(number, "Hell", "m1", "4")
    assert await world.to_shopper(number) == ["My lamp broke", "Hello"]


async def test_a_delete_takes_the_message_back(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Oops", "m1")
    await world.deletes(number, "m1")
    await world.deletes(number, "m1")
    await world.edits(number, "Oops again", "m1", "9")
    assert await world.to_shopper(number) == ["My lamp broke"]
    assert (await world.kinds(number)).count("deleted") == 1


async def test_a_delete_of_an_unknown_message_leaves_a_tombstone(world: World) -> None:
    number = await world.claimed()
    await world.deletes(number, "m1")
    assert await world.says(number, "Oops", "m1") is None
    assert await world.edits(number, "Oops", "m1", "3") is None
    assert await world.to_shopper(number) == ["My lamp broke"]


async def test_an_edit_that_makes_a_relayed_message_an_aside_is_a_delete_for_the_shopper(
    world: World,
) -> None:
    number = await world.claimed()
    await world.says(number, "She is a fraud", "m1")
    await world.edits(number, "note: She is a fraud", "m1", "3")
    assert await world.to_shopper(number) == ["My lamp broke"]
    deleted, aside = (await world.log(number))[-2:]
    assert (deleted.kind, deleted.audience) == ("deleted", Audience.SHOPPER)
    assert (aside.kind, aside.audience, aside.text) == ("aside", Audience.TEAM, "note: She is a fraud")
    await world.edits(number, "She is a fraud!", "m1", "2")
    assert (await world.log(number))[-1].text == "note: She is a fraud"


async def test_an_edit_never_turns_a_note_outward(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "note: she is cross", "m1")
    await world.edits(number, "she is cross", "m1", "2")
    assert await world.to_shopper(number) == ["My lamp broke"]
    edited = (await world.log(number))[-1]
    assert (edited.kind, edited.audience) == ("edited", Audience.TEAM)


async def test_an_edit_of_what_was_relayed_and_then_noted_never_comes_back(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "secret", "m1")
    await world.edits(number, "note: secret", "m1", "2")
    await world.edits(number, "secret", "m1", "3")
    await world.deletes(number, "m1")
    assert await world.to_shopper(number) == ["My lamp broke"]


# --- sending an aside after all -------------------------------------------------------------------------------


async def _aside(world: World, number: int, text: str = "I can help", **rest: object) -> int:
    await world.says(number, text, "m-aside", **rest)  # type: ignore[arg-type]
    return (await world.log(number))[-1].seq


async def test_claim_and_send_takes_the_case_and_sends(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    seq = await _aside(world, number)
    done = await world.submit(SendAside(number, seq, Action.CLAIM_AND_SEND, ANNA))
    assert (done.stage, done.owner) == ("active", "Anna Berg")
    assert (await world.to_shopper(number))[-1] == "I can help"


async def test_claim_and_send_after_somebody_claimed_is_told_so_and_sends_nothing(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    seq = await _aside(world, number)
    await world.submit(Claim(number, BEN))
    with pytest.raises(AlreadyClaimed):
        await world.submit(SendAside(number, seq, Action.CLAIM_AND_SEND, ANNA))
    assert await world.to_shopper(number) == ["My lamp broke"]


async def test_the_owner_may_send_their_own_note_without_its_mark(world: World) -> None:
    number = await world.claimed()
    seq = await _aside(world, number, "note: we can refund")
    with pytest.raises(NotAllowed):
        await world.submit(SendAside(number, seq, Action.SEND, BEN))
    await world.submit(SendAside(number, seq, Action.SEND, ANNA))
    assert (await world.to_shopper(number))[-1] == "we can refund"


async def test_send_as_me_leaves_under_the_name_of_who_clicks_and_keeps_the_owner(world: World) -> None:
    number = await world.claimed()
    seq = await _aside(world, number, actor=BEN)
    done = await world.submit(SendAside(number, seq, Action.SEND_AS_ME, BEN))
    message = (await world.log(number))[-1]
    assert (done.owner, message.name, message.text) == ("Anna Berg", "Ben", "I can help")


async def test_taking_over_is_a_leads_to_do(world: World) -> None:
    number = await world.claimed()
    seq = await _aside(world, number, actor=BEN)
    with pytest.raises(NotAllowed):
        await world.submit(SendAside(number, seq, Action.TAKE_OVER, BEN))
    assert await world.to_shopper(number) == ["My lamp broke"]
    done = await world.submit(SendAside(number, seq, Action.TAKE_OVER, LEA))
    assert done.owner == "Lea Lind"
    assert (await world.to_shopper(number))[-1] == "I can help"


async def test_an_aside_is_sent_once_whoever_clicks(world: World) -> None:
    number = await world.claimed()
    seq = await _aside(world, number, actor=BEN)
    results = await asyncio.gather(
        *(world.submit(SendAside(number, seq, Action.SEND_AS_ME, actor)) for actor in (ANNA, BEN, LEA))
    )
    assert [one.whisper for one in results] == [
        None,
        texts.answers.sent_already(),
        texts.answers.sent_already(),
    ]
    assert (await world.to_shopper(number)).count("I can help") == 1


async def test_a_removed_aside_cannot_be_sent(world: World) -> None:
    number = await world.claimed()
    seq = await _aside(world, number, actor=BEN)
    await world.deletes(number, "m-aside")
    with pytest.raises(Refused):
        await world.submit(SendAside(number, seq, Action.SEND_AS_ME, BEN))
    assert await world.to_shopper(number) == ["My lamp broke"]


async def test_a_sent_asides_edits_and_deletes_reach_the_shopper(world: World) -> None:
    number = await world.claimed()
    seq = await _aside(world, number, "I can hlep", actor=BEN)
    await world.submit(SendAside(number, seq, Action.SEND_AS_ME, BEN))
    await world.edits(number, "I can help", "m-aside", "2", actor=BEN)
    assert (await world.to_shopper(number))[-1] == "I can help"
    await world.deletes(number, "m-aside")
    assert await world.to_shopper(number) == ["My lamp broke"]


async def test_what_is_no_aside_cannot_be_sent(world: World) -> None:
    number = await world.claimed()
    for seq in (1, 99):
        with pytest.raises(NotFound):
            await world.submit(SendAside(number, seq, Action.SEND, ANNA))


# --- the console ----------------------------------------------------------------------------------------------


async def test_a_console_reply_leaves_by_the_same_rules_and_counts_once(world: World) -> None:
    number = await world.claimed()
    for _ in range(2):
        await world.submit(OperatorWrites(number, ANNA, "Hello", "p1"))
    await world.submit(OperatorWrites(number, BEN, "Me too", "p2"))
    await world.submit(OperatorWrites(number, ANNA, "// stock is low", "p3"))
    assert await world.to_shopper(number) == ["My lamp broke", "Hello"]
    assert [entry.data.get("offer") for entry in (await world.log(number))[-2:]] == ["send_as_me", "send"]


# --- due rows -------------------------------------------------------------------------------------------------


async def _due(world: World, kind: str, number: int) -> None:
    """The scheduler's tick for one row, at the time it is due."""
    rows = await world.read(lambda uow: uow.due.ripe(float("inf"), 100))
    at = next(due_at for name, case, due_at in rows if (name, case) == (kind, number))
    world.clock.now = max(world.clock.now, at)
    await world.submit(commands.RunDue(kind, number, at))


async def test_a_silent_shopper_is_resolved_after_a_day(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Does it work now?")
    assert (await world.due_rows())["stale"] == 24 * 3600
    await _due(world, "stale", number)
    assert (await world.case(number)).stage == "resolved"
    assert (await world.codes(number))[-1] == "resolved"


async def test_a_shopper_who_waits_for_an_answer_is_never_closed(world: World) -> None:
    number = await world.claimed()
    await world.writes("hello?")
    await _due(world, "stale", number)
    assert (await world.case(number)).stage == "active"
    assert "stale" in await world.due_rows()


async def test_a_waiting_case_has_no_clock_that_closes_it(world: World) -> None:
    await world.escalate()
    assert not {"stale", "idle"} & set(await world.due_rows())


async def test_an_untouched_open_conversation_is_closed_after_an_hour(world: World) -> None:
    await world.writes("hello")
    assert await world.due_rows() == {"stale": 3600.0}


async def test_an_idle_owner_loses_the_case_while_an_answer_is_due(world: World) -> None:
    number = await world.claimed()
    await world.writes("hello?")
    assert (await world.due_rows())["idle"] == 600
    await _due(world, "idle", number)
    case = await world.case(number)
    assert (case.stage, case.owner_id) == ("waiting", None)
    assert (await world.codes(number))[-1] == "released"


async def test_asking_again_gives_the_owner_no_more_time(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello")
    await world.writes("is it in stock?")
    world.clock.advance(500)
    await world.writes("hello??")
    assert (await world.due_rows())["idle"] == 100


async def test_an_owner_who_claims_late_has_their_full_time(world: World) -> None:
    number = await world.escalate()
    world.clock.advance(3000)
    await world.submit(Claim(number, ANNA))
    assert (await world.due_rows())["idle"] == 600


async def test_an_owner_who_answered_is_not_idle(world: World) -> None:
    number = await world.claimed()
    await world.writes("hello?")
    await world.says(number, "Hello")
    assert "idle" not in await world.due_rows()


async def test_a_due_row_is_acted_on_once(world: World) -> None:
    number = await world.claimed()
    await world.writes("hello?")
    rows = await world.read(lambda uow: uow.due.ripe(float("inf"), 100))
    at = next(due_at for kind, _, due_at in rows if kind == "idle")
    world.clock.now = at
    await asyncio.gather(*(world.submit(commands.RunDue("idle", number, at)) for _ in range(3)))
    assert (await world.kinds(number)).count("released") == 1


async def test_a_row_that_was_put_off_since_is_left_alone(world: World) -> None:
    number = await world.claimed()
    await world.writes("hello?")
    at = world.clock() + 600
    world.clock.advance(60)
    await world.says(number, "Hello")
    await world.writes("and now?")
    await world.submit(commands.RunDue("idle", number, at))
    assert (await world.case(number)).stage == "active"


async def test_a_waiting_cards_age_is_refreshed_less_and_less_often(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    await world.settle(2)
    gaps = []
    for _ in range(6):
        gaps.append((await world.due_rows())["card"])
        await _due(world, "card", number)
        await world.settle(2)
    assert gaps[0] == pytest.approx(58)
    assert gaps == sorted(gaps)
    assert gaps[-1] > 2 * gaps[0]
    await world.submit(Claim(number, ANNA))
    assert "card" not in await world.due_rows()
