"""What people are answered: verbs that read, forms, and what is filled into them."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.commands import Claim, GoAway, Resolve, SetTags, ShopperFacts, TeamMembers
from bot.desk import FIELDS, Desk
from bot.entries import Reader
from bot.errors import EntryFault, Misread, NotAllowed, NotFound, Refused
from bot.forms import FieldKind, Form
from bot.hours import parse_hours
from bot.people import Actor, Member
from bot.posts import FORMS, Action, Answer
from bot.replies import Reply
from bot.settings import Settings, TeamPolicy
from tests.storage.world import ANNA, BEN, GUEST, LEA, World, make_settings

REPLIES = (
    Reply("Hello", "Hello {first_name}, this is {operator} from {brand} about #{case}."),
    Reply("Order", "Order {order.id} is {order.status}."),
)


@pytest.fixture
def settings(database_url: str) -> Settings:
    hours = parse_hours({"zone": "Europe/Berlin", "mon": "09:00-20:00", "tue": "08:30-18:00"})
    made = make_settings(database_url, hours=hours, replies=REPLIES)
    billing = TeamPolicy("billing", "fake", "C2", hours=hours)
    return replace(made, teams={**made.teams, "billing": billing})


@pytest.fixture
def desk(world: World, settings: Settings) -> Desk:
    return Desk(settings, world.courier._bus, world.reads, world.clock)


def numbers(answer: Answer) -> list[int]:
    return [row.number for row in answer.rows]


def offered(answer: Answer) -> list[Action]:
    return [button.action for button in answer.buttons]


async def many(world: World, count: int) -> list[int]:
    return [
        await world.escalate(f"c-{at}", f"Issue {at}", shopper=ShopperFacts(f"s-{at}")) for at in range(count)
    ]


# --- words ----------------------------------------------------------------------------------------------------


async def test_what_is_not_understood_is_answered_not_raised(desk: Desk) -> None:
    assert "Did you mean `queue`?" in (await desk.ask("qeue", ANNA)).text
    assert "There is no case #4711" in (await desk.ask("show 4711", ANNA)).text
    assert "There is no case #4711" in (await desk.ask("claim 4711", ANNA)).text


async def test_guests_are_told_nothing_but_how_to_ask(world: World, desk: Desk) -> None:
    await world.escalate()
    for text in ("queue", "find lamp", "show 1", "stats", "failed", "claim 1"):
        answer = await desk.ask(text, GUEST)
        assert "Ask a lead to add you" in answer.text
        assert not answer.rows
    with pytest.raises(NotAllowed):
        await desk.form(Action.NOTE, 1, GUEST)


async def test_help_fits_a_phone(desk: Desk) -> None:
    text = (await desk.ask("help", ANNA)).text
    assert len(text.splitlines()) <= 16
    assert max(len(line) for line in text.splitlines()) <= 60
    assert "assign @operator" in (await desk.ask("help assign", ANNA, number=1)).text


async def test_the_queue_is_listed_with_its_buttons_page_by_page(world: World, desk: Desk) -> None:
    assert (await desk.ask("queue", ANNA)).text == "Nobody is waiting."
    found = await many(world, 12)
    first = await desk.ask("queue", ANNA)
    assert (first.text, numbers(first)) == ("**Unclaimed: 12** (page 1 of 2)", found[:10])
    (button,) = first.buttons
    assert (button.action, button.value) == (Action.PAGE, "queue:1")
    second = await desk.press(Action.PAGE, button.value, ANNA)
    assert (numbers(second), [one.value for one in second.buttons]) == (found[10:], ["queue:0"])


async def test_my_cases_are_mine(world: World, desk: Desk) -> None:
    assert "You have no open cases" in (await desk.ask("mine", ANNA)).text
    number = await world.claimed()
    assert numbers(await desk.ask("mine", ANNA)) == [number]
    assert numbers(await desk.ask("mine", BEN)) == []


async def test_a_verb_that_changes_something_is_carried_out(world: World, desk: Desk) -> None:
    number = await world.escalate()
    assert (await desk.ask(f"claim {number}", ANNA)).text == f"#{number} is yours."
    await desk.ask("assign @1", ANNA, number=number, people=(BEN,), id="r1")
    case = await world.case(number)
    ben = await world.read(lambda uow: uow.people.known(BEN))
    assert ben is not None
    assert case.owner_id == ben.id


async def test_a_lead_who_loses_a_claim_may_take_over_once_asked(world: World, desk: Desk) -> None:
    number = await world.claimed()
    assert offered(await desk.ask(f"claim {number}", BEN)) == []
    answer = await desk.ask(f"claim {number}", LEA)
    (button,) = answer.buttons
    assert "Anna Berg claimed this" in answer.text
    assert (button.action, "Anna Berg" in (button.confirm or "")) == (Action.STEP_IN, True)
    await desk.press(button.action, button.value, LEA)
    assert (await desk.ask("mine", LEA)).rows[0].number == number


async def test_who_goes_away_may_hand_their_cases_over(world: World, desk: Desk) -> None:
    number = await world.claimed()
    answer = await desk.ask("away 2h", ANNA)
    (row,) = answer.rows
    assert (row.number, row.buttons[0].action, row.buttons[0].value) == (
        number,
        Action.HAND_OVER,
        str(number),
    )
    said = await desk.press(Action.HAND_OVER, row.buttons[0].value, ANNA)
    assert said.text.endswith(" is back in the queue, at its old place.")
    assert f"[**#{number}**](https://" in said.text
    assert (await world.case(number)).stage == "waiting"


# --- show and find --------------------------------------------------------------------------------------------


async def test_show_tells_the_whole_case(world: World, desk: Desk) -> None:
    shopper = ShopperFacts("s-1", "Sarah K.", "sarah@example.com", "vip", 3, 840.5, "USD")
    body = {"summary": {"tried": ["Offered credit"]}, "orders": [{"id": "4521", "status": "sent"}]}
    number = await world.escalate("c-1", "My lamp broke", shopper=shopper, body=body)
    await world.submit(Claim(number, ANNA))
    await world.settle()
    await world.says(number, "I am here.")
    answer = await desk.ask("show", ANNA, number=number)
    for part in (f"#{number}", "Sarah K.", "vip", "My lamp broke", "Anna Berg has it since 16:13", "4521 sent",
                 "Offered credit", "> **Sarah K.**: My lamp broke", "> **Anna**: I am here."):  # fmt: skip
        assert part in answer.text, part
    assert offered(answer) == [Action.RESOLVE]


async def test_find_looks_everywhere_and_in_resolved_cases_too(world: World, desk: Desk) -> None:
    sarah = ShopperFacts("s-1", "Sarah Kline", "Sarah@Example.com")
    first = await world.escalate("c-1", "My lamp broke", "the cable is frayed", shopper=sarah)
    second = await world.escalate("c-2", "Where is my table", shopper=ShopperFacts("s-2", "Tom Ölmann"))
    await world.submit(SetTags(second, ANNA, ("late",)))
    await world.submit(Resolve(first, ANNA))
    looked = {
        f"#{first}": [first], str(second): [second], "sarah@example.com": [first], "sarah": [first],
        "kline sarah": [first], "Ölmann": [second], "LAMP": [first], "frayed cable": [first], "late": [second],
        "my": [second, first], "nothing": [], "100%": [], "_": [],
    }  # fmt: skip
    for words, found in looked.items():
        answer = await desk.ask(f"find {words}", ANNA)
        assert sorted(numbers(answer)) == sorted(found), words
    assert (await desk.ask("find zebra", ANNA)).text == "Nothing found for “zebra”."
    assert Action.CLAIM in [button.action for button in (await desk.ask("find kline", ANNA)).rows[0].buttons]


async def test_more_than_a_page_is_found_page_by_page(world: World, desk: Desk) -> None:
    found = await many(world, 12)
    first = await desk.ask("find issue", ANNA)
    second = await desk.press(Action.PAGE, first.buttons[0].value, ANNA)
    assert "More than 10 found" in first.text
    assert sorted(numbers(first) + numbers(second)) == found


async def test_a_search_says_how_far_it_looked_once_there_is_more(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.answers.CASES", 1)
    monkeypatch.setattr("bot.answers.DEEP", 1)
    await world.escalate("c-1", "My lamp broke")
    world.clock.advance(10)
    await world.escalate("c-2", "My table broke", shopper=ShopperFacts("s-2"))
    answer = await desk.ask("find lamp", ANNA)
    assert not answer.rows
    assert "the issues of the newest 1 cases" in answer.text


# --- stats, failed --------------------------------------------------------------------------------------------


async def test_stats_are_todays(world: World, desk: Desk) -> None:
    yesterday = await world.escalate("c-0", "Old", shopper=ShopperFacts("s-0"))
    world.clock.advance(10 * 3600)  # past midnight in Berlin
    number = await world.escalate("c-1", "New")
    world.clock.advance(60)
    await world.submit(Claim(number, ANNA))
    await world.settle()
    world.clock.advance(60)
    await world.says(number, "Hello")
    await world.submit(Resolve(number, ANNA))
    other = await world.escalate("c-2", "Newer", shopper=ShopperFacts("s-2"))
    await world.submit(Claim(other, BEN))
    text = (await desk.ask("stats", ANNA)).text
    assert "New: **2**" in text
    assert "Waiting now: **1**, the longest for 10 h" in text
    assert "Resolved: **1**" in text
    assert "First reply: 2 min (median)" in text
    assert "• Anna Berg: 0 open, first reply 2 min (1)" in text
    assert "• Ben Cho: 1 open, no first reply" in text
    assert yesterday != number


async def test_what_failed_is_listed_and_sent_again(world: World, desk: Desk) -> None:
    assert (await desk.ask("failed", ANNA)).text == "Nothing has failed."
    number = await world.claimed()
    world.chat.troubles["post"] = [EntryFault("msg_too_long")]
    await world.writes("too much")
    await world.settle()
    answer = await desk.ask("failed", ANNA)
    (row,) = answer.rows
    (button,) = row.buttons
    assert (row.number, button.action) == (number, Action.RETRY)
    assert "msg\\_too\\_long" in row.text
    said = await desk.press(Action.RETRY, button.value, ANNA)
    assert said.text == f"It is being sent again, in the thread of #{number}."
    await world.settle()
    assert await world.dead() == []
    assert "has the id “nope”" in (await desk.ask("failed retry nope", ANNA)).text
    assert (await world.lane(number, Reader.THREAD)).due_at is None


# --- forms ----------------------------------------------------------------------------------------------------


async def form(desk: Desk, action: Action, number: int, actor: Actor = ANNA) -> Form:
    return await desk.form(action, number, actor)


async def fill(
    desk: Desk, action: Action, number: int, values: Mapping[str, str], actor: Actor = ANNA
) -> str:
    answer = await desk.submit(action, number, values, actor, "f1")
    assert isinstance(answer, Answer)
    return answer.text


async def wrong(desk: Desk, action: Action, number: int, values: Mapping[str, str]) -> tuple[str | None, str]:
    with pytest.raises(Refused) as raised:
        await desk.submit(action, number, values, ANNA, "f1")
    return raised.value.field, raised.value.message


async def test_every_form_can_be_asked_for_and_is_about_its_case(world: World, desk: Desk) -> None:
    number = await world.claimed()
    await world.submit(TeamMembers("support", (Member(ANNA),)))
    for action in sorted(FORMS):
        built = await form(desk, action, number)
        assert f"#{number}" in built.title
        assert len(built.title) <= 24
        assert {one.name for one in built.fields} <= set(FIELDS[action])
        for one in built.fields:
            assert all(len(option.label) <= 75 and len(option.hint) <= 75 for option in one.options)
    with pytest.raises(NotFound):
        await form(desk, Action.CLAIM, number)
    with pytest.raises(NotFound):
        await form(desk, Action.NOTE, 4711)


async def test_assign_shows_load_and_presence(world: World, desk: Desk) -> None:
    number = await world.escalate()
    with pytest.raises(Refused, match="Nobody is known"):
        await form(desk, Action.ASSIGN, number)
    other = await world.escalate("c-2", shopper=ShopperFacts("s-2"))
    await world.submit(TeamMembers("support", (Member(ANNA, True), Member(BEN, True), Member(LEA))))
    await world.submit(Claim(other, BEN))
    await world.submit(GoAway(ANNA, world.clock() + 3600))
    options = (await form(desk, Action.ASSIGN, number)).fields[0].options
    shown = {option.label: option.hint for option in options}
    assert shown["Anna Berg"] == "0 open, away until 17:13"
    assert shown["Ben Cho"].startswith("1 open")
    assert options[-1].label == "Anna Berg"  # who is away comes last
    ben = next(option.value for option in options if option.label == "Ben Cho")
    assert await fill(desk, Action.ASSIGN, number, {"operator": ben}) == f"Ben Cho has #{number} now."
    assert await wrong(desk, Action.ASSIGN, number, {"operator": ""}) == (
        "operator", "Choose one, or write your own below.",
    )  # fmt: skip
    assert (await wrong(desk, Action.ASSIGN, number, {"operator": "99"}))[0] == "operator"


async def test_move_offers_the_other_teams(world: World, desk: Desk) -> None:
    number = await world.claimed()
    (field,) = (await form(desk, Action.MOVE, number)).fields
    assert [(option.value, option.hint) for option in field.options] == [("billing", "0 waiting, open now")]
    await fill(desk, Action.MOVE, number, {"team": "billing"})
    assert (await world.case(number)).team == "billing"
    assert (await wrong(desk, Action.MOVE, number, {"team": "bilinng"}))[0] == "team"


async def test_priority_begins_at_what_it_is(world: World, desk: Desk) -> None:
    number = await world.claimed()
    assert (await form(desk, Action.PRIORITY, number)).fields[0].value == "normal"
    await fill(desk, Action.PRIORITY, number, {"priority": "urgent"})
    assert (await world.case(number)).priority == "urgent"


async def test_snooze_takes_a_choice_or_a_time(world: World, desk: Desk) -> None:
    number = await world.claimed()
    until, written = (await form(desk, Action.SNOOZE, number)).fields
    assert [option.label for option in until.options] == [
        "30 minutes",
        "1 hour",
        "2 hours",
        "Tomorrow at 08:30",
    ]
    await fill(desk, Action.SNOOZE, number, {"until": "30m", "time": ""})
    assert (await world.case(number)).snoozed_until == world.clock() + 1800
    await fill(desk, Action.SNOOZE, number, {"until": "30m", "time": "3h"})
    assert (await world.case(number)).snoozed_until == world.clock() + 3 * 3600
    assert "off" in [option.value for option in (await form(desk, Action.SNOOZE, number)).fields[0].options]
    await fill(desk, Action.SNOOZE, number, {"until": "off"})
    assert (await world.case(number)).snoozed_until is None
    assert (await wrong(desk, Action.SNOOZE, number, {"until": "", "time": "soon"}))[0] == "time"
    assert (await wrong(desk, Action.SNOOZE, number, {"until": "", "time": ""}))[0] == "until"
    assert written.optional


async def test_tags_in_use_are_offered_and_new_ones_written(world: World, desk: Desk) -> None:
    number = await world.claimed()
    assert [one.name for one in (await form(desk, Action.TAG, number)).fields] == ["new"]
    await fill(desk, Action.TAG, number, {"new": "Damaged, vip"})
    in_use, _ = (await form(desk, Action.TAG, number)).fields
    assert (in_use.kind, in_use.value) == (FieldKind.MANY, "damaged,vip")
    await fill(desk, Action.TAG, number, {in_use.name: "vip", "new": "two words"})
    assert (await world.case(number)).tags == ["vip", "two words"]
    assert (await wrong(desk, Action.TAG, number, {"new": "x" * 90}))[0] == "new"


async def test_a_note_is_kept_once(world: World, desk: Desk) -> None:
    number = await world.claimed()
    for _ in range(2):
        await fill(desk, Action.NOTE, number, {"text": "She sent a photo"})
    assert [entry.text for entry in await world.log(number) if entry.kind == "aside"] == ["She sent a photo"]
    assert (await wrong(desk, Action.NOTE, number, {"text": "  "}))[0] == "text"


async def test_an_outcome_is_recorded_and_can_be_corrected(world: World, desk: Desk) -> None:
    number = await world.claimed()
    await fill(
        desk, Action.OUTCOME, number, {"kind": "sale", "amount": "129,50", "currency": "eur", "note": "two"}
    )
    shown = {one.name: one.value for one in (await form(desk, Action.OUTCOME, number)).fields}
    assert shown == {"kind": "sale", "amount": "129.50", "currency": "EUR", "note": "two"}
    await fill(desk, Action.OUTCOME, number, {"kind": "other", "amount": "", "currency": "EUR"})
    assert (await world.case(number)).outcome == {
        "kind": "other",
        "amount": None,
        "currency": None,
        "note": "",
    }
    assert (await wrong(desk, Action.OUTCOME, number, {"kind": "sale", "amount": "much"}))[0] == "amount"
    assert (await wrong(desk, Action.OUTCOME, number, {"kind": "sale", "amount": "5", "currency": "euros"}))[
        0
    ] == ("currency")


# --- saved replies --------------------------------------------------------------------------------------------


async def test_a_saved_reply_is_picked_read_over_and_sent(world: World, desk: Desk) -> None:
    number = await world.claimed()
    (field,) = (await form(desk, Action.SAVED_REPLY, number)).fields
    assert [option.label for option in field.options] == ["Hello", "Order"]
    assert field.options[0].hint.startswith("Hello Sarah, this is Anna from Shop")
    step = await desk.submit(Action.SAVED_REPLY, number, {"reply": "Hello"}, ANNA, "f1")
    assert isinstance(step, Form)
    assert step.fields[0].value == f"Hello Sarah, this is Anna from Shop about #{number}."
    assert "this is Anna" not in " ".join(await world.to_shopper(number))  # nothing has left yet
    said = await fill(desk, Action.SAVED_REPLY, number, {"text": step.fields[0].value + " Bye."})
    assert said == f"Sent to the shopper of #{number}."
    assert (await world.to_shopper(number))[-1].endswith("Bye.")


async def test_a_reply_with_a_blank_left_is_refused(world: World, desk: Desk) -> None:
    number = await world.claimed()
    step = await desk.submit(Action.SAVED_REPLY, number, {"reply": "Order"}, ANNA, "f1")
    assert isinstance(step, Form)
    assert "order.id" in step.text
    field, why = await wrong(desk, Action.SAVED_REPLY, number, {"text": step.fields[0].value})
    assert (field, "{order.id}, {order.status}" in why) == ("text", True)
    assert await fill(desk, Action.SAVED_REPLY, number, {"text": "Order 4521 is on its way."})


async def test_a_saved_reply_of_somebody_else_stays_inside_and_says_so(world: World, desk: Desk) -> None:
    number = await world.claimed()
    before = await world.to_shopper(number)
    said = await fill(desk, Action.SAVED_REPLY, number, {"text": "Hello"}, BEN)
    assert "stayed inside" in said
    assert await world.to_shopper(number) == before


async def test_a_reply_that_is_gone_is_refused(world: World, desk: Desk) -> None:
    number = await world.claimed()
    assert (await wrong(desk, Action.SAVED_REPLY, number, {"reply": "Nope"}))[0] == "reply"
    assert (await wrong(desk, Action.SAVED_REPLY, number, {"reply": ""}))[0] == "reply"


async def test_without_saved_replies_the_form_says_how_to_get_some(world: World, settings: Settings) -> None:
    number = await world.claimed()
    case = await world.case(number)
    assert case.team == "support"
    only = replace(settings, replies=(Reply("B", "b", "billing"),))
    world.reads._settings = only  # type: ignore[attr-defined]
    with pytest.raises(Refused, match=r"replies\.toml"):
        await Desk(only, world.courier._bus, world.reads, world.clock).form(Action.SAVED_REPLY, number, ANNA)


def test_a_misread_word_is_a_refusal() -> None:
    assert issubclass(Misread, Refused)
