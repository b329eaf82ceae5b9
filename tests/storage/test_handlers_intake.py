"""What a store's backend and a shopper's window ask, on the real writer."""

from dataclasses import replace
from typing import Any

import pytest

from bot import commands, hours, texts
from bot.commands import (
    Claim,
    DeleteTurn,
    EditTurn,
    Escalate,
    IssueToken,
    LogTurn,
    SaidTurn,
    ShopperFacts,
    ShopperWrites,
)
from bot.errors import IllegalTransition, NotFound, OtherShopper, PersonInControl
from bot.settings import Settings
from tests.fakes.chat import FakeChat
from tests.storage.world import ANNA, START, ManualClock, World, with_team

SARAH = ShopperFacts("s-1", "Sarah", "sarah@example.com", "vip", 3, 840.5, "USD", "en")


async def log_turn(
    world: World, author: str, text: str, message_id: str | None = None, **rest: Any
) -> dict[str, Any]:
    return await world.submit(LogTurn("main", "c-1", SaidTurn(author, text, message_id), **rest))


# --- escalations ----------------------------------------------------------------------------------------------


async def test_the_same_escalation_twice_is_one_handoff_and_one_answer(world: World) -> None:
    command = Escalate("main", "c-1", "hash", shopper=SARAH, transcript=(SaidTurn("shopper", "Help", "1"),))
    first = await world.submit(command)
    again = await world.submit(command)
    assert again == first
    assert (await world.kinds(first["number"])) == ["message", "escalated", "notice"]


async def test_the_same_escalation_id_with_another_body_gets_the_first_answer(world: World) -> None:
    first = await world.submit(Escalate("main", "c-1", "hash-a", escalation_id="e-1"))
    again = await world.submit(Escalate("main", "c-1", "hash-b", escalation_id="e-1", body={"category": "x"}))
    assert again == first
    assert (await world.case(first["number"])).category is None


async def test_another_escalation_while_waiting_adds_its_reason_and_no_handoff(world: World) -> None:
    number = await world.escalate()
    since = (await world.case(number)).waiting_since
    world.clock.advance(60)
    body = {"reason": {"trigger": "keyword", "rule": "legal", "detail": "lawyer"}}
    await world.submit(Escalate("main", "c-1", "other", body=body))
    case = await world.case(number)
    assert (case.handoff, case.waiting_since, case.stage) == (1, since, "waiting")
    assert (await world.kinds(number)).count("notice") == 1
    assert (await world.log(number))[-1].data["again"] is True


async def test_the_same_body_after_the_case_was_resolved_is_a_new_handoff(world: World) -> None:
    command = Escalate("main", "c-1", "hash", shopper=SARAH)
    number = (await world.submit(command))["number"]
    await world.submit(commands.ResolveByStore("main", "c-1"))
    again = await world.submit(command)
    assert (again["number"], again["stage"]) == (number, "waiting")
    assert (await world.case(number)).handoff == 2


async def test_an_answer_given_again_does_not_give_a_deleted_text_again(world: World) -> None:
    command = Escalate("main", "c-1", "hash", transcript=(SaidTurn("shopper", "my card is 4111", "1"),))
    assert "4111" in (await world.submit(command))["entries"][0]["text"]
    await world.submit(DeleteTurn("main", "c-1", "1"))
    assert (await world.submit(command))["entries"][0]["text"] == ""
    stored = await world.read(lambda uow: uow.inbox.answer("escalation:main:c-1:hash:0"))
    assert "4111" not in str(stored)


async def test_a_refused_escalation_is_not_remembered(world: World) -> None:
    await world.escalate(shopper=SARAH)
    other = Escalate("main", "c-1", "x", escalation_id="e", shopper=ShopperFacts("s-2"))
    with pytest.raises(OtherShopper):
        await world.submit(other)
    answer = await world.submit(replace(other, shopper=SARAH))
    assert answer["stage"] == "waiting"


async def test_the_packet_holds_what_the_store_said(world: World) -> None:
    body = {
        "category": "refund",
        "priority": "high",
        "summary": {"issue": "Refund for #4521", "tried": ["Credit"], "sentiment": "cross"},
        "collected": {"order_id": "4521"},
    }
    number = await world.escalate(shopper=SARAH, body=body)
    case = await world.case(number)
    assert (case.category, case.priority) == ("refund", "high")
    assert case.packet["customer"]["tier"] == "vip"
    assert case.packet["issue"] == "Refund for #4521"
    assert case.packet["collected"]["order_id"] == ["4521"]


async def test_earlier_cases_of_the_same_shopper_stand_in_the_packet(world: World) -> None:
    first = await world.escalate("c-1", "The first issue", shopper=SARAH)
    await world.submit(commands.ResolveByStore("main", "c-1"))
    second = await world.escalate("c-2", "The second", shopper=SARAH)
    (earlier,) = (await world.case(second)).packet["earlier"]
    assert (earlier["number"], earlier["issue"], earlier["outcome"]) == (first, "The first issue", "resolved")


# --- transcripts and turns ------------------------------------------------------------------------------------


async def test_transcript_items_the_log_has_are_skipped_and_the_others_keep_their_order(world: World) -> None:
    await log_turn(world, "shopper", "one", "1", shopper=SARAH)
    await log_turn(world, "assistant", "two", "2")
    turns = tuple(
        SaidTurn("shopper", text, its_id)
        for its_id, text in (("1", "one"), ("3", "three"), ("2", "two"), ("4", "four"))
    )
    number = await world.escalate(transcript=turns, shopper=SARAH)
    said = [entry.text for entry in await world.log(number) if entry.kind == "message"]
    assert said == ["one", "two", "three", "four"]


async def test_an_item_without_an_id_is_known_by_author_text_and_time(world: World) -> None:
    turns = (
        SaidTurn("shopper", "hello", at=START),
        SaidTurn("shopper", "hello", at=START),
        SaidTurn("shopper", "hello", at=START + 1),
        SaidTurn("assistant", "hello", at=START),
    )
    number = await world.escalate(transcript=turns)
    assert (await world.kinds(number)).count("message") == 3


async def test_a_turn_logged_twice_is_stored_once_and_answered_alike(world: World) -> None:
    first = await log_turn(world, "shopper", "I want a refund", "1", shopper=SARAH)
    assert first["escalated"] is True
    assert first["trigger"]["rule"] == "refund"
    assert first["assistant_may_reply"] is False
    assert await log_turn(world, "shopper", "I want a refund", "1") == first


async def test_a_turn_that_came_by_a_transcript_is_not_stored_again(world: World) -> None:
    number = await world.escalate("c-1", "Help")
    head = (await world.case(number)).head
    answer = await log_turn(world, "shopper", "Help", "t0")
    assert answer["seq"] == 1
    assert (await world.case(number)).head == head


async def test_the_assistant_is_refused_while_a_person_is_needed_or_engaged(world: World) -> None:
    number = await world.escalate()
    for claim in (False, True):
        if claim:
            await world.submit(Claim(number, ANNA))
        head = (await world.case(number)).head
        with pytest.raises(PersonInControl):
            await log_turn(world, "assistant", "Let me help", "a1")
        assert (await world.case(number)).head == head
    await world.submit(commands.HandBackByStore("main", "c-1"))
    assert (await log_turn(world, "assistant", "Let me help", "a1"))["assistant_may_reply"] is True


async def test_the_assistant_is_refused_by_an_escalation_that_was_queued_just_before_it(world: World) -> None:
    """Decided in the transaction that would have stored it, not when it was asked."""
    import asyncio

    await log_turn(world, "shopper", "hi", "1", shopper=SARAH)
    escalation = world.submit(Escalate("main", "c-1", "h"))
    results = await asyncio.gather(
        escalation, log_turn(world, "assistant", "hello", "a1"), return_exceptions=True
    )
    assert isinstance(results[1], PersonInControl)


async def test_a_message_the_assistant_logged_before_the_handoff_is_answered_again_during_it(
    world: World,
) -> None:
    first = await log_turn(world, "assistant", "hello", "a1", shopper=SARAH)
    await world.escalate(shopper=SARAH)
    assert (await log_turn(world, "assistant", "hello", "a1"))["seq"] == first["seq"]


async def test_a_shoppers_message_while_open_may_escalate_by_itself(world: World) -> None:
    answer = await log_turn(world, "shopper", "can i tlak to a human", "1", shopper=SARAH)
    assert (answer["escalated"], answer["trigger"]["kind"]) == (True, "explicit_request")


async def test_the_assistants_own_words_escalate_nothing(world: World) -> None:
    assert (await log_turn(world, "assistant", "Do you want a refund?", "1"))["escalated"] is False


# --- whose conversation it is ---------------------------------------------------------------------------------


async def test_a_conversation_belongs_to_the_first_shopper_named(world: World) -> None:
    await log_turn(world, "shopper", "hi", "1", shopper=SARAH)
    with pytest.raises(OtherShopper):
        await log_turn(world, "shopper", "hi", "2", shopper=ShopperFacts("s-2"))
    with pytest.raises(OtherShopper):
        await world.writes("hi", window=world.window(shopper="s-2"))


async def test_an_anonymous_shopper_is_replaced_by_the_first_named_one(world: World) -> None:
    answer = await log_turn(world, "shopper", "hi", "1")
    assert answer["seq"] == 1
    await log_turn(world, "shopper", "me again", "2", shopper=SARAH)
    case = await world.read(lambda uow: uow.conversations.named("main", "c-1"))
    assert case is not None
    shopper = await world.read(lambda uow: uow.people.shopper(case.shopper_id))
    assert shopper is not None
    assert (shopper.external_id, shopper.name, shopper.anonymous) == ("s-1", "Sarah", False)
    with pytest.raises(OtherShopper):
        await log_turn(world, "shopper", "x", "3", shopper=ShopperFacts("s-2"))


async def test_the_guests_own_window_goes_on_after_the_store_has_named_them(world: World) -> None:
    carried = await world.submit(IssueToken("main", ShopperFacts()))
    window = commands.Window("main", carried["shopper_id"], carried["conversation_id"])
    await world.writes("hi", window=window)
    await world.submit(
        LogTurn("main", carried["conversation_id"], SaidTurn("assistant", "Hello Sarah", "a"), shopper=SARAH)
    )
    assert (await world.writes("still me", window=window))["seq"] == 3


async def test_facts_are_learned_and_never_forgotten(world: World) -> None:
    await log_turn(world, "shopper", "hi", "1", shopper=SARAH)
    await log_turn(world, "shopper", "hi", "2", shopper=ShopperFacts("s-1", email="new@example.com"))
    shopper = await world.read(lambda uow: uow.people.shopper_named("main", "s-1"))
    assert shopper is not None
    assert (shopper.email, shopper.tier) == ("new@example.com", "vip")


async def test_a_token_carries_a_new_conversation_and_starts_nothing(world: World) -> None:
    carried = await world.submit(IssueToken("main", SARAH))
    assert carried["shopper_id"] == "s-1"
    named = carried["conversation_id"]
    assert await world.read(lambda uow: uow.conversations.named("main", named)) is None
    again = await world.submit(IssueToken("main", SARAH))
    assert again["conversation_id"] != named


async def test_a_guests_token_carries_a_generated_shopper(world: World) -> None:
    first = await world.submit(IssueToken("main", ShopperFacts()))
    second = await world.submit(IssueToken("main", ShopperFacts()))
    assert first["shopper_id"].startswith("anon-")
    assert first["shopper_id"] != second["shopper_id"]


async def test_no_token_for_a_conversation_of_somebody_else(world: World) -> None:
    await world.escalate(shopper=SARAH)
    with pytest.raises(OtherShopper):
        await world.submit(IssueToken("main", ShopperFacts("s-2"), "c-1"))
    assert (await world.submit(IssueToken("main", SARAH, "c-1")))["conversation_id"] == "c-1"


# --- the widget -----------------------------------------------------------------------------------------------


async def test_a_widget_message_sent_twice_counts_once(world: World) -> None:
    first = await world.writes("hello", "w1")
    assert await world.writes("hello", "w1") == first
    number = (await world.read(lambda uow: uow.conversations.named("main", "c-1"))).number  # type: ignore[union-attr]
    assert await world.kinds(number) == ["message"]


async def test_the_stores_echo_of_a_widget_message_is_the_same_message(world: World) -> None:
    first = await world.writes("hello", "w1")
    assert (await log_turn(world, "shopper", "hello", "w1"))["seq"] == first["seq"]
    assert (await world.writes("next", "w2"))["seq"] == 2


async def test_the_button_asks_once_for_a_person(world: World) -> None:
    await world.writes("hello")
    first = await world.submit(commands.ShopperAsksForPerson(world.window(), "b1"))
    assert (first["stage"], first["answering"]["kind"], first["position"]) == ("waiting", "nobody", 1)
    await world.submit(commands.ShopperAsksForPerson(world.window(), "b1"))
    await world.submit(commands.ShopperAsksForPerson(world.window(), "b2"))
    case = await world.read(lambda uow: uow.conversations.named("main", "c-1"))
    assert case is not None
    assert case.handoff == 1
    assert (await world.kinds(case.number)).count("escalated") == 1


async def test_the_button_starts_a_conversation_in_which_nothing_was_said(world: World) -> None:
    state = await world.submit(commands.ShopperAsksForPerson(world.window(), "b1"))
    assert state["stage"] == "waiting"


async def test_a_press_that_is_repeated_after_the_handoff_ended_starts_no_new_one(world: World) -> None:
    await world.submit(commands.ShopperAsksForPerson(world.window(), "b1"))
    await world.submit(commands.ShopperHandsBack(world.window()))
    assert (await world.submit(commands.ShopperAsksForPerson(world.window(), "b1")))["stage"] == "open"


async def test_the_shopper_may_go_back_to_the_assistant(world: World) -> None:
    number = await world.escalate()
    for _ in range(2):
        state = await world.submit(commands.ShopperHandsBack(world.window()))
        assert (state["stage"], state["answering"]["kind"]) == ("open", "assistant")
    assert (await world.kinds(number)).count("handed_back") == 1
    with pytest.raises(NotFound):
        await world.submit(commands.ShopperHandsBack(world.window("c-none")))


# --- edits and deletes by the store ---------------------------------------------------------------------------


async def test_an_edit_gives_the_newest_text_and_an_older_one_changes_nothing(world: World) -> None:
    number = await world.escalate("c-1", "helo")
    await world.submit(EditTurn("main", "c-1", "t0", "hello", "2"))
    await world.submit(EditTurn("main", "c-1", "t0", "hell", "1"))
    log = await world.log(number)
    assert (log[0].text, log[0].edited) == ("hello", True)
    assert [entry.target for entry in log if entry.kind == "edited"].count(1) == 1


async def test_a_deleted_text_cannot_be_edited_back(world: World) -> None:
    number = await world.escalate("c-1", "secret")
    await world.submit(DeleteTurn("main", "c-1", "t0"))
    await world.submit(DeleteTurn("main", "c-1", "t0"))
    await world.submit(EditTurn("main", "c-1", "t0", "secret again", "9"))
    log = await world.log(number)
    assert log[0].text == ""
    assert [(entry.kind, entry.target) for entry in log if entry.target == 1] == [("deleted", 1)]


async def test_a_deleted_text_is_quoted_nowhere_any_more(world: World) -> None:
    number = await world.escalate("c-1", "my card is 4111")
    await world.settle()
    await world.submit(DeleteTurn("main", "c-1", "t0"))
    await world.settle(5)
    conversation = await world.case(number)
    said = [entry.text + str(entry.data) for entry in await world.log(number)]
    shown = [str(message) for message in world.chat.messages if not message.retracted]
    assert "4111" not in str(conversation.packet) + str(said)
    assert not [text for text in shown if "4111" in text]


async def test_what_the_shopper_said_is_kept_when_a_person_is_there_already(world: World) -> None:
    number = await world.claimed()
    turns = (SaidTurn("shopper", "one more thing", "n1"), SaidTurn("assistant", "let me see", "n2"))
    await world.submit(Escalate("main", "c-1", "another", transcript=turns))
    texts = [entry.text for entry in await world.log(number) if entry.kind == "message"]
    assert "one more thing" in texts
    assert "let me see" not in texts


async def test_a_silent_conversation_after_a_hand_back_comes_back_to_the_assistant(world: World) -> None:
    number = await world.claimed()
    await world.submit(commands.HandBack(number, ANNA))
    await world.submit(commands.ResolveByStore("main", "c-1"))
    await world.writes("hello again")
    assert (await world.case(number)).stage == "open"


async def test_a_store_may_not_touch_an_operators_words(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    for command in (EditTurn("main", "c-1", "m1", "Bye", "1"), DeleteTurn("main", "c-1", "m1")):
        with pytest.raises(NotFound):
            await world.submit(command)
    assert await world.to_shopper(number) == ["My lamp broke", "Hello"]


async def test_what_is_unknown_is_not_found(world: World) -> None:
    await world.escalate()
    with pytest.raises(NotFound):
        await world.submit(EditTurn("main", "c-1", "nope", "x", "1"))
    with pytest.raises(NotFound):
        await world.submit(commands.ResolveByStore("main", "c-none"))


# --- resolve, hand back, outcomes by the store ----------------------------------------------------------------


async def test_the_store_may_close_and_hand_back_and_again_changes_nothing(world: World) -> None:
    number = await world.escalate()
    for _ in range(2):
        assert (await world.submit(commands.HandBackByStore("main", "c-1")))["stage"] == "open"
    for _ in range(2):
        assert (await world.submit(commands.ResolveByStore("main", "c-1")))["stage"] == "resolved"
    kinds = await world.kinds(number)
    assert (kinds.count("handed_back"), kinds.count("resolved")) == (1, 1)
    with pytest.raises(IllegalTransition):
        await world.submit(commands.HandBackByStore("main", "c-1"))


async def test_an_outcome_with_a_key_counts_once(world: World) -> None:
    number = await world.escalate()
    command = commands.RecordOutcome("main", "c-1", "refund", 129.0, "USD", key="k")
    assert await world.submit(command) == await world.submit(command)
    assert (await world.kinds(number)).count("outcome") == 1


# --- the shopper writes after the end -------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["thanks!", "Thank you so much", "ok great, bye", "👍"])
async def test_a_courtesy_reopens_nothing(world: World, text: str) -> None:
    number = await world.claimed()
    await world.submit(commands.Resolve(number, ANNA))
    await world.writes(text)
    assert (await world.case(number)).stage == "resolved"
    assert (await world.log(number))[-1].text == text


@pytest.mark.parametrize("text", ["It broke again", "thanks but it still does not work", "ok?", "???"])
async def test_more_than_a_courtesy_reopens_within_the_window(world: World, text: str) -> None:
    number = await world.claimed()
    await world.submit(commands.Resolve(number, ANNA))
    world.clock.advance(24 * 3600)
    await world.writes(text)
    case = await world.case(number)
    assert (case.stage, case.owner_id, case.handoff, case.waiting_since) == (
        "waiting",
        None,
        1,
        world.clock(),
    )
    assert (await world.codes(number))[-1] == "reopened"


async def test_after_the_window_the_shopper_is_with_the_assistant_again(world: World) -> None:
    number = await world.claimed()
    await world.submit(commands.Resolve(number, ANNA))
    world.clock.advance(24 * 3600 + 1)
    await world.writes("what are your opening times")
    case = await world.case(number)
    assert case.stage == "open"
    assert (await world.kinds(number))[-1] == "returned"
    assert (await log_turn(world, "assistant", "9 to 5", "a1"))["assistant_may_reply"] is True


async def test_after_the_window_a_request_for_a_person_is_a_new_handoff(world: World) -> None:
    number = await world.claimed()
    await world.submit(commands.Resolve(number, ANNA))
    world.clock.advance(24 * 3600 + 1)
    await world.writes("i need a human")
    case = await world.case(number)
    assert (case.stage, case.handoff) == ("waiting", 2)


# --- notices --------------------------------------------------------------------------------------------------


async def test_the_shopper_is_told_at_every_step(world: World) -> None:
    number = await world.escalate()
    await world.submit(Claim(number, ANNA))
    await world.submit(commands.Release(number, ANNA))
    await world.submit(Claim(number, ANNA))
    await world.submit(commands.HandBack(number, ANNA))
    await world.submit(commands.ShopperAsksForPerson(world.window(), "b"))
    await world.submit(commands.Resolve(number, ANNA))
    await world.writes("It broke again")
    assert await world.codes(number) == [
        "finding", "claimed", "released", "claimed", "handed_back", "finding", "resolved", "reopened",
    ]  # fmt: skip


async def test_the_shopper_hears_the_operators_first_name_only(world: World) -> None:
    number = await world.claimed()
    notice = next(entry for entry in await world.log(number) if entry.data.get("code") == "claimed")
    assert notice.text == texts.shopper.claimed("Anna")
    assert "Berg" not in notice.text


async def test_the_stores_own_summary_is_not_told_to_the_shopper(world: World) -> None:
    body = {"reason": {"trigger": "api", "detail": "shopper is rude"}, "summary": {"issue": "rude shopper"}}
    number = await world.escalate("c-1", "My lamp broke", body=body)
    notice = next(entry for entry in await world.log(number) if entry.kind == "notice")
    assert "rude" not in notice.text
    assert "My lamp broke" in notice.text


async def test_outside_hours_the_shopper_is_told_when_somebody_is_there(
    settings: Settings, clock: ManualClock, chat: FakeChat
) -> None:
    night = hours.parse_hours({"zone": "UTC", "tue": "09:00-17:00"})  # START is a Monday afternoon
    world = World(with_team(settings, hours=night), clock, chat)
    world.start()
    number = await world.escalate()
    assert await world.codes(number) == ["hours"]
    assert "tomorrow at 09:00 (UTC)" in (await world.log(number))[-1].text
    await world.stop()


async def test_a_window_of_another_conversation_is_not_told_of_this_one(world: World) -> None:
    await world.escalate()
    command = ShopperWrites(world.window("c-1", "s-9"), "x", "hello")
    with pytest.raises(OtherShopper):
        await world.submit(command)
