"""Every surface with the most that can stand on it, as Discord's own limits judge it."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.discord import form_view, queue_view
from adapters.discord.answer_view import dealt_with, layouts, lists_case, question
from adapters.discord.commands import declare, payload, same
from adapters.discord.components import card_buttons, name_of, pressed, used
from adapters.discord.rendering import render_answer
from adapters.discord.vendor import discord
from bot.boards import Board, Look, View
from bot.errors import Refused
from bot.forms import FieldKind, Form, FormField, Option
from bot.posts import FORMS, Action, Answer, Button, Card, Row
from tests.fakes.discord.commands import check_commands
from tests.fakes.discord.components import check_components, check_embeds, check_modal, shown_texts, walk
from tests.fakes.discord.errors import Problems

NASTY = "*_~`|<>#[](){}@everyone <@123> :tada: https://x.test discord.gg/a "
LINK = "[**#NN**](https://discord.com/channels/111111111111111111111/2222222222222222222/33333333NN)"


def buttons(number: int) -> tuple[Button, ...]:
    value = str(number)
    return (
        Button(Action.CLAIM, "Claim", value, "primary"),
        Button(Action.ASSIGN, "Assign…", value),
        Button(Action.STEP_IN, "Take over", value, confirm="x" * 300),
        Button(Action.SHOW, "Details", value),
    )


def rows(count: int) -> tuple[Row, ...]:
    """Rows as long as `bot.boards` makes them, of characters that all have to be escaped."""
    tags = ("\\#" + "t" * 32 + " ") * 5
    text = "\n".join([f"{LINK} · {NASTY}"[:160], (NASTY * 3)[:110], f"**99 new** · waits 4 min · {tags}"])
    return tuple(Row(n, text.replace("NN", str(n)), buttons(n)) for n in range(100_000, 100_000 + count))


def fits(components: list[Any]) -> None:
    problems = Problems()
    check_components(problems, components, layout=True)
    problems.refuse()


@pytest.mark.parametrize("count", [0, 1, 10, 20])
def test_a_listing_fits_and_holds_every_row(count: int) -> None:
    answer = Answer(
        NASTY * 5, rows(count), (Button(Action.PAGE, "‹", "queue:1"), Button(Action.PAGE, "›", "queue:3"))
    )
    shown = layouts(answer)
    for components in shown:
        fits(components)
    everything = str(shown)
    assert all(
        f"#{n}" in everything and f"baton:claim:{n}" in everything for n in range(100_000, 100_000 + count)
    )


def test_a_case_shown_whole_fits_and_says_where_the_rest_is() -> None:
    (components,) = layouts(Answer(NASTY * 200, buttons=buttons(7)))
    fits(components)
    assert "thread has the whole of it" in shown_texts(components)[0]


def test_what_became_of_a_row_fits() -> None:
    (components,) = layouts(Answer("You are away", rows(10)))
    done = dealt_with(components, 100_003, NASTY * 30)
    fits(done)
    assert not lists_case(done, 100_003)
    assert lists_case(done, 100_004)


def test_a_question_fits() -> None:
    fits(question(Answer(NASTY * 50, buttons=(buttons(7)[2],))))


def test_a_brief_fits_as_an_announcement() -> None:
    share = Button(
        Action.SHARE_OUT, "Share them out", f"{'t' * 60}:{','.join(str(n) for n in range(900_000, 900_100))}"
    )
    rendered = render_answer(Answer("Good morning", rows(10), (share,)))
    fits(list(rendered.components))
    assert "share_out" in str(rendered.components)


@pytest.fixture
def board() -> Board:
    look = Look(View.UNCLAIMED, "t" * 32, "urgent", "operator", 1)
    tags = tuple(f"{n}{'t' * 31}" for n in range(98))
    return Board(look, rows(10), dict.fromkeys(View, 100_000), tags, 10_000, "You are away until 14:00.")


def test_the_queue_fits_with_all_its_filters(board: Board) -> None:
    components = queue_view.window(board)
    fits(components)
    names = [option["value"] for one in walk(components) for option in one.get("options") or ()]
    looks = [queue_view.look_of(pressed(one).value) for one in names if pressed(one).name == "look"]
    assert {one.view for one in looks} == set(View)
    assert {one.priority for one in looks} == {"", "urgent", "high", "normal", "low"}
    assert {one.awaiting for one in looks} == {"", "operator", "shopper"}


def test_a_look_is_led_to_by_its_name(board: Board) -> None:
    name = queue_view.name_of(board.look)
    assert queue_view.look_of(name.partition(":")[2]) == board.look


def test_a_team_s_board_fits_and_differs_after_its_select_was_used(board: Board) -> None:
    first = queue_view.team_board(board, "t" * 60, 0.0, 1)
    fits(first)
    fits(queue_view.team_board(replace(board, rows=()), "support", 0.0, 1))
    names = {one.get("custom_id") for one in walk(first)}
    again = {one.get("custom_id") for one in walk(queue_view.team_board(board, "t" * 60, 60.0, 2))}
    assert names != again
    assert queue_view.without_time(first) == queue_view.without_time(
        queue_view.team_board(board, "t" * 60, 60.0, 1)
    )


def test_a_card_s_buttons_and_menu_fit() -> None:
    menu = (
        Button(Action.STEP_IN, "Take over", "9" * 9, confirm="?"),
        *(Button(one, "x" * 90, "9" * 9) for one in sorted(FORMS)),
    )
    card = Card(
        7,
        "",
        "",
        "active",
        None,
        buttons=tuple(Button(one, "y" * 90, "9" * 9) for one in list(Action)[:4]),
        menu=menu,
    )
    problems = Problems()
    check_components(problems, card_buttons(card), layout=False)
    problems.refuse()


MANY = tuple(Option(str(n), "N" * 200, "h" * 200) for n in range(100))
TAGS = tuple(Option(f"t{n}", f"t{n}") for n in range(100))
FIELDS = {
    "choices": FormField("operator", "Who", FieldKind.ONE, MANY),
    "tags": FormField("tags", "T" * 90, FieldKind.MANY, TAGS, value="t90,t91"),
    "few": FormField("kind", "Kind", FieldKind.ONE, (Option("a", "A"),), optional=True),
    "text": FormField("text", "Text", FieldKind.TEXT, value="v" * 4000, hint="h" * 300),
    "line": FormField("amount", "Amount", value="129.00", optional=True, longest=20),
}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_form_fits(name: str) -> None:
    fields = tuple({one.name: one for one in (FIELDS[name], FIELDS["line"], FIELDS["few"])}.values())
    form = Form(Action.TAG, 123_456_789, "T" * 80, "Save", fields, "Fill in " + NASTY)
    problems = Problems()
    check_modal(problems, form_view.modal(form, "9" * 20))
    problems.refuse()


def test_more_choices_than_fit_say_where_the_others_are_and_keep_what_is_chosen() -> None:
    form = Form(Action.TAG, 7, "Tags", "Save", (FIELDS["tags"],))
    (field,) = form_view.modal(form, "1")["components"]
    assert "/handoff tag" in field["description"]
    chosen = [one["value"] for one in field["component"]["options"] if one.get("default")]
    assert chosen == ["t90", "t91"]


def test_a_text_too_long_for_a_form_is_not_cut() -> None:
    field = FormField("text", "Text", FieldKind.TEXT, value="v" * 4001)
    with pytest.raises(Refused):
        form_view.modal(Form(Action.SAVED_REPLY, 7, "Saved reply", "Send", (field,)), "1")


@pytest.mark.parametrize("text", ["v" * 4000, NASTY * 50, "`" * 1500 + "\n" + "> x"])
def test_a_draft_fits_and_gives_back_what_was_typed(text: str) -> None:
    form = Form(Action.OUTCOME, 7, "Outcome", "Record", (FIELDS["line"], FIELDS["few"], FIELDS["text"]))
    values = {"amount": "12,", "kind": "a", "text": text}
    message = form_view.draft(form, values, NASTY * 10)
    problems = Problems()
    check_embeds(problems, message["embeds"])
    check_components(problems, message["components"], layout=False)
    problems.refuse()
    assert len(message["content"]) <= 2000
    assert form_view.kept_values(form, message["embeds"]) == values


def test_a_reply_to_read_over_fits() -> None:
    form = form_view.reply_form(123_456_789, "v" * 4000)
    message = form_view.read_over(replace(form, text="Fill in " + NASTY * 5))
    problems = Problems()
    check_embeds(problems, message["embeds"])
    problems.refuse()
    assert form_view.kept_text(message["embeds"]) == "v" * 4000


async def test_the_commands_fit_and_are_those_of_the_house() -> None:
    client = discord.Client(intents=discord.Intents.none())
    found = payload(declare(client, None))  # type: ignore[arg-type]
    check_commands(found)
    verbs = {one["name"] for one in found[0]["options"]}
    assert {
        "queue",
        "mine",
        "find",
        "show",
        "claim",
        "assign",
        "release",
        "move",
        "priority",
        "resolve",
    } <= verbs
    assert {"snooze", "tag", "note", "outcome", "away", "back", "stats", "failed", "help", "reply"} <= verbs


def test_commands_are_the_same_in_any_order_with_what_discord_adds() -> None:
    ours = [{"name": "a", "type": 1, "options": [{"name": "x", "required": False}]}, {"name": "b", "type": 3}]
    first = {"name": "a", "type": 1, "options": [{"name": "x"}], "id": "3"}
    theirs = [{"name": "b", "type": 3, "id": "1", "version": "2"}, first]
    assert same(ours, theirs)
    assert not same(ours, theirs[:1])
    assert not same(ours, [theirs[0], theirs[1] | {"options": []}])


def test_a_button_that_cannot_say_what_it_means_is_not_made() -> None:
    assert name_of(Button(Action.PAGE, "Next", "find:1:" + "x" * 90)) is None


def test_a_used_select_is_called_otherwise_and_then_as_before() -> None:
    assert used("choose:menu:7") != "choose:menu:7"
    assert used(used("choose:menu:7")) == "choose:menu:7"
