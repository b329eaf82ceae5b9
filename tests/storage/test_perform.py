"""Verbs that change something, on the real writer."""

from dataclasses import replace

import pytest

from bot.commands import Claim, Perform, Resolve, TeamMembers, ThreadMessage
from bot.errors import AlreadyClaimed, Misread, NotAllowed, NotFound, Refused
from bot.handlers import HANDLERS
from bot.handlers.hints import hints
from bot.handlers.perform import perform_in_thread
from bot.people import Actor, Member
from bot.settings import Settings, TeamPolicy
from tests.storage.world import ANNA, BEN, GUEST, LEA, World, make_settings


@pytest.fixture
def settings(database_url: str) -> Settings:
    made = make_settings(database_url)
    return replace(made, teams={**made.teams, "billing": TeamPolicy("billing", "fake", "C2")})


async def say(world: World, text: str, actor: Actor = ANNA, number: int | None = None, **rest: object) -> str:
    done = await world.submit(Perform(text, actor, number, **rest))  # type: ignore[arg-type]
    return done.whisper or ""


async def know(world: World, *people: Actor) -> None:
    """These are known as the team's."""
    await world.submit(TeamMembers("support", tuple(Member(one) for one in people)))


async def test_a_case_is_worked_on_by_words_alone(world: World) -> None:
    number = await world.escalate()
    assert await say(world, f"claim {number}") == f"#{number} is yours."
    await say(world, "priority high", number=number)
    await say(world, "tag damaged, VIP", number=number)
    await say(world, "note she sent a photo", number=number)
    await say(world, "resolve sale 129 EUR she took two", number=number)
    case = await world.case(number)
    assert (case.stage, case.priority, case.tags) == ("resolved", "high", ["damaged", "vip"])
    assert case.outcome == {"kind": "sale", "amount": 129.0, "currency": "EUR", "note": "she took two"}
    notes = [entry.text for entry in await world.log(number) if entry.kind == "aside"]
    assert notes == ["she sent a photo"]
    assert "she sent a photo" not in await world.to_shopper(number)


async def test_release_and_hand_back_say_what_was_done(world: World) -> None:
    number = await world.claimed()
    assert await say(world, "release", number=number) == f"#{number} is back in the queue, at its old place."
    assert await say(world, f"hand back {number}") == f"#{number} is back with the assistant."
    assert (await world.case(number)).stage == "open"


async def test_an_outcome_after_the_end_is_recorded(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await say(world, f"resolve {number} refund 20 EUR")
    assert ((await world.case(number)).outcome or {})["kind"] == "refund"


async def test_tags_are_added_to_those_there_are(world: World) -> None:
    number = await world.claimed()
    for words in ("tag one", "tag two, three", "tag -one"):
        await say(world, words, number=number)
    assert (await world.case(number)).tags == ["two", "three"]
    await say(world, "tag none", number=number)
    assert (await world.case(number)).tags == []


async def test_a_snooze_is_in_the_teams_time_and_ends_on_demand(world: World) -> None:
    number = await world.claimed()
    await say(world, "snooze 2h", number=number)
    assert (await world.case(number)).snoozed_until == world.clock() + 7200
    assert await say(world, "snooze off", number=number)
    assert (await world.case(number)).snoozed_until is None


async def test_a_case_is_moved_to_another_team(world: World) -> None:
    number = await world.claimed()
    assert await say(world, "move to Billing", number=number)
    assert (await world.case(number)).team == "billing"


async def test_a_person_is_a_mention_a_name_or_oneself(world: World) -> None:
    number = await world.escalate()
    await know(world, ANNA, BEN, LEA)
    assert await say(world, f"assign {number} @1", people=(BEN,)) == f"Ben Cho has #{number} now."
    for words, owner in (("@anna", "Anna Berg"), ("ben cho", "Ben Cho"), ("me", "Lea Lind")):
        done = await world.submit(Perform(f"assign {number} {words}", LEA))
        assert done.owner == owner


async def test_a_name_that_nobody_has_is_answered_with_who_was_meant(world: World) -> None:
    number = await world.escalate()
    await know(world, ANNA, BEN, Actor("fake", "U-ben2", "Ben Ali"))
    with pytest.raises(Misread, match="Did you mean Anna Berg"):
        await say(world, f"assign {number} ana berg")
    with pytest.raises(Misread, match="may be Ben Ali or Ben Cho"):
        await say(world, f"assign {number} ben")


async def test_guests_learn_nothing_of_the_team(world: World) -> None:
    number = await world.escalate()
    await know(world, ANNA)
    with pytest.raises(NotAllowed) as raised:
        await say(world, f"assign {number} nobody", GUEST)
    assert "Anna" not in raised.value.message


async def test_mentions_in_a_note_become_names(world: World) -> None:
    number = await world.claimed()
    await say(world, "note ask @1 about @2 and @9", number=number, people=(BEN, LEA))
    assert (await world.log(number))[-1].text == "ask @Ben Cho about @Lea Lind and @9"


async def test_the_same_request_counts_once_and_gets_the_same_answer(world: World) -> None:
    number = await world.claimed()
    first = await say(world, "note once", number=number, id="r1")
    head = (await world.case(number)).head
    assert await say(world, "note once", number=number, id="r1") == first
    assert (await world.case(number)).head == head


async def test_a_refused_request_may_be_made_again(world: World) -> None:
    number = await world.escalate()
    with pytest.raises(Refused):
        await say(world, "release", number=number, id="r1")
    await world.submit(Claim(number, ANNA))
    assert await say(world, "release", number=number, id="r1")


async def test_the_rules_of_the_buttons_hold_for_words(world: World) -> None:
    number = await world.claimed()
    with pytest.raises(AlreadyClaimed):
        await say(world, f"claim {number}", BEN)
    with pytest.raises(NotAllowed):
        await say(world, f"release {number}", BEN)
    with pytest.raises(NotAllowed):
        await say(world, f"take over {number}", BEN)
    with pytest.raises(NotAllowed):
        await say(world, f"note {number} x", GUEST)
    with pytest.raises(NotFound):
        await say(world, "claim 4711")
    assert await say(world, f"take over {number}", LEA) == f"#{number} is yours."


async def test_going_away_and_coming_back(world: World) -> None:
    await world.claimed()
    assert "until" in await say(world, "away 2h")
    own = await world.read(lambda uow: uow.people.known(ANNA))
    assert own is not None
    assert own.away_until == world.clock() + 7200
    await say(world, "back")
    own = await world.read(lambda uow: uow.people.known(ANNA))
    assert own is not None
    assert own.away_since is None


async def test_a_verb_that_only_reads_changes_nothing(world: World) -> None:
    number = await world.claimed()
    head = (await world.case(number)).head
    for text in ("queue", "help", "show", "stats", "failed"):
        assert await say(world, text, number=number) == ""
    assert (await world.case(number)).head == head


async def test_in_a_thread_a_refusal_is_a_whisper(world: World) -> None:
    number = await world.claimed()

    class Asked(Perform):
        """The same, by the way the thread's handler takes."""

    def asked(uow: object, command: Asked) -> object:
        case = uow.conversations.get(number)  # type: ignore[attr-defined]
        return perform_in_thread(uow, case, command.text, command.actor, command.people, command.id)  # type: ignore[arg-type]

    world.writer._handlers = {**world.writer._handlers, Asked: asked}  # type: ignore[attr-defined]
    for text, said in (("asign @1", "Did you mean `assign @operator`"), ("release", "Anna Berg's case")):
        done = await world.submit(Asked(text, BEN, number))
        assert said in done.whisper
    assert (await world.submit(Asked("claim", LEA, number))).whisper.endswith("you can write `takeover`.")
    assert "takeover" not in (await world.submit(Asked("claim", BEN, number))).whisper
    done = await world.submit(Asked("note kept", BEN, number, id="m1"))
    assert (done.number, (await world.log(number))[-1].text) == (number, "kept")


def test_the_case_that_a_text_names_is_loaded_with_the_batch() -> None:
    assert hints([Perform("claim 1043", ANNA, 1042, id="r")]).numbers == {1042, 1043}
    assert Perform in HANDLERS


async def test_a_verb_that_the_threads_history_brought_first_is_answered_when_its_event_comes(
    world: World,
) -> None:
    number = await world.claimed()
    place = await world.place(number)
    heard = world.heard("priority high", "m-1", addressed="bot", extra={"command": "priority high"})
    await world.submit(ThreadMessage(place, heard, ANNA, live=False))
    told = await world.submit(ThreadMessage(place, heard, ANNA))
    again = await world.submit(ThreadMessage(place, heard, ANNA))
    assert "high" in told.whisper
    assert again is None
    assert (await world.kinds(number)).count("prioritised") == 1
