"""What leaves a thread, what stays, and what is offered for it."""

import pytest

from bot.conversation import Conversation, Stage
from bot.posts import Action
from bot.relay import Fate, Verdict, is_marked_inside, judge, without_marker

OWNER, COLLEAGUE = 7, 8


def case(stage: Stage = Stage.ACTIVE) -> Conversation:
    owner = OWNER if stage in {Stage.ACTIVE, Stage.RESOLVED} else None
    return Conversation(1001, "main", "c", 1, "chat", stage, "support", 0.0, 0.0, owner_id=owner)


def test_the_owners_message_leaves() -> None:
    assert judge("Hello Sarah", None, OWNER, case(), "owner") == Verdict(Fate.LEAVES)


@pytest.mark.parametrize(
    "text",
    ["note: cross", "NOTE: cross", "NOTE : cross", "Notes: cross", "  note:cross", "//cross", "  // cross", "///",
     "internal: cross", "\nnote: cross"],
)  # fmt: skip
def test_what_is_marked_stays_inside(text: str) -> None:
    assert is_marked_inside(text)
    assert judge(text, None, OWNER, case(), "owner") == Verdict(Fate.INSIDE, Action.SEND)


@pytest.mark.parametrize(
    "text",
    [
        "Please note: we close at 5",
        "notebook: yes, in stock",
        "https://shop.example",
        "a // b",
        "noted",
        "note it",
    ],
)
def test_what_only_looks_marked_leaves(text: str) -> None:
    assert judge(text, None, OWNER, case(), "owner").fate is Fate.LEAVES


def test_a_message_to_a_person_stays_inside() -> None:
    assert judge("can you look?", "person", OWNER, case(), "owner") == Verdict(Fate.INSIDE, Action.SEND)


@pytest.mark.parametrize("text", ["release", "relaese", "", "tell the shopper hello"])
@pytest.mark.parametrize("author", [OWNER, COLLEAGUE])
def test_a_message_to_the_bot_is_a_command_however_it_is_spelt(text: str, author: int) -> None:
    assert judge(text, "bot", author, case(), "owner") == Verdict(Fate.COMMAND)


@pytest.mark.parametrize(
    ("stage", "offer"),
    [
        (Stage.ACTIVE, Action.SEND_AS_ME),
        (Stage.WAITING, Action.CLAIM_AND_SEND),
        (Stage.OPEN, Action.CLAIM_AND_SEND),
        (Stage.RESOLVED, Action.REOPEN_AND_SEND),
    ],
)
def test_somebody_elses_message_stays_inside_with_the_offer_that_fits(stage: Stage, offer: Action) -> None:
    assert judge("I know this", None, COLLEAGUE, case(stage), "owner") == Verdict(Fate.INSIDE, offer)


def test_a_former_owners_message_in_a_resolved_thread_stays_inside() -> None:
    verdict = judge("One more thing", None, OWNER, case(Stage.RESOLVED), "owner")
    assert verdict == Verdict(Fate.INSIDE, Action.REOPEN_AND_SEND)


@pytest.mark.parametrize("stage", list(Stage))
def test_a_guest_is_offered_nothing_and_nothing_of_theirs_leaves(stage: Stage) -> None:
    assert judge("hello", None, OWNER, case(stage), "owner", member=False) == Verdict(Fate.INSIDE)


def test_in_alerts_mode_nothing_leaves() -> None:
    assert judge("Hello Sarah", None, OWNER, case(), "alerts").fate is Fate.INSIDE


@pytest.mark.parametrize(
    ("text", "left"), [("note: we refund", "we refund"), ("// ok", "ok"), ("plain", "plain"), ("note:", ""),
                       ("note: note: twice", "note: twice")]
)  # fmt: skip
def test_an_aside_that_is_sent_leaves_without_its_mark(text: str, left: str) -> None:
    assert without_marker(text) == left
