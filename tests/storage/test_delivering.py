"""The courier and the readers on the real writer: what is posted, in which order, and after which trouble."""

import json
from dataclasses import replace

import pytest

from bot import commands
from bot.commands import Advance, Claim, Escalate, Resolve, SaidTurn, Settled
from bot.entries import Reader
from bot.errors import Busy, EntryFault, NotFound, PlaceFault, Unsure
from bot.lanes import BindingState, DeliveryState
from bot.people import Actor, Member, Role
from bot.posts import Action, Place, Receipt
from bot.settings import Settings
from tests.fakes.chat import FakeChat, Late
from tests.storage.world import ANNA, BEN, GUEST, ManualClock, World

# --- opening --------------------------------------------------------------------------------------------------


async def test_a_thread_opens_once_with_the_card_and_one_packed_transcript(world: World) -> None:
    turns = (
        SaidTurn("shopper", "My lamp broke", "1"),
        SaidTurn("assistant", "Sorry!", "2"),
        SaidTurn("shopper", "Help", "3"),
    )
    number = await world.escalate(transcript=turns)
    await world.settle()

    (root,) = world.chat.roots()
    assert world.chat.card(root).number == number
    assert world.chat.card(root).title == "My lamp broke"
    assert world.chat.shown(root) == ["Sarah: My lamp broke\nAssistant: Sorry!\nSarah: Help"]


async def test_a_second_look_opens_no_second_thread(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    await world.submit(Escalate("main", "c-1", "other"))
    await world.settle(60)
    assert len(world.chat.roots()) == 1
    assert (await world.binding(number)).state is BindingState.OPEN


async def test_messages_are_posted_in_the_order_of_the_log(world: World) -> None:
    number = await world.claimed()
    for text in ("one", "two", "three"):
        await world.writes(text)
        await world.settle()
    assert (await world.thread(number))[-3:] == ["Sarah: one", "Sarah: two", "Sarah: three"]


async def test_messages_that_wait_together_are_one_post(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [PlaceFault("down")]
    for text in ("one", "two", "three"):
        await world.writes(text)
    await world.settle()
    await world.settle(10)
    shown = "\n".join(await world.thread(number))
    assert [shown.index(f"Sarah: {text}") for text in ("one", "two", "three")] == sorted(
        shown.index(f"Sarah: {text}") for text in ("one", "two", "three")
    )
    assert shown.count("Sarah: one") == shown.count("Sarah: three") == 1


async def test_a_long_message_is_split_and_nothing_of_it_is_lost(world: World) -> None:
    number = await world.claimed()
    world.chat.longest = 10
    await world.writes("0123456789" * 3)
    await world.settle()
    assert (await world.thread(number))[-3:] == ["Sarah: 0123456789"] * 3
    assert await world.outstanding(number, Reader.THREAD) == []


async def test_what_was_written_in_the_thread_is_not_posted_there_again(world: World) -> None:
    number = await world.claimed()
    before = await world.thread(number)
    await world.says(number, "Hello Sarah")
    await world.settle(30)
    assert await world.thread(number) == before
    assert await world.to_shopper(number) == ["My lamp broke", "Hello Sarah"]


async def test_up_to_five_present_operators_are_mentioned_and_no_guest(world: World) -> None:
    here = [Member(Actor("fake", f"U{n}", f"N{n}"), present=True) for n in range(7)]
    away = Member(Actor("fake", "U-away", "Away"), present=False)
    guest = Member(Actor("fake", "U-g", "G", Role.NONE), present=True)
    world.chat.people = [guest, away, *here]
    await world.escalate()
    world.chat.during["card"] = lambda: None
    opened: list[tuple[str, ...]] = []
    original = world.chat.open_thread

    async def open_thread(channel: str, card: object, delivery_id: str) -> object:
        opened.append(card.mentions)  # type: ignore[attr-defined]
        return await original(channel, card, delivery_id)  # type: ignore[arg-type]

    world.chat.open_thread = open_thread  # type: ignore[method-assign, assignment]
    await world.settle()
    assert opened == [("U0", "U1", "U2", "U3", "U4")]


async def test_a_case_is_opened_even_when_nobody_can_be_asked_for(world: World) -> None:
    world.chat.troubles["members"] = [PlaceFault("down")]
    await world.escalate()
    await world.settle()
    assert len(world.chat.roots()) == 1


# --- uncertain ------------------------------------------------------------------------------------------------


async def test_a_post_whose_answer_was_lost_is_found_and_not_doubled(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [Late()]
    await world.writes("hello?")
    await world.settle()
    await world.settle(1)
    assert (await world.thread(number)).count("Sarah: hello?") == 1
    assert world.chat.count("find") == 1
    assert await world.outstanding(number, Reader.THREAD) == []


async def test_a_root_whose_answer_was_lost_is_found_and_not_doubled(world: World) -> None:
    world.chat.troubles["open"] = [Late()]
    number = await world.escalate()
    await world.settle()
    await world.settle(1)
    assert len(world.chat.roots()) == 1
    assert await world.thread(number) == ["Sarah: My lamp broke"]


async def test_not_there_is_believed_only_after_the_settling_time(world: World) -> None:
    """The platform commits 10 s late; looking before is no reason to repeat."""
    number = await world.claimed()
    world.chat.troubles["post"] = [Late(10.0)]
    await world.writes("hello?")
    await world.settle()
    for _ in range(20):
        await world.settle(1)
    posted = [one for one in world.chat.messages if one.root != one.id and "hello?" in str(one.content)]
    assert len(posted) == 1
    assert await world.outstanding(number, Reader.THREAD) == []


async def test_what_never_arrived_is_sent_again_after_the_settling_time(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [Unsure("timeout")]
    await world.writes("hello?")
    await world.settle()
    await world.settle(14)
    assert "Sarah: hello?" not in await world.thread(number)
    await world.settle(2)
    assert (await world.thread(number)).count("Sarah: hello?") == 1


async def test_a_look_that_began_before_the_settling_time_proves_nothing(world: World) -> None:
    """The look starts 14 s after the attempt, its answer arrives after 16: it says what was there at 14."""
    number = await world.claimed()
    world.chat.troubles["post"] = [Late(15.5)]
    world.chat.troubles["find"] = [PlaceFault("down", retry_after=14.0)]
    await world.writes("hello?")
    await world.settle()
    await world.settle(0.6)
    world.chat.during["find"] = lambda: None
    original = world.chat.find

    async def slow(place: Place, delivery_id: str, since: float) -> object:
        answer = await original(place, delivery_id, since)
        world.clock.advance(2.0)
        return answer

    world.chat.find = slow  # type: ignore[method-assign, assignment]
    await world.settle(14)
    await world.settle(30)
    posted = [one for one in world.chat.messages if "hello?" in str(one.content)]
    assert len(posted) == 1
    assert await world.outstanding(number, Reader.THREAD) == []


async def test_a_look_that_fails_is_repeated_and_not_taken_for_an_answer(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [Late()]
    world.chat.troubles["find"] = [Unsure("timeout"), EntryFault("bad cursor")]
    await world.writes("hello?")
    for _ in range(8):
        await world.settle(5)
    assert (await world.thread(number)).count("Sarah: hello?") == 1
    assert await world.dead() == []
    assert world.chat.count("find") == 3


# --- faults of the place --------------------------------------------------------------------------------------


async def test_a_fault_of_the_place_pauses_as_long_as_the_platform_asks_and_loses_nothing(
    world: World,
) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [PlaceFault("ratelimited", retry_after=30.0)]
    await world.writes("one")
    await world.settle()
    await world.writes("two")
    await world.settle(29)
    assert (await world.lane(number, Reader.THREAD)).fault == "ratelimited"
    assert "Sarah: one" not in await world.thread(number)
    await world.settle(2)
    assert (await world.thread(number))[-2:] == ["Sarah: one", "Sarah: two"]
    lane = await world.lane(number, Reader.THREAD)
    assert (lane.fault, lane.faults, lane.fault_since) == (None, 0, None)


async def test_pauses_grow_while_the_place_stays_broken(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [PlaceFault("down")] * 12
    await world.writes("one")
    await world.settle()
    tried = world.chat.count("post")
    await world.settle(1.1)
    assert world.chat.count("post") == tried + 1
    for _ in range(20):
        await world.settle(10)
    assert (await world.lane(number, Reader.THREAD)).faults < 12
    for _ in range(20):
        await world.settle(300)
    assert (await world.thread(number))[-1] == "Sarah: one"


async def test_a_busy_writer_costs_no_result(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call was made; its result is recorded when the writer has time again, and nobody has to look."""
    number = await world.claimed()
    bus = world.courier._bus
    original, refused = bus.submit, []

    async def submit(command: object) -> object:
        if getattr(command, "settled", None) is not None and not refused:
            refused.append(command)
            raise Busy(0.0)
        return await original(command)

    monkeypatch.setattr(bus, "submit", submit)
    await world.writes("hello?")
    await world.settle()
    assert len(refused) == 1
    assert (await world.thread(number)).count("Sarah: hello?") == 1
    assert (world.chat.count("find"), await world.outstanding(number, Reader.THREAD)) == (0, [])


async def test_a_broken_case_holds_up_no_other(world: World) -> None:
    first = await world.claimed()
    world.chat.troubles["post"] = [PlaceFault("down", retry_after=600)]
    await world.writes("stuck")
    await world.settle()
    second = await world.escalate("c-2", "Another", shopper=commands.ShopperFacts("s-2", "Tom"))
    await world.settle()
    assert await world.thread(second) == ["Tom: Another"]
    assert "Sarah: stuck" not in await world.thread(first)


async def test_a_root_that_is_refused_is_tried_again_and_not_given_up(world: World) -> None:
    world.chat.troubles["open"] = [EntryFault("invalid_blocks")]
    number = await world.escalate()
    await world.settle()
    assert world.chat.roots() == []
    await world.settle(2)
    assert await world.thread(number) == ["Sarah: My lamp broke"]


async def test_an_amend_that_always_times_out_backs_off(world: World) -> None:
    """A repeat of it is harmless, but no reason to call twice a second for ever."""
    number = await world.claimed()
    await world.writes("helo", "w-x")
    await world.settle()
    world.chat.troubles["amend"] = [Unsure("timeout")] * 1000
    await world.submit(commands.EditTurn("main", "c-1", "w-x", "hello", "1"))
    await world.settle()
    for _ in range(200):
        await world.settle(0.5)
    assert world.chat.count("amend") < 20
    assert (await world.lane(number, Reader.THREAD)).fault == "timeout"


# --- faults of the entry --------------------------------------------------------------------------------------


async def test_refused_content_becomes_a_dead_letter_said_in_the_thread_and_the_lane_goes_on(
    world: World,
) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [EntryFault("msg_blocks_too_long")]
    await world.writes("bad")
    await world.settle()
    await world.writes("good")
    await world.settle()
    (dead,) = await world.dead()
    shown = await world.thread(number)
    assert "Sarah: good" in shown
    assert not any(text.startswith("Sarah: bad") for text in shown)
    assert any("A message of Sarah was refused here: it is too long" in text for text in shown)
    assert dead.reader is Reader.THREAD
    assert await world.outstanding(number, Reader.THREAD) == []


async def test_a_dead_letter_about_a_dead_letter_is_not_announced(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [EntryFault("no"), EntryFault("no"), EntryFault("no")]
    await world.writes("bad")
    await world.settle()
    assert (await world.kinds(number)).count("dead_letter") == 1
    assert len(await world.dead()) == 2


async def test_retry_replays_a_dead_letter_with_the_newest_text_marked_late(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [EntryFault("no")]
    await world.writes("first words", "w-x")
    await world.settle()
    await world.submit(commands.EditTurn("main", "c-1", "w-x", "better words", "1"))
    (dead,) = await world.dead()
    assert await world.submit(commands.RetryDead(dead.id)) == number
    await world.settle()
    shown = await world.thread(number)
    assert shown[-1] == "Sarah: better words [edited, late]"
    assert not any("first words" in text for text in shown)
    assert await world.dead() == []


async def test_a_replayed_long_message_is_split_again(world: World) -> None:
    number = await world.claimed()
    world.chat.longest = 10
    world.chat.troubles["post"] = [EntryFault("no")]
    await world.writes("0123456789abcdefghij")
    await world.settle()
    (dead,) = await world.dead()
    await world.submit(commands.RetryDead(dead.id))
    await world.settle()
    shown = [text for text in await world.thread(number) if "0123" in text or "abcd" in text]
    assert shown == ["Sarah: abcdefghij", "Sarah: 0123456789 [late]"]


async def test_a_replayed_message_that_was_taken_back_is_not_posted(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [EntryFault("no")]
    await world.writes("secret", "w-x")
    await world.settle()
    await world.submit(commands.DeleteTurn("main", "c-1", "w-x"))
    (dead,) = await world.dead()
    await world.submit(commands.RetryDead(dead.id))
    await world.settle()
    assert not any("secret" in text for text in await world.thread(number))
    assert await world.dead() == []
    assert await world.outstanding(number, Reader.THREAD) == []


async def test_what_is_not_dead_cannot_be_replayed(world: World) -> None:
    with pytest.raises(NotFound):
        await world.submit(commands.RetryDead("nope"))


async def test_a_refused_card_is_not_sent_again_before_something_changes(world: World) -> None:
    await world.escalate()
    world.chat.troubles["card"] = [EntryFault("invalid_blocks")] * 500
    await world.settle()
    await world.settle(5)
    assert world.chat.count("card") <= 1


async def test_a_refused_receipt_is_not_sent_again_before_something_changes(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "note: hm")
    world.chat.troubles["mark"] = [EntryFault("too_many_reactions")] * 500
    await world.settle(5)
    await world.settle(5)
    assert world.chat.count("mark") == 1


# --- deleted roots --------------------------------------------------------------------------------------------


async def test_a_deleted_root_gets_a_new_thread_with_the_whole_handoff(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello Sarah")
    await world.writes("thanks for coming")
    await world.settle()
    old = await world.place(number)
    world.chat.gone.add(old.root)
    await world.writes("are you there?")
    await world.settle(5)
    (root,) = world.chat.roots()
    assert root != old.root
    whole = "\n".join(world.chat.shown(root))
    for text in (
        "Sarah: My lamp broke",
        "Anna: Hello Sarah",
        "Sarah: thanks for coming",
        "Sarah: are you there?",
    ):
        assert whole.count(text) == 1
    assert (await world.binding(number)).root == root


async def test_an_event_of_a_deleted_root_opens_a_new_thread_once(world: World) -> None:
    number = await world.claimed()
    place = await world.place(number)
    world.chat.gone.add(place.root)
    await world.submit(commands.RootDeleted(place))
    await world.submit(commands.RootDeleted(place))
    await world.settle(5)
    assert len(world.chat.roots()) == 1


async def test_the_root_of_a_finished_case_may_go_without_a_new_thread(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    place = await world.place(number)
    world.chat.gone.add(place.root)
    await world.submit(commands.RootDeleted(place))
    await world.settle(60)
    assert world.chat.roots() == []
    assert await world.outstanding(number, Reader.CARD) == []


async def test_replies_in_the_deleted_thread_still_find_their_case(world: World) -> None:
    number = await world.claimed()
    old = await world.place(number)
    world.chat.gone.add(old.root)
    await world.submit(commands.RootDeleted(old))
    await world.settle(5)
    await world.submit(commands.ThreadMessage(old, world.heard("Still me", "m-old"), ANNA))
    await world.settle()
    assert "Still me" in await world.to_shopper(number)
    assert (await world.thread(number))[-1] == "Anna: Still me"


# --- edits and deletes ----------------------------------------------------------------------------------------


async def test_an_edit_amends_the_post(world: World) -> None:
    number = await world.claimed()
    await world.writes("helo", "w-x")
    await world.settle()
    await world.submit(commands.EditTurn("main", "c-1", "w-x", "hello", "1"))
    await world.settle()
    assert (await world.thread(number))[-1] == "Sarah: hello [edited]"
    assert world.chat.count("amend") == 1


async def test_a_delete_retracts_the_post(world: World) -> None:
    number = await world.claimed()
    await world.writes("my card is 4111", "w-x")
    await world.settle()
    await world.submit(commands.DeleteTurn("main", "c-1", "w-x"))
    await world.settle()
    assert not any("4111" in text for text in await world.thread(number))
    assert world.chat.count("retract") == 1


async def test_a_delete_retracts_every_part_of_a_long_message(world: World) -> None:
    number = await world.claimed()
    world.chat.longest = 10
    await world.writes("4111" * 7, "w-x")
    await world.settle()
    await world.submit(commands.DeleteTurn("main", "c-1", "w-x"))
    await world.settle()
    assert not any("4111" in text for text in await world.thread(number))


async def test_the_packed_transcript_is_amended_when_one_of_its_messages_changes(world: World) -> None:
    number = await world.escalate("c-1", "one", "two", "three")
    await world.settle()
    await world.submit(commands.EditTurn("main", "c-1", "t1", "TWO", "1"))
    await world.submit(commands.DeleteTurn("main", "c-1", "t2"))
    await world.settle()
    assert await world.thread(number) == ["Sarah: one\nSarah: TWO [edited]\nSarah:  [removed]"]


async def test_a_message_edited_before_it_was_posted_is_posted_once_in_its_newest_form(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [PlaceFault("down", retry_after=5)]
    await world.writes("block")
    await world.settle()
    await world.writes("helo", "w-x")
    await world.submit(commands.EditTurn("main", "c-1", "w-x", "hello", "1"))
    await world.settle(6)
    assert (await world.thread(number))[-2:] == ["Sarah: block", "Sarah: hello [edited]"]
    assert world.chat.count("amend") == 0


async def test_an_edit_that_no_longer_fits_is_a_correction(world: World) -> None:
    number = await world.claimed()
    await world.writes("short", "w-x")
    await world.settle()
    world.chat.longest = 30
    await world.submit(commands.EditTurn("main", "c-1", "w-x", "a much longer text than before it was", "1"))
    await world.settle()
    shown = await world.thread(number)
    assert "Sarah: short" in shown
    assert "".join(shown).count("Correction of an earlier message: ") == 1


async def test_a_message_deleted_before_it_was_posted_is_never_posted(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["post"] = [PlaceFault("down", retry_after=5)]
    await world.writes("block")
    await world.settle()
    await world.writes("my card is 4111", "w-x")
    await world.submit(commands.DeleteTurn("main", "c-1", "w-x"))
    await world.settle(6)
    assert not any("4111" in str(one.content) for one in world.chat.messages)
    assert (await world.thread(number))[-1] == "Sarah: block"


# --- offers ---------------------------------------------------------------------------------------------------


async def test_there_is_at_most_one_offer_and_it_is_about_the_newest_aside(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    root = (await world.binding(number)).root
    await world.says(number, "I can help")
    await world.settle()
    await world.says(number, "Me too", actor=BEN)
    await world.settle()
    (offer,) = world.chat.offers(root)
    seq = (await world.log(number))[-1].seq
    assert [button.action for button in offer.buttons] == [Action.CLAIM_AND_SEND]
    assert offer.buttons[0].value == f"{number}:{seq}"


async def test_a_used_offer_is_removed(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    await world.says(number, "I can help")
    await world.settle()
    seq = (await world.log(number))[-1].seq
    await world.submit(commands.SendAside(number, seq, Action.CLAIM_AND_SEND, ANNA))
    await world.settle()
    assert world.chat.offers((await world.binding(number)).root) == []
    assert await world.to_shopper(number) == ["My lamp broke", "I can help"]
    await world.says(number, "note: and this")
    await world.settle()
    assert len(world.chat.offers((await world.binding(number)).root)) == 1


async def test_the_offer_of_a_deleted_aside_is_removed(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    await world.says(number, "I can help", "m1")
    await world.settle()
    await world.deletes(number, "m1")
    await world.settle()
    assert world.chat.offers((await world.binding(number)).root) == []


async def test_a_reply_in_a_resolved_thread_is_offered_to_reopen_and_sending_it_goes_on_there(
    world: World,
) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    await world.says(number, "One more thing")
    await world.settle()
    root = (await world.binding(number)).root
    (offer,) = world.chat.offers(root)
    assert [button.action for button in offer.buttons] == [Action.REOPEN_AND_SEND]
    seq = (await world.log(number))[-1].seq
    await world.submit(commands.SendAside(number, seq, Action.REOPEN_AND_SEND, ANNA))
    await world.settle(2)
    assert world.chat.roots() == [root]
    assert world.chat.offers(root) == []
    assert (await world.binding(number)).state is BindingState.OPEN


async def test_a_guest_is_offered_nothing(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "let me in", actor=GUEST)
    await world.settle()
    assert world.chat.offers((await world.binding(number)).root) == []


# --- receipts -------------------------------------------------------------------------------------------------


async def _seen(world: World, delivered: int, seen: int) -> None:
    await world.submit(commands.Seen(world.window(), "tab", delivered, seen, hidden=False))


async def test_a_receipt_jumps_to_the_newest_state(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    head = (await world.case(number)).head
    await _seen(world, head, 0)
    await _seen(world, head, head)
    await world.settle(5)
    assert world.chat.marks == {"m1": Receipt.SEEN}
    assert world.chat.count("mark") == 1


async def test_pending_is_shown_only_after_a_moment(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "Hello", "m1")
    await world.settle(1)
    assert world.chat.marks == {}
    await world.settle(3)
    assert world.chat.marks == {"m1": Receipt.PENDING}
    await _seen(world, (await world.case(number)).head, 0)
    await world.settle(1)
    assert world.chat.marks == {"m1": Receipt.DELIVERED}


async def test_an_aside_is_marked_as_inside(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "// check the stock", "m1")
    await world.settle()
    assert world.chat.marks == {"m1": Receipt.INSIDE}


async def test_receipts_never_hold_up_text(world: World) -> None:
    number = await world.claimed()
    world.chat.troubles["mark"] = [PlaceFault("down", retry_after=600)]
    await world.says(number, "// check the stock", "m1")
    await world.settle()
    await world.writes("hello?")
    await world.settle()
    assert (await world.thread(number))[-1] == "Sarah: hello?"


# --- closing, reopening, coming back --------------------------------------------------------------------------


async def test_a_resolved_case_closes_its_thread_and_later_words_stay_out(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    assert (await world.binding(number)).state is BindingState.CLOSED
    before = await world.thread(number)
    assert before[-1] == "Anna Berg resolved this."
    await world.writes("thank you!")
    await world.settle(5)
    assert await world.thread(number) == before


async def test_a_closed_thread_still_gets_edits(world: World) -> None:
    number = await world.claimed()
    await world.writes("helo", "w-x")
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    await world.submit(commands.EditTurn("main", "c-1", "w-x", "hello", "1"))
    await world.settle()
    assert "Sarah: hello [edited]" in await world.thread(number)
    assert (await world.binding(number)).state is BindingState.CLOSED


async def test_a_reopened_case_goes_on_in_the_same_thread_with_what_was_said_meanwhile(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    await world.writes("thank you!")
    await world.settle()
    await world.writes("It broke again")
    await world.settle(5)
    assert len(world.chat.roots()) == 1
    shown = await world.thread(number)
    after = shown[shown.index("Anna Berg resolved this.") + 1 :]
    assert "\n".join(after).count("Sarah: thank you!") == 1
    assert "\n".join(after).count("Sarah: It broke again") == 1
    assert any("wrote again" in text for text in after)
    assert (await world.binding(number)).state is BindingState.OPEN


async def test_a_new_handoff_opens_a_new_thread_that_starts_after_what_the_old_one_showed(
    world: World,
) -> None:
    number = await world.claimed()
    await world.submit(commands.HandBack(number, ANNA))
    await world.settle()
    await world.writes("what about my invoice")
    await world.submit(commands.LogTurn("main", "c-1", SaidTurn("assistant", "It is attached", "a1")))
    await world.writes("i want to talk to a human")
    await world.settle(5)
    old, new = world.chat.roots()
    link, *transcript = world.chat.shown(new)
    assert f"(https://chat.example/{old})" in link
    assert transcript == [
        "Sarah: what about my invoice\nAssistant: It is attached\nSarah: i want to talk to a human"
    ]
    assert not any("invoice" in text for text in world.chat.shown(old))
    assert world.chat.card(new).buttons


async def test_a_second_handoffs_card_is_about_what_was_said_since_the_first(world: World) -> None:
    number = await world.claimed()
    await world.submit(commands.HandBack(number, ANNA))
    await world.writes("Where is my invoice, i need a human")
    await world.settle(5)
    assert (await world.case(number)).packet["issue"] == "Where is my invoice, i need a human"


# --- the card -------------------------------------------------------------------------------------------------


async def test_the_card_jumps_to_the_newest_state(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    await world.settle(2)
    before = world.chat.count("card")
    await world.submit(Claim(number, ANNA))
    for _ in range(10):
        await world.writes("hello")
    await world.submit(commands.Release(number, ANNA))
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    await world.settle(2)
    assert world.chat.card((await world.binding(number)).root).stage == "resolved"
    assert world.chat.count("card") - before <= 3


async def test_what_people_write_does_not_touch_the_card(world: World) -> None:
    number = await world.claimed()
    await world.settle(2)
    before = world.chat.count("card")
    await world.writes("hello")
    await world.says(number, "hello Sarah")
    await world.settle(5)
    assert world.chat.count("card") == before


async def test_a_card_that_shows_the_newest_state_is_left_alone(world: World) -> None:
    number = await world.claimed()
    await world.settle(2)
    before = world.chat.count("card")
    for _ in range(10):
        await world.settle(2)
    assert world.chat.count("card") == before
    assert (await world.lane(number, Reader.CARD)).due_at is None


async def test_what_changes_while_the_card_is_being_updated_is_shown_after_it(
    world: World,
) -> None:
    number = await world.claimed()
    await world.settle(2)
    root = (await world.binding(number)).root
    original = world.chat.update_card
    resolved = False

    async def update_card(place: Place, card: object) -> None:
        nonlocal resolved
        if not resolved:
            resolved = True
            await world.submit(Resolve(number, ANNA))
        await original(place, card)  # type: ignore[arg-type]

    world.chat.update_card = update_card  # type: ignore[method-assign, assignment]
    await world.submit(commands.Release(number, ANNA))
    await world.settle()
    await world.settle(2)
    await world.settle(2)
    assert world.chat.card(root).stage == "resolved"


async def test_card_updates_keep_their_distance(world: World) -> None:
    number = await world.claimed()
    await world.settle(2)
    before = world.chat.count("card")
    for _ in range(3):
        await world.submit(commands.Release(number, ANNA))
        await world.settle()
        await world.submit(Claim(number, ANNA))
        await world.settle()
    assert world.chat.count("card") - before == 1
    await world.settle(1.1)
    assert world.chat.count("card") - before == 2
    assert (await world.lane(number, Reader.CARD)).position == (await world.case(number)).head


# --- leases ---------------------------------------------------------------------------------------------------


async def test_a_lane_that_another_holder_leases_is_left_alone(world: World) -> None:
    number = await world.claimed()
    await world.hush()
    await world.writes("hello?")
    call = await world.submit(Advance(number, Reader.THREAD, "A"))
    assert call is not None
    assert await world.submit(Advance(number, Reader.THREAD, "B")) is None
    assert await world.read(lambda uow: (number, Reader.THREAD) in uow.lanes.due(world.clock(), 100)) is False


async def test_an_expired_lease_makes_the_delivery_uncertain(world: World) -> None:
    number = await world.claimed()
    await world.hush()
    await world.writes("hello?")
    first = await world.submit(Advance(number, Reader.THREAD, "A"))
    world.clock.advance(world.settings.timing.lease + 1)
    second = await world.submit(Advance(number, Reader.THREAD, "B"))
    assert second.delivery_id == first.delivery_id
    assert (first.find, second.find) == (False, True)
    assert await world.outstanding(number, Reader.THREAD) == [DeliveryState.UNCERTAIN]


async def test_a_result_that_comes_after_the_lease_was_lost_is_still_worth_having(world: World) -> None:
    number = await world.claimed()
    await world.hush()
    await world.writes("hello?")
    first = await world.submit(Advance(number, Reader.THREAD, "A"))
    world.clock.advance(world.settings.timing.lease + 1)
    second = await world.submit(Advance(number, Reader.THREAD, "B"))
    posted = await world.chat.post(first.place, _post(first.content), first.delivery_id)
    assert (
        await world.submit(
            Advance(number, Reader.THREAD, "A", Settled(first.delivery_id, done=True, posted=posted))
        )
        is None
    )
    missing = Settled(second.delivery_id, missing=True)
    assert await world.submit(Advance(number, Reader.THREAD, "B", missing)) is None
    assert await world.outstanding(number, Reader.THREAD) == []


def _post(content: dict[str, object]) -> object:
    from bot.posts import Post

    return Post.from_dict(content)


async def test_a_repeat_after_a_crash_is_the_same_call(world: World) -> None:
    number = await world.claimed()
    await world.hush()
    await world.writes("hello?")
    first = await world.submit(Advance(number, Reader.THREAD, "A"))
    world.clock.advance(world.settings.timing.lease + 1)
    await world.submit(Advance(number, Reader.THREAD, "B"))
    again = await world.submit(Advance(number, Reader.THREAD, "B", Settled(first.delivery_id, missing=True)))
    assert (again.find, again.delivery_id) == (False, first.delivery_id)
    assert _post(again.content) == _post(first.content)


async def test_two_couriers_post_each_message_once(world: World) -> None:
    other = world.new_courier()
    number = await world.claimed()
    for index in range(10):
        await world.writes(f"n{index}")
    await world.settle()
    await other.stop()
    whole = "\n".join(await world.thread(number))
    assert [whole.count(f"Sarah: n{index}") for index in range(10)] == [1] * 10


async def test_stopping_lets_the_call_under_way_end_and_be_recorded(world: World) -> None:
    number = await world.claimed()
    await world.writes("hello?")
    await world.hush()
    states = await world.outstanding(number, Reader.THREAD)
    assert DeliveryState.SENDING not in states


# --- webhooks -------------------------------------------------------------------------------------------------


@pytest.fixture
def with_webhook(settings: Settings) -> Settings:
    store = replace(settings.stores["main"], webhook_url="https://shop.example/hook")
    return replace(settings, stores={"main": store})


async def test_a_store_is_sent_the_shoppers_entries_only_and_in_order(
    with_webhook: Settings, clock: ManualClock, chat: FakeChat
) -> None:
    world = World(with_webhook, clock, chat)
    world.start()
    number = await world.escalate()
    await world.submit(Claim(number, ANNA))
    await world.settle()
    await world.says(number, "note: she is cross")
    await world.says(number, "Hello Sarah")
    await world.settle()
    bodies = [json.loads(body) for _, _, body in world.webhook.sent]
    seqs = [body["data"]["entry"]["seq"] for body in bodies]
    assert seqs == sorted(set(seqs))
    assert [body["data"]["entry"]["kind"] for body in bodies] == ["message", "notice", "notice", "message"]
    assert not any("cross" in str(body) for body in bodies)
    await world.stop()


async def test_a_webhook_that_fails_is_repeated_byte_by_byte_under_the_same_id(
    with_webhook: Settings, clock: ManualClock, chat: FakeChat
) -> None:
    world = World(with_webhook, clock, chat)
    world.start()
    world.webhook.troubles = [PlaceFault("500"), Unsure("timeout")]
    await world.escalate()
    await world.settle()
    await world.settle(5)
    await world.settle(5)
    first = world.webhook.sent[0]
    assert world.webhook.sent[:3] == [first] * 3
    assert world.webhook.sent[3][1] != first[1]
    await world.stop()


async def test_a_store_with_internal_set_is_sent_everything(
    with_webhook: Settings, clock: ManualClock, chat: FakeChat
) -> None:
    store = replace(with_webhook.stores["main"], internal=True)
    world = World(replace(with_webhook, stores={"main": store}), clock, chat)
    world.start()
    await world.escalate()
    await world.settle()
    kinds = [json.loads(body)["data"]["entry"]["kind"] for _, _, body in world.webhook.sent]
    assert kinds == ["message", "escalated", "notice"]
    await world.stop()


async def test_a_chat_that_shows_the_log_itself_works_the_same(
    settings: Settings, clock: ManualClock
) -> None:
    from adapters.console.outbound import ConsoleChat, Present

    team = replace(settings.teams["support"], chat="console", channel="console")
    settings = replace(settings, teams={"support": team})
    console = ConsoleChat(settings, Present())
    world = World(settings, clock, console)  # type: ignore[arg-type]
    world.start()
    number = await world.escalate()
    await world.submit(Claim(number, ANNA))
    await world.submit(commands.OperatorWrites(number, ANNA, "Hello Sarah", "p1"))
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    assert (await world.binding(number)).state is BindingState.CLOSED
    assert await world.outstanding(number, Reader.THREAD) == []
    assert await world.to_shopper(number) == ["My lamp broke", "Hello Sarah"]
    await world.stop()
