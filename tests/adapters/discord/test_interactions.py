"""What is pressed, chosen, filled in and typed: understood, answered in time, once, to one person."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.boards import Look, View
from bot.commands import Claim, SendMessage, ShareOut
from bot.errors import AlreadyClaimed, Busy, Misread, NotAllowed, Refused
from bot.forms import FieldKind, Form, FormField, Option
from bot.posts import Action, Answer, Button, Place, Row
from bot.suggestions import Sought
from tests.adapters.discord.counter import CARD, Counter
from tests.adapters.slack.answering import NOTE_FORM
from tests.fakes.discord import FakeDiscord, Fault, Interaction, pointed_at
from tests.fakes.discord.interactions import _event

REPLY_FORM = Form(
    Action.SAVED_REPLY, 7, "Saved reply #7", "Send to shopper",
    (FormField("text", "What the shopper will read", FieldKind.TEXT, value="Hi Sarah"),),
)  # fmt: skip


@pytest_asyncio.fixture
async def counter() -> AsyncIterator[Counter]:
    async with FakeDiscord() as discord:
        with pointed_at(discord, hurried=True):
            made = Counter(discord)
            await made.start()
            yield made
            await made.stop()


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long takes a tenth of a second."""
    monkeypatch.setattr("adapters.discord.turns.ANSWER_WITHIN", 0.1)
    monkeypatch.setattr("adapters.discord.forms.FORM_WITHIN", 0.1)


def button(action: Action, number: int) -> Button:
    return Button(action, str(action), str(number))


async def shown(counter: Counter, interaction: Interaction, part: str) -> None:
    await counter.discord.wait_for(lambda: part in interaction.text)


# Buttons


async def test_a_click_is_the_command_of_who_clicked(counter: Counter) -> None:
    await counter.click("baton:claim:7")
    (command,) = counter.bus.commands(Claim)
    assert (command.number, command.actor.id, command.actor.name) == (7, counter.anna, "Anna Berg")


async def test_a_click_whose_effect_shows_says_nothing(counter: Counter) -> None:
    clicked = await counter.click("baton:claim:7")
    assert (clicked.deferred, clicked.reply, clicked.followups) == (True, None, [])


async def test_a_refusal_is_told_to_the_one_who_clicked_only(counter: Counter) -> None:
    counter.bus.failures.append(NotAllowed("Only leads may."))
    clicked = await counter.click("baton:claim:7")
    assert (clicked.text, clicked.ephemeral) == ("Only leads may.", True)
    assert not counter.discord.thread(counter.room, counter.card.id)[1:]


async def test_a_slow_answer_is_deferred_and_comes_later(counter: Counter, quickly: None) -> None:
    counter.bus.gate.clear()
    counter.bus.answer = Answer("It is yours.")
    clicked = await counter.click("baton:claim:7")
    assert (clicked.deferred, clicked.text) == (True, "")
    counter.bus.gate.set()
    await shown(counter, clicked, "It is yours.")
    assert clicked.followups[0].ephemeral


async def test_the_same_interaction_twice_is_done_once(counter: Counter) -> None:
    clicked = await counter.click("baton:claim:7")
    counter.discord.gateway.emit("INTERACTION_CREATE", _event(counter.discord, clicked))
    await counter.discord.settled()
    await counter.click("baton:claim:7", user=counter.lea)
    assert [one.actor.id for one in counter.bus.commands(Claim)] == [counter.anna, counter.lea]
    assert clicked.refusals == []


async def test_an_old_message_works_after_a_restart(counter: Counter) -> None:
    await counter.restart()
    await counter.click("baton:claim:7")
    assert counter.bus.commands(Claim)


async def test_another_guild_is_refused(counter: Counter) -> None:
    one = await counter.discord.click(counter.anna, counter.room, counter.card.id, "baton:claim:7")
    await one.outcome()
    event = _event(counter.discord, one) | {"id": str(int(one.id) + 1), "guild_id": "99"}
    counter.discord.gateway.emit("INTERACTION_CREATE", event)
    await counter.discord.settled()
    await asyncio.sleep(0)
    assert len(counter.bus.commands(Claim)) == 1


async def test_a_click_that_comes_after_its_token_has_ended_is_left_alone(counter: Counter) -> None:
    one = await counter.click("baton:claim:7")
    long_ago = str(int(one.id) - (20 * 60 * 1000 << 22))
    counter.discord.gateway.emit("INTERACTION_CREATE", _event(counter.discord, one) | {"id": long_ago})
    await counter.discord.settled()
    await counter.click("baton:claim:7", user=counter.lea)
    assert [each.actor.id for each in counter.bus.commands(Claim)] == [counter.anna, counter.lea]


async def test_a_callback_that_fails_is_not_repeated_and_the_command_counts(counter: Counter) -> None:
    counter.discord.faults.add("interaction_callback", Fault.http(502), times=1)
    one = await counter.discord.click(counter.anna, counter.room, counter.card.id, "baton:claim:7")
    await counter.discord.wait_for(lambda: counter.bus.commands(Claim))
    await counter.discord.settled()
    assert len(counter.discord.calls_to("interaction_callback")) == 1
    assert not one.acked


@pytest.mark.parametrize("failure", [Busy(1.0), RuntimeError("my card is 4111")])
async def test_whatever_fails_is_said_and_not_logged(
    counter: Counter, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    counter.bus.failures.append(failure)
    assert "did not work" in (await counter.click("baton:claim:7")).text
    assert "4111" not in caplog.text


async def test_a_lead_who_finds_a_case_taken_is_asked_and_then_takes_it_over(counter: Counter) -> None:
    counter.bus.failures.append(AlreadyClaimed("Bob claimed this."))
    over = Button(Action.STEP_IN, "Take over", "7", confirm="Bob has it. Take it over?")
    counter.desk.answer = Answer("Bob claimed this.", buttons=(over,))
    taken = await counter.click("baton:claim:7", user=counter.lea)
    assert taken.reply is not None
    asked = await counter.click("baton:ask:step_in:7", taken.reply, counter.lea)
    assert "Take it over?" in asked.text
    assert asked.reply is not None
    await counter.click("baton:step_in:7", asked.reply, counter.lea)
    assert [one.take_over for one in counter.bus.commands(Claim)] == [True]


async def test_a_question_answered_with_no_changes_nothing(counter: Counter) -> None:
    over = Button(Action.STEP_IN, "Take over", "7", confirm="Bob has it. Take it over?")
    counter.desk.answer = Answer("Bob claimed this.", buttons=(over,))
    asked = await counter.choose("baton:ask:step_in:7")
    assert asked.reply is not None
    await counter.click("Cancel", asked.reply)
    assert "Nothing was changed" in counter.discord.text_of(asked.reply)
    assert counter.bus.commands(Claim) == []


async def test_a_menu_shows_nothing_as_chosen_after_it_was_used(counter: Counter) -> None:
    before = counter.discord.rendered(counter.card).selects[0].custom_id
    await counter.choose("baton:note:7")
    await counter.discord.wait_for(
        lambda: counter.discord.rendered(counter.card).selects[0].custom_id != before
    )
    assert counter.discord.rendered(counter.card).labels == ["Claim"]
    await counter.choose("baton:note:7")
    await counter.discord.wait_for(
        lambda: counter.discord.rendered(counter.card).selects[0].custom_id == before
    )


async def test_a_card_that_changes_while_its_menu_is_made_fresh_keeps_its_new_buttons(
    counter: Counter,
) -> None:
    place = Place("discord", counter.room, counter.card.id)
    await counter.adapter.chat.update_card(
        place, CARD
    )  # so that Discord has told how many calls may be made at once
    slowly, fresh = Fault.latency(0.3), lambda args: "embeds" not in args
    counter.discord.faults.add("edit_message", slowly, times=1, when=fresh)
    await counter.choose("baton:note:7")
    await counter.discord.wait_for(lambda: counter.discord.calls_to("get_message"))
    await counter.adapter.chat.update_card(place, replace(CARD, buttons=(button(Action.RESOLVE, 7),)))
    await counter.discord.wait_for(
        lambda: [one.status for one in counter.discord.calls_to("edit_message")] == [200] * 3
    )
    assert counter.discord.rendered(counter.card).labels == ["resolve"]


# Listings


async def test_a_page_is_turned_in_place(counter: Counter) -> None:
    turn = (Button(Action.PAGE, "Next ›", "find:1:sarah"),)
    counter.desk.answer = Answer("Page one", buttons=turn)
    listed = await counter.type("find", words="sarah")
    assert listed.reply is not None
    counter.desk.answer = Answer("Page two")
    turned = await counter.click("Next ›", listed.reply)
    assert turned.reply is None
    assert counter.discord.text_of(listed.reply) == "Page two"
    assert counter.desk.pressed[0][:2] == (Action.PAGE, "find:1:sarah")


async def test_a_row_says_what_became_of_it_and_offers_no_more(counter: Counter) -> None:
    rows = tuple(Row(n, f"#{n} Sarah", (button(Action.HAND_OVER, n), button(Action.SHOW, n))) for n in (7, 8))
    counter.desk.answer = Answer("You are away", rows)
    listed = await counter.type("away")
    assert listed.reply is not None
    counter.desk.answer = Answer("#7 is back in the queue.")
    await counter.click("baton:hand_over:7", listed.reply)
    rendered = counter.discord.rendered(listed.reply)
    assert "is back in the queue" in rendered.text
    assert [one.custom_id for one in rendered.buttons] == ["baton:hand_over:8"]
    assert rendered.selects[0].values == ("baton:show:8",)


async def test_twenty_open_cases_are_all_listed_to_who_goes_away(counter: Counter) -> None:
    rows = tuple(Row(n, f"#{n}", (Button(Action.HAND_OVER, "Back", str(n)),)) for n in range(1, 21))
    counter.desk.answer = Answer("You are away", rows)
    listed = await counter.type("away", until="14:00")
    await counter.discord.wait_for(lambda: listed.followups)
    shown_to = [listed.reply, *listed.followups]
    names = [one.custom_id for each in shown_to if each for one in counter.discord.rendered(each).buttons]
    assert names == [f"baton:hand_over:{n}" for n in range(1, 21)]
    assert counter.desk.asked[0].text == "away until 14:00"


async def test_the_queue_is_filtered_and_paged_in_place(counter: Counter) -> None:
    counter.desk.pages = 3
    listed = await counter.type("queue")
    assert listed.reply is not None
    assert listed.reply.ephemeral
    await counter.choose("baton:look:unclaimed.0.urgent..", listed.reply)
    await counter.click("Next ›", listed.reply)
    urgent = Look(View.UNCLAIMED, priority="urgent")
    assert [one for one in counter.desk.looks if one.priority] == [urgent, replace(urgent, page=1)]
    assert "page 2 of 3" in counter.discord.text_of(listed.reply)


async def test_who_says_that_they_are_away_sees_it_in_their_queue_and_what_is_open(counter: Counter) -> None:
    listed = await counter.type("mine")
    assert listed.reply is not None
    counter.desk.away = "You are away."
    counter.desk.answer = Answer("You still have one.", (Row(7, "#7 Sarah", (button(Action.HAND_OVER, 7),)),))
    gone = await counter.click("I'm away", listed.reply)
    await shown(counter, gone, "You still have one.")
    assert counter.desk.asked[0].text == "away"
    rendered = counter.discord.rendered(listed.reply)
    assert ("You are away." in rendered.text, "I'm back" in rendered.labels) == (True, True)


async def test_a_brief_with_more_cases_than_a_button_can_name_shares_out_what_waits_of_them(
    counter: Counter,
) -> None:
    numbers = ",".join(str(n) for n in range(10_000, 10_100))
    share = Button(Action.SHARE_OUT, "Share them out", f"support:{numbers}")
    await counter.adapter.chat.announce(counter.room, Answer("Good morning", buttons=(share,)))
    brief = counter.discord.messages(counter.room)[-1]
    counter.desk.rows = tuple(Row(n, f"#{n}") for n in (10_003, 10_099, 10_100))
    await counter.click("Share them out", brief, counter.lea)
    assert [one.numbers for one in counter.bus.commands(ShareOut)] == [(10_003, 10_099)]


# Forms


async def test_a_form_is_filled_in_and_stored_once_however_often_it_is_sent(counter: Counter) -> None:
    opened = await counter.choose("baton:note:7")
    sent = await counter.fill(opened, text="by mail")
    assert (sent.text, sent.ephemeral) == ("Noted.", True)
    ((action, number, values, actor, named),) = counter.desk.submitted
    assert (action, number, values, actor.id) == (Action.NOTE, 7, {"text": "by mail"}, counter.anna)
    assert opened.modal is not None
    opened.modal.closed = False  # as if nobody had seen the answer
    await counter.fill(opened, text="by mail")
    assert [one[4] for one in counter.desk.submitted] == [named, named]


async def test_a_form_that_takes_long_is_not_opened_and_says_so(counter: Counter, quickly: None) -> None:
    counter.desk.gate.clear()
    opened = await counter.choose("baton:note:7")
    assert opened.modal is None
    assert "Nothing was changed; choose it again" in opened.text


async def test_a_form_opened_before_a_restart_counts(counter: Counter) -> None:
    opened = await counter.choose("baton:note:7")
    await counter.restart()
    assert (await counter.fill(opened, text="by mail")).text == "Noted."


async def test_what_was_refused_is_kept_and_opens_again_with_all_that_was_typed(counter: Counter) -> None:
    opened = await counter.choose("baton:note:7")
    counter.desk.failure = None
    long = "**a** <@123> `b`\nand more " * 100
    real = counter.desk.submit

    async def refusing(*_: object) -> Answer:
        raise Refused("Too much of it.", field="text")

    counter.desk.submit = refusing  # type: ignore[assignment,method-assign]
    refused = await counter.fill(opened, text=long)
    assert refused.ephemeral
    assert "Too much of it." in refused.text
    assert refused.reply is not None
    counter.desk.submit = real  # type: ignore[method-assign]
    again = await counter.click("Open it again…", refused.reply)
    assert again.modal is not None
    assert long.strip() in again.modal.text
    done = await counter.fill(again)
    assert counter.desk.submitted[0][2]["text"].strip() == long.strip()
    assert counter.discord.text_of(refused.reply) == "Noted."
    assert done.reply is None


async def test_a_form_that_is_stored_slowly_is_answered_later(counter: Counter, quickly: None) -> None:
    opened = await counter.choose("baton:note:7")
    counter.desk.gate.clear()
    sent = await counter.fill(opened, text="by mail")
    assert (sent.deferred, sent.text) == (True, "")
    counter.desk.gate.set()
    await shown(counter, sent, "Noted.")
    assert sent.followups[0].ephemeral


@pytest.mark.parametrize("failure", [Busy(1.0), RuntimeError("my card is 4111")])
async def test_what_was_typed_is_kept_when_nothing_can_be_stored_at_all(
    counter: Counter, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    opened = await counter.choose("baton:note:7")
    counter.desk.failure = failure
    refused = await counter.fill(opened, text="she sent a photo by mail")
    assert "did not work" in refused.text
    assert refused.reply is not None
    counter.desk.failure = None
    again = await counter.click("Open it again…", refused.reply)
    await counter.fill(again)
    assert counter.desk.submitted[0][2] == {"text": "she sent a photo by mail"}
    assert "4111" not in caplog.text


async def test_choices_of_a_refused_form_are_kept_too(counter: Counter) -> None:
    options = (Option("30m", "30 minutes"), Option("1h", "1 hour"))
    until = FormField("until", "For how long", FieldKind.ONE, options, optional=True)
    fields = (until, FormField("time", "Or until", optional=True))
    counter.desk.forms[Action.NOTE] = Form(Action.NOTE, 7, "Snooze #7", "Snooze", fields)
    opened = await counter.choose("baton:note:7")
    real = counter.desk.submit

    async def refusing(*_: object) -> Answer:
        raise Refused("What time is that?", field="time")

    counter.desk.submit = refusing  # type: ignore[assignment,method-assign]
    refused = await counter.fill(opened, until=["1h"], time="whenever")
    counter.desk.submit = real  # type: ignore[method-assign]
    assert refused.reply is not None
    again = await counter.click("Open it again…", refused.reply)
    await counter.fill(again)
    assert counter.desk.submitted[0][2] == {"until": "1h", "time": "whenever"}


async def test_a_saved_reply_is_read_over_and_leaves_once(counter: Counter) -> None:
    options = tuple(Option(f"r{n}", f"Reply {n}") for n in range(3))
    pick = FormField("reply", "Reply", FieldKind.ONE, options)
    counter.desk.forms[Action.SAVED_REPLY] = Form(Action.SAVED_REPLY, 7, "Saved reply #7", "Choose", (pick,))
    counter.desk.result = REPLY_FORM
    over = await counter.fill(await counter.choose("baton:saved_reply:7"), reply=["r1"])
    assert over.ephemeral
    assert "Hi Sarah" in over.text
    assert over.reply is not None
    counter.desk.result = Answer("Sent.")
    await counter.click("Send to shopper", over.reply)
    assert counter.desk.submitted[-1][2] == {"text": "Hi Sarah"}
    assert counter.discord.text_of(over.reply) == "Sent."
    assert counter.discord.rendered(over.reply).buttons == []


async def test_a_reply_with_blanks_can_only_be_changed(counter: Counter) -> None:
    counter.desk.forms[Action.SAVED_REPLY] = NOTE_FORM
    blanks = replace(REPLY_FORM, text="Fill in {order.id}")
    counter.desk.result = blanks
    over = await counter.fill(await counter.choose("baton:saved_reply:7"), text="x")
    assert over.reply is not None
    assert counter.discord.rendered(over.reply).labels == ["Change it…"]


# The command


async def test_a_verb_in_a_thread_is_about_its_case(counter: Counter) -> None:
    await counter.type("note", channel=counter.card.id, text="12 lamps")
    (asked,) = counter.desk.asked
    assert (asked.text, asked.number) == ("note 12 lamps", 7)


async def test_a_person_is_named_by_their_account(counter: Counter) -> None:
    await counter.type("assign", case="#1042", person=f"<@{counter.lea}>")
    (asked,) = counter.desk.asked
    assert (asked.text, asked.number, [one.id for one in asked.people]) == ("assign @1", 1042, [counter.lea])


async def test_an_outcome_is_written_as_the_verb_is(counter: Counter) -> None:
    await counter.type("resolve", case="7", kind="sale", amount="129 EUR", remark="she took two")
    assert counter.desk.asked[0].text == "resolve sale 129 EUR she took two"


async def test_a_slow_command_thinks_and_then_answers(counter: Counter, quickly: None) -> None:
    counter.desk.gate.clear()
    one = await counter.discord.command(counter.anna, counter.room, "handoff stats")
    await counter.discord.wait_for(lambda: one.thinking)
    assert one.ephemeral
    counter.desk.gate.set()
    await shown(counter, one, "Sarah K.")


async def test_wrong_input_is_told_to_the_one_who_typed_it(counter: Counter) -> None:
    counter.desk.failure = Misread("Did you mean `claim 7`?")
    typed = await counter.type("claim", case="sarah")
    assert ("Did you mean" in typed.text, typed.ephemeral) == (True, True)


async def test_a_saved_reply_is_opened_by_its_name(counter: Counter) -> None:
    counter.desk.result = REPLY_FORM
    opened = await counter.type("reply", channel=counter.card.id, saved="r1")
    assert opened.modal is not None
    assert "Hi Sarah" in opened.modal.text
    counter.desk.result = Answer("Sent.")
    assert (await counter.fill(opened)).text == "Sent."


async def test_a_message_is_sent_from_its_menu(counter: Counter) -> None:
    message = await counter.discord.post(counter.anna, counter.room, "// on Monday", counter.card.id)
    one = await counter.discord.context_menu(counter.anna, counter.card.id, message, "Send to shopper")
    await one.outcome()
    (command,) = counter.bus.commands(SendMessage)
    assert (command.place.channel, command.place.root, command.message_id) == (
        counter.room,
        counter.card.id,
        message,
    )
    assert one.ephemeral


async def test_a_message_outside_of_a_thread_is_not_sent(counter: Counter) -> None:
    message = await counter.discord.post(counter.anna, counter.room, "lunch?")
    one = await counter.discord.context_menu(counter.anna, counter.room, message, "Send to shopper")
    await one.outcome()
    assert "no message of one of Baton's threads" in one.text


# Suggestions


async def suggested(
    counter: Counter, command: str, option: str, typed: str, **others: str
) -> list[tuple[str, str]]:
    where = counter.card.id if others.pop("here", "") else counter.room
    one = await counter.discord.autocomplete(
        counter.anna, where, f"handoff {command}", option, typed, **others
    )
    await one.outcome()
    return [(choice["name"], choice["value"]) for choice in one.choices or ()]


async def test_cases_are_suggested_while_somebody_types(counter: Counter) -> None:
    assert await suggested(counter, "claim", "case", "sar") == [("#7 · Sarah K. · Refund", "7")]
    assert counter.desk.sought == [(Sought.CASE, "sar", None)]


async def test_people_are_suggested_for_the_case_of_the_thread_as_their_accounts(counter: Counter) -> None:
    counter.desk.options = (Option("123456", "Lea", "2 open"), Option("Olga", "Olga", ""))
    found = await suggested(counter, "assign", "person", "l", here="yes")
    assert found == [("Lea · 2 open", "<@123456>"), ("Olga", "Olga")]
    assert counter.desk.sought == [(Sought.PERSON, "l", 7)]


async def test_suggestions_that_take_long_or_fail_are_none(counter: Counter) -> None:
    counter.desk.failure = RuntimeError("my card is 4111")
    assert await suggested(counter, "tag", "tags", "d", case="7") == []


async def test_a_long_suggestion_fits(counter: Counter) -> None:
    counter.desk.options = (Option("7", "#7 " + "x" * 200, "y" * 500), Option("z" * 101, "too long a value"))
    ((name, _),) = await suggested(counter, "claim", "case", "")
    assert len(name) <= 100


# The guild's commands


async def test_commands_are_written_only_when_they_differ(counter: Counter) -> None:
    await counter.restart()
    await counter.discord.wait_for(lambda: len(counter.discord.calls_to("get_commands")) == 2)
    await counter.discord.settled()
    assert len(counter.discord.calls_to("overwrite_commands")) == 1
    counter.discord.commands[0]["options"].pop()
    await counter.restart()
    await counter.discord.wait_for(lambda: len(counter.discord.calls_to("overwrite_commands")) == 2)


async def test_a_command_that_this_version_does_not_know_is_answered(counter: Counter) -> None:
    dance = {"type": 1, "name": "dance", "description": "An older version had it", "options": []}
    counter.discord.commands[0]["options"].append(dance)
    typed = await counter.type("dance")
    assert ("has just changed" in typed.text, typed.ephemeral) == (True, True)
