"""Forms in windows: opened in time, filled in, refused beside the wrong field, closed after the commit."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.clicks import Where
from adapters.slack.modal_views import answer_view, dealt_with, form_view, lists_case, values_of
from bot import texts
from bot.errors import AlreadyClaimed, Busy, NotAllowed, Refused
from bot.forms import FieldKind, Form, FormField, Option
from bot.posts import FORMS, Action, Answer, Button, Card, Row
from tests.adapters.slack.answering import NOTE_FORM, PEOPLE_FORM, ROW
from tests.adapters.slack.desk import Desk
from tests.fakes.slack import Fault, View
from tests.fakes.slack.blocks import view_problems

WHERE = Where("U1", channel="C1", root="1.0")
MENU = tuple(
    Button(action, action.value, "7")
    for action in (Action.NOTE, Action.ASSIGN, Action.PRIORITY, Action.SNOOZE, Action.TAG, Action.OUTCOME)
)
CARD = Card(7, "Refund", "Dana has it", "active", None, buttons=(), menu=MENU)


def many(count: int, **more: Any) -> FormField:
    options = tuple(Option(f"v{number}", f"Choice {number} " + "x" * 90, "y" * 90) for number in range(count))
    return FormField("pick", "Pick", FieldKind.ONE, options, **more)


def element(field: FormField) -> dict[str, Any]:
    view = form_view(Form(Action.TAG, 7, "Tag", "Save", (field,)), WHERE)
    assert view_problems(view) == []
    return dict(view["blocks"][-1]["element"])


@pytest.mark.parametrize(
    ("count", "kind"), [(1, "radio_buttons"), (4, "radio_buttons"), (5, "static_select")]
)
def test_few_choices_are_shown_at_once(count: int, kind: str) -> None:
    assert element(many(count))["type"] == kind


def test_of_more_than_a_hundred_choices_the_first_are_listed_and_it_says_so() -> None:
    view = form_view(Form(Action.TAG, 7, "Tag", "Save", (many(130),)), WHERE)
    assert view_problems(view) == []
    assert len(view["blocks"][0]["element"]["options"]) == 100
    assert "first 100" in view["blocks"][0]["hint"]["text"]


def test_what_a_field_holds_at_first_is_chosen() -> None:
    assert element(many(9, value="v7"))["initial_option"]["value"] == "v7"
    tags = FormField("tags", "Tags", FieldKind.MANY, (Option("vip", "vip"), Option("a", "a")), "a,vip,gone")
    assert [one["value"] for one in element(tags)["initial_options"]] == ["vip", "a"]


def test_a_choice_without_choices_is_said_and_cannot_be_sent() -> None:
    view = form_view(Form(Action.MOVE, 7, "Move", "Move", (many(0),)), WHERE)
    assert view_problems(view) == []
    assert "submit" not in view
    assert "nothing to choose" in str(view["blocks"])


def test_a_text_that_no_window_holds_is_refused_rather_than_cut() -> None:
    field = FormField("text", "Text", FieldKind.TEXT, value="x" * 3001)
    with pytest.raises(Refused, match="too long"):
        form_view(Form(Action.SAVED_REPLY, 7, "Reply", "Send", (field,)), WHERE)


def test_a_case_that_was_dealt_with_leaves_the_listing() -> None:
    rows = (ROW, Row(8, "#8", (Button(Action.HAND_OVER, "Back to the queue", "8"),)))
    view = answer_view(Answer("Your open cases", rows), WHERE)
    assert (lists_case(view, 8), lists_case(view, 9)) == (True, False)
    after = dealt_with(view, 8, "#8 is back in the queue.", WHERE)
    assert view_problems(after) == []
    assert (lists_case(after, 7), lists_case(after, 8)) == (True, False)
    assert "back in the queue" in str(after["blocks"][0])


def test_a_window_without_fields_of_ours_has_no_values() -> None:
    assert values_of({"state": {"values": {"other": {"x": {"value": "1"}}}}}) == {}


# Over the wire


async def opened(desk: Desk, action: str = "note", card: Card = CARD) -> View:
    """The window behind an entry of the card's menu, once it shows its form."""
    posted = await desk.adapter.chat.open_thread("support", card, "d-1")
    delivery = await desk.slack.click(desk.anna, desk.room, posted.remote_id, "baton:menu", f"{action}|7")
    await desk.slack.wait_for(lambda: delivery.done)
    assert delivery.acked
    return await filled(desk)


async def filled(desk: Desk) -> View:
    """The window somebody looks at, once it waits no more."""

    def there() -> View | None:
        view = desk.slack.window(desk.anna)
        return view if view and "One moment" not in desk.slack.text_of(view) else None

    return await desk.slack.wait_for(there)


async def test_an_entry_of_the_menu_opens_its_form(desk: Desk) -> None:
    view = await opened(desk)
    assert "Add a note to #7" in desk.slack.text_of(view)
    assert "Only the team sees it." in desk.slack.text_of(view)


async def test_the_window_is_open_before_the_form_is_known(desk: Desk) -> None:
    desk.answers.gate.clear()
    posted = await desk.adapter.chat.open_thread("support", CARD, "d-1")
    await desk.slack.click(desk.anna, desk.room, posted.remote_id, "baton:menu", "note|7")
    view = await desk.slack.wait_for(lambda: desk.slack.window(desk.anna))
    assert "One moment" in desk.slack.text_of(view)
    desk.answers.gate.set()
    assert "Add a note" in desk.slack.text_of(await filled(desk))


async def test_the_rest_of_a_long_menu_is_in_a_window(desk: Desk) -> None:
    posted = await desk.adapter.chat.open_thread("support", CARD, "d-1")
    await desk.slack.click(desk.anna, desk.room, posted.remote_id, "baton:menu", "more|7|tag,outcome")
    view = await filled(desk)
    assert "Tag…" in desk.slack.text_of(view)
    desk.answers.forms[Action.TAG] = replace(NOTE_FORM, action=Action.TAG, title="Tags of #7")
    await desk.slack.click_in_view(desk.anna, view.id, "baton:tag")
    await desk.slack.wait_for(lambda: "Tags of #7" in desk.slack.text_of(view))
    await desk.slack.submit(desk.anna, view.id, {"text": "damaged"})
    await desk.slack.wait_for(lambda: view.closed)
    assert desk.answers.submitted[0][:3] == (Action.TAG, 7, {"text": "damaged"})


@pytest.mark.parametrize("failure", [NotAllowed("Only leads may."), Busy(1.0), RuntimeError("card 4111")])
async def test_a_form_that_cannot_be_had_is_explained(desk: Desk, failure: Exception) -> None:
    desk.answers.failure = failure
    view = await opened(desk)
    assert "submit" not in view.content
    assert ("Only leads may." if isinstance(failure, Refused) else "did not work") in desk.slack.text_of(view)


@pytest.mark.parametrize("fault", [Fault.error("expired_trigger_id"), Fault.http(503), Fault.rate_limit(1)])
async def test_a_window_that_does_not_open_is_said(desk: Desk, fault: Fault) -> None:
    desk.slack.faults.add("views.open", fault)
    posted = await desk.adapter.chat.open_thread("support", CARD, "d-1")
    await desk.slack.click(desk.anna, desk.room, posted.remote_id, "baton:menu", "note|7")
    whisper = await desk.slack.wait_for(lambda: desk.slack.ephemerals[-1] if desk.slack.ephemerals else None)
    assert "Press it again" in whisper.text


async def test_a_window_that_was_closed_meanwhile_is_left_alone(desk: Desk) -> None:
    desk.answers.gate.clear()
    posted = await desk.adapter.chat.open_thread("support", CARD, "d-1")
    await desk.slack.click(desk.anna, desk.room, posted.remote_id, "baton:menu", "note|7")
    view = await desk.slack.wait_for(lambda: desk.slack.window(desk.anna))
    await desk.slack.close(view.id)
    desk.answers.gate.set()
    await desk.slack.wait_for(lambda: desk.slack.calls_to("views.update"))
    assert desk.slack.ephemerals == []


async def test_what_is_filled_in_reaches_the_desk_and_the_answer_the_thread(desk: Desk) -> None:
    view = await opened(desk, "assign")
    sent = await desk.slack.submit(desk.anna, view.id, {"to": "U3"})
    await desk.slack.wait_for(lambda: view.closed and desk.slack.ephemerals)
    ((action, number, values, actor, named),) = desk.answers.submitted
    assert (action, number, values, actor.name) == (Action.ASSIGN, 7, {"to": "U3"}, "Anna Berg")
    assert named == f"{view.id}:{sent.payload['view']['hash']}"
    assert desk.slack.ephemerals[-1].text == "Noted."


async def test_a_wrong_field_is_said_beside_it_and_nothing_is_lost(desk: Desk) -> None:
    view = await opened(desk)
    desk.answers.failure = Refused("Write something.", field="text")
    await desk.slack.submit(desk.anna, view.id, {"text": ""})
    await desk.slack.wait_for(lambda: view.errors)
    assert view.errors == {"field:text": "Write something."}
    desk.answers.failure = None
    await desk.slack.submit(desk.anna, view.id, {"text": "she called"})
    await desk.slack.wait_for(lambda: view.closed)
    assert desk.slack.bad_answers == []


@pytest.mark.parametrize("failure", [NotAllowed("Only leads may."), Busy(1.0)])
async def test_any_other_refusal_stands_above_the_form_which_stays(desk: Desk, failure: Exception) -> None:
    view = await opened(desk)
    desk.answers.failure = failure
    await desk.slack.submit(desk.anna, view.id, {"text": "a long note"})
    shown = await desk.slack.wait_for(
        lambda: desk.slack.views[-1] if desk.slack.views[-1] is not view else None
    )
    assert ("Only leads may." if isinstance(failure, Refused) else "did not work") in desk.slack.text_of(
        shown
    )
    assert not view.closed
    assert desk.slack.bad_answers == []


async def test_a_saved_reply_is_read_over_before_it_leaves(desk: Desk) -> None:
    view = await opened(desk, "assign")
    text = FormField("text", "Reply", FieldKind.TEXT, value="Hi Sarah, it is on its way.")
    desk.answers.result = Form(Action.SAVED_REPLY, 7, "Read it over", "Send", (text,))
    await desk.slack.submit(desk.anna, view.id, {"to": "U3"})
    await desk.slack.wait_for(lambda: "Read it over" in desk.slack.text_of(view))
    desk.answers.result = Answer("Sent.")
    await desk.slack.submit(desk.anna, view.id, {"text": "Hi Sarah, it is on its way!"})
    await desk.slack.wait_for(lambda: view.closed)
    first, second = desk.answers.submitted
    assert second[:3] == (Action.SAVED_REPLY, 7, {"text": "Hi Sarah, it is on its way!"})
    assert first[4] != second[4]


async def test_a_form_left_as_it_was_gives_what_it_held(desk: Desk) -> None:
    desk.answers.forms[Action.NOTE] = Form(Action.NOTE, 7, "Tags", "Save", (
        FormField("tags", "Tags", FieldKind.MANY, (Option("vip", "vip"), Option("a", "a")), "vip"),
        FormField("text", "Note", value="as before", optional=True),
    ))  # fmt: skip
    view = await opened(desk)
    await desk.slack.submit(desk.anna, view.id)
    await desk.slack.wait_for(lambda: view.closed)
    assert desk.answers.submitted[0][2] == {"tags": "vip", "text": "as before"}


async def test_a_slow_commit_keeps_the_window_open_until_it_is_through(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.modals.ANSWER_WITHIN", 0.1)
    view = await opened(desk)
    desk.answers.gate.clear()
    await desk.slack.submit(desk.anna, view.id, {"text": "she called"})
    await desk.slack.wait_for(lambda: "One moment" in desk.slack.text_of(view))
    assert not view.closed
    desk.answers.gate.set()
    await desk.slack.wait_for(lambda: "Done." in desk.slack.text_of(view))
    await desk.slack.wait_for(lambda: desk.slack.ephemerals)


async def test_a_form_that_breaks_is_not_acknowledged(desk: Desk) -> None:
    view = await opened(desk)
    desk.answers.failure = RuntimeError("card 4111")
    sent = await desk.slack.submit(desk.anna, view.id, {"text": "she called"})
    await desk.slack.wait_for(lambda: sent.done)
    assert not sent.acked
    assert not view.closed


async def test_a_lead_who_finds_a_case_taken_is_offered_to_take_it_over(desk: Desk) -> None:
    lena = desk.slack.add_user("lena lead", admin=True)
    desk.slack.world.channels[desk.room].members.append(lena)
    desk.bus.failures.append(AlreadyClaimed("Dana has it."))
    step_in = Button(Action.STEP_IN, "Take over", "7", confirm="Take it from Dana?")
    desk.answers.answer = Answer("Dana has it.", buttons=(step_in,))
    await desk.slack.click(lena, desk.room, desk.place.root, "baton:claim")
    whisper = await desk.slack.wait_for(lambda: desk.slack.ephemerals[-1] if desk.slack.ephemerals else None)
    assert whisper.blocks[-1]["elements"][0]["confirm"]["text"]["text"] == "Take it from Dana?"


async def test_who_leaves_hands_over_case_by_case_in_one_window(desk: Desk) -> None:
    over = (Button(Action.HAND_OVER, "Back to the queue", "7"),)
    rows = (Row(7, "#7 Sarah", over), Row(8, "#8 Tom", (replace(over[0], value="8"),)))
    desk.answers.answer = Answer("You are away.", rows)
    await desk.slack.open_home(desk.anna)
    home = await desk.slack.wait_for(lambda: desk.slack.homes.get(desk.anna))
    await desk.slack.click_in_view(desk.anna, home.id, "baton:away")
    window = await filled(desk)
    assert desk.answers.asked[0].text == "away"
    desk.answers.answer = Answer("#7 is back in the queue.")
    await desk.slack.click_in_view(desk.anna, window.id, "baton:hand_over", "7")
    await desk.slack.wait_for(lambda: "#7 is back" in desk.slack.text_of(window))
    assert "#8 Tom" in desk.slack.text_of(window)
    assert "#7 Sarah" not in desk.slack.text_of(window)
    assert [one[:2] for one in desk.answers.pressed] == [(Action.HAND_OVER, "7")]


def test_every_form_of_the_core_has_a_label_behind_more() -> None:
    assert {action.value for action in FORMS} <= set(texts.windows.MENU_LABELS)


async def test_nothing_of_a_form_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    view = await opened(desk)
    desk.answers.failure = RuntimeError("my card is 4111")
    await desk.slack.submit(desk.anna, view.id, {"text": "my card is 4111"})
    await asyncio.sleep(0.1)
    ours = [one for one in caplog.records if one.name.startswith("baton")]
    assert "4111" not in "".join(str(one.__dict__) for one in ours)


def test_the_form_of_people_shows_their_load() -> None:
    view = form_view(PEOPLE_FORM, WHERE)
    assert view["blocks"][0]["element"]["options"][2]["description"]["text"] == "2 open"
