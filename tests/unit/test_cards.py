"""What a case's card shows, and what can be done from it."""

from typing import Any

import pytest

from bot import texts
from bot.cards import card_of
from bot.conversation import Conversation, Stage
from bot.people import Operator, Shopper
from bot.posts import FORMS, Action, Card

SARAH = Shopper(1, "main", "s-1", 0.0, name="Sarah")
ANNA = Operator(1, "fake", "U-anna", "Anna Berg", "Anna")
MONDAY = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC


def a_case(stage: Stage, **changes: Any) -> Conversation:
    given = {"handoff": 1, **changes}
    return Conversation(1042, "main", "c-1", 1, "chat", stage, "billing", 0.0, 0.0, **given)


def a_card(conversation: Conversation, **rest: Any) -> Card:
    rest.setdefault("teams", 2)
    return card_of(conversation, SARAH, ANNA, brand="Shop", **rest)


def menu(card: Card) -> list[Action]:
    return [button.action for button in card.menu]


def facts(card: Card) -> dict[str, str]:
    return {field.label: field.text for field in card.fields}


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.ACTIVE])
def test_whatever_a_person_must_look_at_offers_every_form(stage: Stage) -> None:
    assert set(menu(a_card(a_case(stage)))) - {Action.STEP_IN} == FORMS


@pytest.mark.parametrize("stage", [Stage.OPEN, Stage.RESOLVED])
def test_what_is_over_offers_what_can_still_be_added(stage: Stage) -> None:
    assert menu(a_card(a_case(stage))) == [Action.OUTCOME, Action.NOTE, Action.TAG, Action.ASSIGN]


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.ACTIVE])
def test_what_is_wanted_most_is_first_in_the_menu(stage: Stage) -> None:
    forms = [action for action in menu(a_card(a_case(stage))) if action in FORMS]
    assert forms[:4] == [Action.SAVED_REPLY, Action.NOTE, Action.ASSIGN, Action.SNOOZE]


def test_without_a_handoff_there_is_no_outcome_to_add() -> None:
    assert Action.OUTCOME not in menu(a_card(a_case(Stage.OPEN, handoff=0)))


def test_where_there_is_one_team_nothing_is_moved() -> None:
    assert Action.MOVE not in menu(a_card(a_case(Stage.WAITING), teams=1))


def test_only_somebodys_case_can_be_taken_over_and_that_is_asked_first() -> None:
    step_in = a_card(a_case(Stage.ACTIVE)).menu[0]
    assert (step_in.action, step_in.confirm) == (Action.STEP_IN, texts.boards.confirm_step_in("Anna Berg"))
    assert Action.STEP_IN not in menu(a_card(a_case(Stage.WAITING)))


def test_every_entry_of_the_menu_has_words_and_the_case_number() -> None:
    for button in a_card(a_case(Stage.ACTIVE)).menu:
        assert button.label == texts.windows.MENU_LABELS[str(button.action)]
        assert button.value.partition(":")[0] == "1042"  # behind it: who loses a case that is taken over


def test_the_buttons_stay_the_few_that_are_pressed_most() -> None:
    pressed = [str(button.action) for button in a_card(a_case(Stage.ACTIVE)).buttons]
    assert pressed == ["resolve", "release", "handback"]


def test_the_footer_says_team_and_tags_and_a_priority_that_is_not_normal() -> None:
    plain = a_card(a_case(Stage.WAITING))
    assert plain.footer == "Shop · chat · billing"
    marked = a_card(a_case(Stage.WAITING, priority="urgent", tags=["vip", "broken lamp"]))
    assert marked.footer == "Shop · chat · billing · urgent · #vip #broken lamp"


def test_a_snoozed_case_says_until_when_in_the_teams_own_time() -> None:
    snoozed = a_case(Stage.ACTIVE, snoozed_until=MONDAY)
    assert facts(a_card(snoozed, zone="Europe/Berlin"))["Snoozed"] == "until Mon 21 Sep, 16:13 (CEST)"


def test_an_outcome_is_shown_once_the_case_is_resolved() -> None:
    outcome = {"kind": "sale", "amount": 1290.0, "currency": "EUR", "note": "by card"}
    assert facts(a_card(a_case(Stage.RESOLVED, outcome=outcome)))["Outcome"] == "sale, 1,290.00 EUR: by card"
    assert "Outcome" not in facts(a_card(a_case(Stage.ACTIVE, outcome=outcome)))
    bare = {"kind": "other", "amount": None, "currency": None, "note": ""}
    assert facts(a_card(a_case(Stage.RESOLVED, outcome=bare)))["Outcome"] == "other"


def test_the_card_of_a_thread_that_the_case_has_left_says_whose_it_is_and_offers_nothing() -> None:
    left = a_card(a_case(Stage.WAITING), current=False, moved=True)
    assert (left.status, left.buttons, left.menu) == (texts.card.status_moved("billing"), (), ())


def test_an_older_handoffs_card_offers_nothing() -> None:
    older = a_card(a_case(Stage.WAITING), current=False)
    assert (older.status, older.buttons, older.menu) == (texts.card.status_continued(), (), ())


@pytest.mark.parametrize("stage", list(Stage))
def test_a_card_survives_being_stored(stage: Stage) -> None:
    card = a_card(a_case(stage, tags=["vip"]))
    assert Card.from_dict(card.as_dict()) == card
