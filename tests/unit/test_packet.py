"""The packet and the card made from it."""

import pytest

from bot import packet, texts
from bot.cards import card_of
from bot.conversation import Conversation, Stage
from bot.entries import Audience, Author, Entry, Kind
from bot.packet import Reason, collect, shorten
from bot.people import Operator, Shopper
from bot.posts import Action, Button, Card, Field, Heard, Post, PostKind, Turn

SARAH = Shopper(1, "main", "s-77", 0.0, False, "Sarah K.", "sarah@example.com", "vip", 3, 840.5, "USD", "en")


def said(*pairs: tuple[str, str]) -> list[Entry]:
    return [
        Entry(1001, seq, Kind.MESSAGE, Audience.SHOPPER, Author(author), None, None, "", None, None, 0.0, 0.0,
              False, 1, text, {})
        for seq, (author, text) in enumerate(pairs, 1)
    ]  # fmt: skip


def test_the_packet_has_the_shape_of_the_design() -> None:
    """DESIGN §4, with the example's body."""
    body = {
        "category": "refund",
        "summary": {
            "issue": "Refund for order #4521", "tried": ["Verified the order"], "sentiment": "frustrated",
            "suggested_action": "Approve", "suggested_reply": "Hi Sarah",
        },
        "collected": {"order_id": "4521"}, "orders": [{"id": "4521"}], "cart": {"value": 0, "items": []},
        "page": "https://shop.example/p",
    }  # fmt: skip
    reason = Reason("keyword", "refund", "I want a refund", wants="refund")
    earlier = [{"number": 1000, "issue": "x", "outcome": "resolved", "rating": None, "at": "2026"}]
    assert packet.build(SARAH, said(("shopper", "I want a refund")), reason, body, earlier) == {
        "customer": {"id": "s-77", "name": "Sarah K.", "email": "sarah@example.com", "tier": "vip",
                     "orders_count": 3, "lifetime_value": 840.5, "currency": "USD", "locale": "en"},
        "issue": "Refund for order #4521",
        "category": "refund",
        "wants": "refund",
        "reason": {"trigger": "keyword", "rule": "refund", "evidence": "I want a refund"},
        "collected": {"order_id": ["4521"]},
        "tried": ["Verified the order"],
        "sentiment": {"label": "frustrated", "quote": "I want a refund"},
        "orders": [{"id": "4521"}],
        "cart": {"value": 0, "items": []},
        "page": "https://shop.example/p",
        "earlier": earlier,
        "suggested_action": "Approve",
        "suggested_reply": "Hi Sarah",
        "reachable": ["widget"],
    }  # fmt: skip


def test_the_shape_is_the_same_when_nothing_is_known() -> None:
    nobody = Shopper(1, "main", "anon", 0.0, anonymous=True)
    built = packet.build(nobody, [], Reason("button"), {})
    assert list(built) == list(packet.build(SARAH, said(("shopper", "x")), Reason("api"), {"category": "c"}))
    assert (built["issue"], built["sentiment"], built["reachable"]) == (
        "No message yet", {"label": None, "quote": None}, ["widget"]
    )  # fmt: skip


def test_without_a_summary_the_issue_is_the_first_thing_that_is_no_greeting() -> None:
    turns = said(
        ("shopper", "Hello!"),
        ("assistant", "How can I help?"),
        ("shopper", "My lamp broke"),
        ("shopper", "Help"),
    )
    built = packet.build(SARAH, turns, Reason("api"), {})
    assert (built["issue"], built["sentiment"]["quote"]) == ("My lamp broke", "Help")


def test_the_issue_of_a_later_handoff_was_said_since_the_one_before() -> None:
    turns = said(("shopper", "My lamp broke"), ("shopper", "Now the invoice is missing"))
    assert packet.build(SARAH, turns, Reason("api"), {}, since=1)["issue"] == "Now the invoice is missing"
    assert packet.build(SARAH, turns, Reason("api"), {}, since=2)["issue"] == "My lamp broke"


def test_facts_are_collected_once_the_stores_first() -> None:
    facts = collect(
        ["order #4521 and ORDER no. 99812-1, write to a.b@shop.co.uk.", "#4521"],
        {"order_id": 4521, "size": ["M", "L"]},
    )
    assert facts == {"order_id": ["4521", "99812-1"], "size": ["M", "L"], "email": ["a.b@shop.co.uk"]}


@pytest.mark.parametrize("text", ["in the year 2024", "call 0301234", "I ordered 12 lamps", "#12"])
def test_numbers_that_are_no_orders_are_not_collected(text: str) -> None:
    assert collect([text], {}) == {}


def test_empty_facts_are_left_out() -> None:
    assert collect([], {"order_id": "", "size": []}) == {}


def test_shortening_cuts_at_a_word_and_says_so() -> None:
    assert shorten("one two\nthree", 50) == "one two three"
    assert shorten("one two three", 9) == "one two…"
    assert len(shorten("x" * 300, 100)) == 100


# --- the card -------------------------------------------------------------------------------------------------


def a_case(stage: Stage, **packed: object) -> Conversation:
    return Conversation(
        1001, "main", "c", 1, "chat", stage, "support", 0.0, 0.0, priority="high",
        waiting_since=1.0, owned_since=2.0, resolved_at=3.0,
        packet=packet.build(
            SARAH, said(("shopper", "My lamp broke")), Reason("keyword", "refund", "I want a refund"), packed
        ),
    )  # fmt: skip


ANNA = Operator(1, "fake", "U1", "Anna Berg", "Anna")


@pytest.mark.parametrize(
    ("stage", "status", "since", "actions"),
    [
        (Stage.WAITING, "Waiting for a person", 1.0, [Action.CLAIM, Action.HAND_BACK, Action.RESOLVE]),
        (Stage.ACTIVE, "Anna Berg has it", 2.0, [Action.RESOLVE, Action.RELEASE, Action.HAND_BACK]),
        (Stage.RESOLVED, "Resolved by Anna Berg", 3.0, [Action.CLAIM]),
        (Stage.OPEN, "Back with the assistant", None, [Action.CLAIM]),
    ],
)
def test_a_card_says_who_has_the_case_since_when_and_what_can_be_done(
    stage: Stage, status: str, since: float | None, actions: list[Action]
) -> None:
    card = card_of(a_case(stage), SARAH, ANNA, brand="Shop")
    assert (card.status, card.since, [button.action for button in card.buttons]) == (status, since, actions)
    assert all(button.value == "1001" for button in card.buttons)
    assert (card.title, card.quote, card.urgent) == ("My lamp broke", "My lamp broke", True)


def test_a_card_shows_what_is_known_and_leaves_out_what_is_not() -> None:
    fields = {
        field.label: field.text for field in card_of(a_case(Stage.WAITING), SARAH, None, brand="Shop").fields
    }
    assert fields[texts.card.FIELD_CUSTOMER] == "Sarah K. · vip · 3 orders · 840.50 USD · en"
    assert fields[texts.card.FIELD_REASON] == "Keyword “refund”: I want a refund"
    assert texts.card.FIELD_ORDERS not in fields
    assert texts.card.FIELD_CART not in fields


def test_an_older_threads_card_has_no_buttons() -> None:
    card = card_of(a_case(Stage.ACTIVE), SARAH, ANNA, brand="Shop", current=False)
    assert (card.buttons, card.status, card.since) == ((), texts.card.status_continued(), None)


def test_an_anonymous_shopper_is_called_that() -> None:
    nobody = Shopper(1, "main", "anon-1", 0.0, anonymous=True)
    card = card_of(a_case(Stage.WAITING), nobody, None, brand="")
    assert card.fields[0].text == texts.words.anonymous()


# --- posts ----------------------------------------------------------------------------------------------------


def test_cards_and_posts_survive_the_database() -> None:
    """As plain JSON and back."""
    import json

    button = Button(Action.CLAIM, "Claim", "1001", "primary", "Sure?")
    card = Card(1001, "t", "s", "waiting", 1.5, (Field("a", "b"),), "q", "r", (button,), ("U1",), True, "f")
    post = Post(
        PostKind.TURNS, "x", (Turn(1, Author.SHOPPER, "Sarah", "hi", 2.0, "late"),), ("U1",), (button,), 1, 3
    )
    assert Card.from_dict(json.loads(json.dumps(card.as_dict()))) == card
    assert Post.from_dict(json.loads(json.dumps(post.as_dict()))) == post
    assert Post.from_dict({"kind": "line"}) == Post(PostKind.LINE)


def test_a_posts_span_is_what_its_turns_show() -> None:
    turns = tuple(Turn(seq, Author.SHOPPER, "S", "x", 0.0) for seq in (3, 5))
    assert Post(PostKind.TURNS, turns=turns).span == (3, 5)
    assert Post(PostKind.LINE, "x").span == (0, 0)
    assert Heard("1", "1", "U", "x", 0.0).edited_order == ""
