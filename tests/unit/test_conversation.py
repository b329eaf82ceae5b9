"""Stages, moves, awaiting; kinds and audiences."""

import itertools

import pytest

from bot.conversation import TRANSITIONS, Awaiting, Conversation, Move, Stage
from bot.entries import KINDS, Audience, Author, Draft, Entry, Kind, Reader, audience_of, for_shopper
from bot.errors import IllegalTransition

# DESIGN §2's table, typed again from it: from, by, to.
ALLOWED = {
    ("open", "escalate", "waiting"), ("resolved", "escalate", "waiting"),
    ("open", "claim", "active"), ("waiting", "claim", "active"), ("resolved", "claim", "active"),
    ("open", "assign", "active"), ("waiting", "assign", "active"), ("resolved", "assign", "active"),
    ("active", "assign", "active"), ("active", "take_over", "active"),
    ("active", "release", "waiting"),
    ("waiting", "hand_back", "open"), ("active", "hand_back", "open"),
    ("open", "resolve", "resolved"), ("waiting", "resolve", "resolved"), ("active", "resolve", "resolved"),
    ("resolved", "reopen", "waiting"),
    ("resolved", "return", "open"),
}  # fmt: skip


def a_case(stage: Stage = Stage.OPEN) -> Conversation:
    return Conversation(1001, "main", "c", 1, "chat", stage, "support", 0.0, 0.0)


def an_entry(
    seq: int, author: Author, kind: Kind = Kind.MESSAGE, audience: Audience = Audience.SHOPPER
) -> Entry:
    return Entry(1001, seq, kind, audience, author, None, None, "", None, None, 5.0, 6.0, False, 1, "x", {})


@pytest.mark.parametrize(("start", "by", "to"), sorted(ALLOWED))
def test_every_row_of_the_table_is_a_move(start: str, by: str, to: str) -> None:
    case = a_case(Stage(start))
    assert case.may(Move(by))
    case.make(Move(by))
    assert case.stage == to


@pytest.mark.parametrize(
    ("start", "by"),
    [
        (stage, move)
        for stage, move in itertools.product(Stage, Move)
        if (str(stage), str(move)) not in {(start, by) for start, by, _ in ALLOWED}
    ],
)
def test_every_other_pair_is_an_illegal_transition(start: Stage, by: Move) -> None:
    case = a_case(start)
    assert not case.may(by)
    with pytest.raises(IllegalTransition):
        case.make(by)
    assert case.stage is start


def test_the_table_has_no_row_more_than_the_design() -> None:
    assert {(str(start), str(by), str(to)) for (start, by), to in TRANSITIONS.items()} == ALLOWED


@pytest.mark.parametrize(
    ("stage", "silent"), [("open", False), ("waiting", True), ("active", True), ("resolved", False)]
)
def test_the_assistant_is_silent_while_a_person_is_needed_or_engaged(stage: str, silent: bool) -> None:
    assert a_case(Stage(stage)).in_persons_hands is silent


def test_whose_turn_it_is_follows_from_who_spoke_last() -> None:
    case = a_case(Stage.ACTIVE)
    case.note(an_entry(1, Author.SHOPPER))
    assert case.awaiting is Awaiting.OPERATOR
    case.note(an_entry(2, Author.BATON, Kind.NOTICE))
    case.note(an_entry(3, Author.OPERATOR, Kind.ASIDE, Audience.TEAM))
    assert case.awaiting is Awaiting.OPERATOR
    case.note(an_entry(4, Author.OPERATOR))
    assert case.awaiting is Awaiting.SHOPPER
    case.stage = Stage.OPEN
    assert case.awaiting is Awaiting.NOBODY


def test_the_first_reply_is_the_operators_first_message_and_no_aside() -> None:
    case = a_case(Stage.ACTIVE)
    case.note(an_entry(1, Author.ASSISTANT))
    case.note(an_entry(2, Author.OPERATOR, Kind.ASIDE, Audience.TEAM))
    assert case.first_reply_at is None
    case.note(an_entry(3, Author.OPERATOR))
    assert (case.first_reply_at, case.head) == (6.0, 3)


# --- audiences ------------------------------------------------------------------------------------------------


def test_every_kind_stands_in_the_table() -> None:
    assert set(KINDS) == set(Kind)


def test_what_shoppers_see_is_messages_notices_and_their_changes_only() -> None:
    seen = {kind for kind, about in KINDS.items() if about.audience is not Audience.TEAM}
    assert seen == {Kind.MESSAGE, Kind.NOTICE, Kind.EDITED, Kind.DELETED}


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("asked", [None, Audience.SHOPPER, Audience.TEAM])
@pytest.mark.parametrize("target", [None, Audience.SHOPPER, Audience.TEAM])
def test_a_draft_may_narrow_its_audience_and_never_widen_it(
    kind: Kind, asked: Audience | None, target: Audience | None
) -> None:
    of = an_entry(1, Author.OPERATOR, audience=target) if target else None
    widest = audience_of(Draft(kind), of)
    got = audience_of(Draft(kind, audience=asked), of)
    assert got is (Audience.TEAM if asked is Audience.TEAM else widest)
    if KINDS[kind].audience is None:
        assert widest is (target or Audience.TEAM)


def test_nothing_of_the_team_passes_to_the_shopper() -> None:
    both = [an_entry(1, Author.OPERATOR), an_entry(2, Author.OPERATOR, Kind.ASIDE, Audience.TEAM)]
    assert [entry.seq for entry in for_shopper(both)] == [1]


def test_the_thread_is_not_told_what_is_only_for_the_shopper() -> None:
    assert Reader.THREAD not in KINDS[Kind.NOTICE].readers
    assert Reader.RECEIPTS in KINDS[Kind.MESSAGE].readers
