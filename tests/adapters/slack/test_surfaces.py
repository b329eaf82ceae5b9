"""Everything that Baton shows in Slack, with its largest content, is something that Slack takes."""

import importlib
import inspect
from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.blocks import Block
from adapters.slack.clicks import Where
from adapters.slack.home_view import home_view, refusal_view
from adapters.slack.modal_views import (
    answer_view,
    dealt_with,
    field_of_choice,
    form_view,
    menu_view,
    says_view,
    wait_view,
)
from adapters.slack.rendering import render_answer, render_card, render_post, split_post
from bot.boards import Board, Look, View
from bot.entries import Author
from bot.forms import FieldKind, Form, FormField, Option
from bot.posts import FORMS, Action, Answer, Button, Card, Field, Post, PostKind, Row, Turn
from tests.fakes.slack.blocks import MAX_CHARACTERS, problems, texts, view_problems

NASTY = "<!channel> *bold* _it_ ~no~ `code` > quote & <@U123> <https://x.test|y> :tada: ٩(◕‿◕)۶ 👩‍👩‍👧‍👦 "
LONG = NASTY * 60
NUMBER = 1_234_567
WHERE = Where("U0123456789", channel="C0123456789", root="1700000000.123456")
MENU = tuple(Button(action, NASTY, str(NUMBER)) for action in Action)
ROW = Row(
    NUMBER, LONG, tuple(Button(action, NASTY, str(NUMBER), confirm=LONG) for action in list(Action)[:8])
)
CARD = Card(
    NUMBER,
    LONG,
    LONG,
    "active",
    1_700_000_000.0,
    tuple(Field(NASTY, LONG) for _ in range(14)),
    LONG,
    LONG,
    tuple(Button(action, LONG, str(NUMBER), "primary", confirm=LONG) for action in list(Action)[:6]),
    tuple(f"U{number:09d}" for number in range(30)),
    True,
    LONG,
    MENU[10:],
)
OPTIONS = tuple(Option(f"{number}" + "v" * 140, LONG, LONG) for number in range(150))
FORM = Form(
    Action.ASSIGN,
    NUMBER,
    LONG,
    LONG,
    tuple(
        FormField(
            f"field-{kind}-{number}", LONG, kind, OPTIONS if kind in ("one", "many") else (), "x" * 2900, LONG
        )
        for number in range(5)
        for kind in FieldKind
    ),
    LONG,
)
BOARD = Board(
    Look(View.MINE, "t" * 150, "urgent", "shopper", 3),
    (ROW,) * 10,
    dict.fromkeys(View, 10_000),
    tuple(f"tag {number} {NASTY}"[:150] for number in range(200)),
    999,
    LONG,
)


def check_message(blocks: list[dict[str, Any]]) -> None:
    assert problems(blocks) == []
    assert sum(len(text) for text in texts(blocks)) <= MAX_CHARACTERS
    no_pings(blocks)


def no_pings(blocks: Any) -> None:
    """Nobody is mentioned by a text that is not ours."""
    shown = " ".join(texts(blocks))
    assert "<!channel>" not in shown
    assert "<@U123>" not in shown


def test_a_card() -> None:
    check_message(render_card(CARD).blocks)
    assert len(render_card(CARD).text) <= 4_000


@pytest.mark.parametrize("author", list(Author))
def test_posts(author: Author) -> None:
    turns = tuple(Turn(number, author, NASTY, LONG, 0.0, NASTY) for number in range(1, 30))
    for part in split_post(Post(PostKind.TURNS, turns=turns, buttons=MENU[:3])):
        check_message(render_post(part).blocks)


@pytest.mark.parametrize("kind", [PostKind.LINE, PostKind.OFFER, PostKind.ALERT])
def test_lines(kind: PostKind) -> None:
    for part in split_post(Post(kind, text=LONG, buttons=MENU, mentions=("U0000ANNA",))):
        check_message(render_post(part).blocks)


@pytest.mark.parametrize("text", ["", "short", LONG, LONG * 4])
@pytest.mark.parametrize("rows", [0, 1, 10, 60])
def test_answers(text: str, rows: int) -> None:
    found = render_answer(Answer(text, (ROW,) * rows, MENU[:3]))
    check_message(found.blocks)
    assert len(found.text) <= 4_000
    assert found.text


@pytest.mark.parametrize("again", ["queue:0", "find:9999:" + "ü" * 200, "find:0:" + NASTY * 3])
def test_listings_that_can_be_shown_anew(again: str) -> None:
    check_message(render_answer(Answer(LONG, (ROW,) * 10, MENU[:3], again)).blocks)
    where = replace(
        WHERE, response_url="https://hooks.slack.com/actions/" + "x" * 300, ephemeral=True, again=again
    )
    assert view_problems(form_view(FORM, where)) == []
    assert view_problems(answer_view(Answer(LONG, (ROW,) * 60, MENU, again), where)) == []


@pytest.mark.parametrize("choices", [1, 4, 5, 150])
def test_a_form_whose_choice_is_enough(choices: int) -> None:
    field = FormField(NASTY, LONG, FieldKind.ONE, OPTIONS[:choices], at_once=True)
    view = form_view(Form(Action.SAVED_REPLY, NUMBER, LONG, LONG, (field,), LONG), WHERE)
    assert view_problems(view) == []
    assert "submit" not in view
    assert field_of_choice(view) == NASTY


def test_a_home_tab_of_many_teams_tags_and_people() -> None:
    """A name and an issue as long as the core lets them be, ten rows, a word above."""
    assert view_problems(home_view(BOARD, 1_700_000_000.0, LONG)) == []
    assert len(home_view(BOARD, 0.0)["private_metadata"]) <= 3_000


SURFACES = {
    "rendering": {"render_card", "render_post", "render_answer", "render_row"},
    "home_view": {"home_view", "refusal_view"},
    "modal_views": {"form_view", "wait_view", "says_view", "answer_view", "menu_view", "dealt_with"},
}


@pytest.mark.parametrize("module", sorted(SURFACES))
def test_every_surface_is_one_of_those_that_are_tried_here(module: str) -> None:
    """By what a function gives back: a message, blocks or a view."""
    found = importlib.import_module(f"adapters.slack.{module}")
    shown = {"Rendered", "View", "dict[str, Any]", "list[Block]"}
    public = {
        name
        for name, one in inspect.getmembers(found, inspect.isfunction)
        if not name.startswith("_") and one.__module__ == found.__name__ and _annotation(one) in shown
    }
    assert public == SURFACES[module]


def _annotation(function: Any) -> str:
    given = inspect.signature(function).return_annotation
    text = given if isinstance(given, str) else getattr(given, "__name__", str(given))
    return (
        "dict[str, Any]" if given == dict[str, Any] else "list[Block]" if given == list[Block] else str(text)
    )


@pytest.mark.parametrize("rows", [0, 1, 10])
def test_the_home_tab(rows: int) -> None:
    view = home_view(
        Board(BOARD.look, (ROW,) * rows, BOARD.counts, BOARD.tags, 999, LONG), 1_700_000_000.0, LONG
    )
    assert view_problems(view) == []
    no_pings(view["blocks"])
    assert view_problems(refusal_view(LONG, BOARD.look)) == []


def test_a_form() -> None:
    view = form_view(FORM, WHERE)
    assert view_problems(view) == []
    no_pings([block for block in view["blocks"] if block["type"] == "section"])


@pytest.mark.parametrize("action", sorted(FORMS))
def test_windows_without_fields(action: Action) -> None:
    for view in (
        wait_view(WHERE),
        says_view(LONG, WHERE),
        says_view("", WHERE),
        answer_view(Answer(LONG, (ROW,) * 60, MENU), WHERE),
        menu_view([Button(action, NASTY, str(NUMBER))], WHERE),
        dealt_with(answer_view(Answer("", (ROW,) * 60), WHERE), 1, LONG, WHERE),
    ):
        assert view_problems(view) == []
        no_pings(view["blocks"])
