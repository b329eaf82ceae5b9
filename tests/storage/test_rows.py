"""Loaded rows, the log, the inbox and due rows within a unit of work."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, text

from bot.conversation import Conversation, Stage
from bot.entries import Author, Draft, Kind, Reader
from bot.lanes import Binding, BindingState, Link
from bot.people import Actor, Presence, Shopper
from bot.settings import Settings
from storage.engine import writing_engine
from storage.unit_of_work import UnitOfWork
from tests.storage.world import START

Fresh = Callable[[], UnitOfWork]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = writing_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def fresh(connection: Connection, settings: Settings) -> Fresh:
    """A further unit of work in the same transaction: it knows nothing but what was written."""
    return lambda: UnitOfWork(connection, settings, START)


def a_case(uow: UnitOfWork, name: str = "c-1", **fields: object) -> Conversation:
    case = Conversation(0, "main", name, 1, "chat", Stage.OPEN, "support", START, START)
    return uow.conversations.start(replace(case, **fields))  # type: ignore[arg-type]


def say(uow: UnitOfWork, case: Conversation, text: str, **rest: object) -> int:
    return uow.log.append(case, Draft(Kind.MESSAGE, Author.SHOPPER, text=text, **rest)).seq  # type: ignore[arg-type]


# --- rows -----------------------------------------------------------------------------------------------------


def test_the_same_row_is_the_same_object(fresh: Fresh) -> None:
    number = a_case(fresh()).number
    uow = fresh()
    found = uow.conversations.get(number)
    assert found is uow.conversations.named("main", "c-1")
    assert found is uow.conversations.page()[0]


def test_what_was_changed_is_written_and_nothing_else(fresh: Fresh, connection: Connection) -> None:
    uow = fresh()
    first, second = a_case(uow), a_case(uow, "c-2")
    uow.flush()
    uow = fresh()
    for number in (first.number, second.number):
        uow.conversations.get(number)
    uow.conversations.get(first.number).team = "other"  # type: ignore[union-attr]
    uow.flush()
    assert [row.number for row in uow.conversations.rows.written] == [first.number]
    rows = connection.execute(text("SELECT number, team FROM conversation ORDER BY number"))
    assert [tuple(row) for row in rows] == [(first.number, "other"), (second.number, "support")]


def test_a_query_counts_what_the_batch_changed_before_it(fresh: Fresh) -> None:
    uow = fresh()
    case = a_case(uow)
    case.stage, case.waiting_since = Stage.WAITING, START
    assert [one.number for one in uow.conversations.queue("support")] == [case.number]
    assert uow.conversations.stages() == {"waiting": 1}


def test_a_row_that_is_removed_and_added_again_is_there(fresh: Fresh) -> None:
    uow = fresh()
    uow.due.put("stale", 1, 5.0)
    uow.flush()
    uow.due.drop("stale", 1)
    assert uow.due.take("stale", 1, 5.0) is False
    uow.due.put("stale", 1, 7.0)
    uow.flush()
    assert fresh().due.ripe(10.0, 10) == [("stale", 1, 7.0)]


def test_a_row_that_is_added_and_removed_again_was_never_there(fresh: Fresh) -> None:
    uow = fresh()
    uow.due.put("stale", 1, 5.0)
    uow.due.drop("stale", 1)
    uow.due.drop("stale", 1)
    uow.flush()
    assert fresh().due.ripe(10.0, 10) == []


def test_removed_added_and_removed_leaves_nothing(fresh: Fresh) -> None:
    uow = fresh()
    uow.due.put("stale", 1, 5.0)
    uow.flush()
    uow.due.drop("stale", 1)
    uow.due.put("stale", 1, 6.0)
    uow.due.drop("stale", 1)
    uow.flush()
    assert fresh().due.ripe(10.0, 10) == []


def test_enums_and_json_come_back_as_they_went(fresh: Fresh) -> None:
    uow = fresh()
    case = a_case(uow, packet={"issue": "Ärger", "tried": ["x"]})
    uow.lanes.open(case.number, Reader.THREAD)
    uow.flush()
    uow = fresh()
    assert uow.conversations.get(case.number) == case
    assert uow.lanes.lane(case.number, Reader.THREAD).reader is Reader.THREAD  # type: ignore[union-attr]


def test_a_dict_that_is_replaced_is_written(fresh: Fresh) -> None:
    uow = fresh()
    case = a_case(uow)
    uow.flush()
    case.packet = {"issue": "x"}
    uow.flush()
    assert fresh().conversations.get(case.number).packet == {"issue": "x"}  # type: ignore[union-attr]


# --- the log --------------------------------------------------------------------------------------------------


def test_entries_are_numbered_without_gaps_per_conversation(fresh: Fresh) -> None:
    uow = fresh()
    one, two = a_case(uow), a_case(uow, "c-2")
    assert [say(uow, one, "a"), say(uow, two, "b"), say(uow, one, "c")] == [1, 1, 2]
    uow.flush()
    uow = fresh()
    assert uow.conversations.get(one.number).head == 2  # type: ignore[union-attr]
    assert [(entry.seq, entry.text) for entry in uow.log.after(one.number, 0)] == [(1, "a"), (2, "c")]


def test_a_message_that_is_appended_and_rewritten_in_one_batch_keeps_its_original(
    fresh: Fresh, connection: Connection
) -> None:
    uow = fresh()
    case = a_case(uow)
    seq = say(uow, case, "helo")
    uow.log.rewrite(uow.log.entry(case.number, seq), "hello", "2")  # type: ignore[arg-type]
    uow.log.rewrite(uow.log.entry(case.number, seq), "hello!", "3")  # type: ignore[arg-type]
    assert uow.changes().appended[case.number][0].text == "hello!"
    uow.flush()
    assert connection.execute(text("SELECT text, original FROM body")).one() == ("hello!", "helo")


@pytest.mark.parametrize("flushed", [False, True])
def test_the_original_is_what_was_said_first_however_often_it_is_edited(
    fresh: Fresh, connection: Connection, flushed: bool
) -> None:
    uow = fresh()
    case = a_case(uow)
    seq = say(uow, case, "first")
    uow.flush()
    for order in ("1", "2", "3"):
        uow = fresh() if flushed else uow
        uow.log.rewrite(uow.log.entry(case.number, seq), f"v{order}", order)  # type: ignore[arg-type]
        if flushed:
            uow.flush()
    uow.flush()
    assert connection.execute(text("SELECT text, original FROM body")).one() == ("v3", "first")
    entry = fresh().log.entry(case.number, seq)
    assert (entry.edited, entry.edited_order) == (True, "3")  # type: ignore[union-attr]


def test_a_blanked_text_is_gone_for_every_reader(fresh: Fresh) -> None:
    uow = fresh()
    case = a_case(uow)
    seq = say(uow, case, "secret", external_id="m1")
    uow.flush()
    uow.log.blank(uow.log.entry(case.number, seq))  # type: ignore[arg-type]
    assert uow.log.entry(case.number, seq).text == ""  # type: ignore[union-attr]
    assert uow.log.after(case.number, 0)[0].text == ""
    assert uow.log.last(case.number, 1)[0].deleted
    uow.flush()
    assert fresh().log.by_external_id(case.number, "m1").text == ""  # type: ignore[union-attr]


def test_the_last_entries_come_in_order(fresh: Fresh) -> None:
    uow = fresh()
    case = a_case(uow)
    for word in "abcd":
        say(uow, case, word)
    assert [entry.text for entry in uow.log.last(case.number, 2)] == ["c", "d"]
    assert [entry.text for entry in uow.log.after(case.number, 1, limit=2)] == ["b", "c"]
    assert [entry.text for entry in uow.log.after(case.number, 1, through=2)] == ["b"]


def test_entries_of_the_team_are_left_out_where_shoppers_read(fresh: Fresh) -> None:
    uow = fresh()
    case = a_case(uow)
    say(uow, case, "hello")
    uow.log.append(case, Draft(Kind.ASIDE, Author.OPERATOR, text="note"))
    assert [entry.text for entry in uow.log.after(case.number, 0, shopper_only=True)] == ["hello"]


def test_ids_are_known_across_a_long_transcript(fresh: Fresh) -> None:
    uow = fresh()
    case = a_case(uow)
    for index in range(3):
        say(uow, case, "x", external_id=f"m{index}")
    asked = [f"m{index}" for index in range(1200)]
    assert uow.log.known_ids(case.number, asked) == {"m0", "m1", "m2"}
    assert uow.log.known_ids(case.number + 1, asked) == set()


def test_appending_wakes_the_lanes_of_its_kind_only(fresh: Fresh) -> None:
    uow = fresh()
    case = a_case(uow)
    for reader in (Reader.THREAD, Reader.CARD, Reader.WEBHOOK):
        uow.lanes.open(case.number, reader)
    uow.log.append(case, Draft(Kind.NOTICE, text="hi"))
    due = {
        reader: uow.lanes.lane(case.number, reader).due_at
        for reader in (Reader.THREAD, Reader.CARD, Reader.WEBHOOK)
    }  # type: ignore[union-attr]
    assert due == {Reader.THREAD: None, Reader.CARD: None, Reader.WEBHOOK: START}


# --- lanes, links ---------------------------------------------------------------------------------------------


def test_waking_brings_a_lane_forward_and_never_back(fresh: Fresh) -> None:
    uow = fresh()
    lane = uow.lanes.open(1, Reader.CARD)
    for at, expected in (
        (START + 10, START + 10),
        (START + 20, START + 10),
        (None, START),
        (START + 5, START),
    ):
        uow.lanes.wake(1, Reader.CARD, at)
        assert lane.due_at == expected


def test_a_lane_is_due_when_it_owes_something_and_is_neither_paused_nor_leased(fresh: Fresh) -> None:
    uow = fresh()
    for number in range(1, 6):
        uow.lanes.open(number, Reader.THREAD).due_at = START
    uow.lanes.lane(2, Reader.THREAD).not_before = START + 5  # type: ignore[union-attr]
    uow.lanes.lane(3, Reader.THREAD).lease_until = START + 5  # type: ignore[union-attr]
    uow.lanes.lane(4, Reader.THREAD).due_at = None  # type: ignore[union-attr]
    uow.lanes.lane(5, Reader.THREAD).due_at = START + 5  # type: ignore[union-attr]
    uow.flush()
    assert uow.lanes.due(START, 10) == [(1, Reader.THREAD)]
    assert len(uow.lanes.due(START + 5, 10)) == 4


def test_the_posts_that_show_an_entry_are_found_by_their_span(fresh: Fresh) -> None:
    uow = fresh()
    binding = uow.lanes.add_binding(Binding(0, 1, 1, "fake", "C1", "r", BindingState.OPEN, 0, 0, START))
    for remote_id, span, part in (("b", (3, 5), 1), ("a", (3, 3), 0), ("c", (6, 6), 0)):
        uow.lanes.add_link(Link("fake", "C1", remote_id, 1, binding.id, *span, part))
    assert [link.remote_id for link in uow.lanes.links_of(binding.id, 3)] == ["a", "b"]
    assert [link.remote_id for link in uow.lanes.links_of(binding.id, 4)] == ["b"]
    assert uow.lanes.binding_at("fake", "C1", "r") is binding


# --- inbox, due, people, presence -----------------------------------------------------------------------------


def test_a_key_is_answered_with_what_was_remembered(fresh: Fresh) -> None:
    uow = fresh()
    assert uow.inbox.answer("k") is None
    uow.inbox.remember("k", {"seq": 1})
    assert uow.inbox.answer("k") == {"seq": 1}
    uow.flush()
    assert fresh().inbox.answer("k") == {"seq": 1}


def test_an_empty_answer_is_an_answer(fresh: Fresh) -> None:
    uow = fresh()
    uow.inbox.remember("k", {})
    uow.flush()
    assert fresh().inbox.answer("k") == {}


def test_whoever_takes_a_due_row_takes_it_alone_and_at_its_time(fresh: Fresh) -> None:
    uow = fresh()
    uow.due.put("idle", 1, 5.0)
    assert uow.due.take("idle", 1, 4.0) is False
    assert uow.due.take("idle", 1, 5.0) is True
    assert uow.due.take("idle", 1, 5.0) is False


def test_putting_off_a_due_row_replaces_its_time(fresh: Fresh) -> None:
    uow = fresh()
    uow.due.put("idle", 1, 5.0)
    uow.flush()
    uow.due.put("idle", 1, 9.0)
    uow.due.put("stale", 2, 8.0)
    uow.flush()
    assert fresh().due.ripe(10.0, 10) == [("stale", 2, 8.0), ("idle", 1, 9.0)]
    assert fresh().due.ripe(8.5, 10) == [("stale", 2, 8.0)]


def test_the_queue_is_ordered_by_priority_then_age_then_number(fresh: Fresh) -> None:
    uow = fresh()
    for name, priority, since in (
        ("old", "normal", START - 50), ("new", "normal", START), ("twin", "normal", START),
        ("urgent", "urgent", START), ("low", "low", START - 99), ("high", "high", START),
    ):  # fmt: skip
        a_case(uow, name, stage=Stage.WAITING, priority=priority, waiting_since=since)
    queue = uow.conversations.queue("support")
    assert [case.external_id for case in queue] == ["urgent", "high", "old", "new", "twin", "low"]
    assert [uow.conversations.waiting_before(case) for case in queue] == [0, 1, 2, 3, 4, 5]


def test_pages_list_every_case_once(fresh: Fresh) -> None:
    uow = fresh()
    numbers = [a_case(uow, f"c{n}", updated_at=START + n // 2).number for n in range(7)]
    seen: list[int] = []
    before = None
    while page := uow.conversations.page(before=before, limit=3):
        seen += [case.number for case in page]
        before = (page[-1].updated_at, page[-1].number)
    assert seen == numbers[::-1]


def test_an_operator_is_one_row_however_often_and_under_whatever_name_they_act(fresh: Fresh) -> None:
    uow = fresh()
    first = uow.people.operator_for(Actor("fake", "U1", "Anna"))
    uow.flush()
    uow = fresh()
    again = uow.people.operator_for(Actor("fake", "U1", "Anna Berg"))
    other = uow.people.operator_for(Actor("other", "U1", "Somebody"))
    uow.flush()
    assert again.id == first.id != other.id
    assert fresh().people.operator(first.id).name == "Anna Berg"  # type: ignore[union-attr]


def test_a_team_is_who_its_chat_told_last(fresh: Fresh) -> None:
    uow = fresh()
    one, two = (uow.people.operator_for(Actor("fake", f"U{n}", f"N{n}")) for n in (1, 2))
    uow.people.join("support", [one.id, two.id, one.id])
    assert [operator.name for operator in uow.people.team("support")] == ["N1", "N2"]
    uow.people.join("support", [two.id])
    assert [operator.name for operator in fresh().people.team("support")] == ["N2"]


def test_shoppers_of_two_stores_with_one_id_are_two(fresh: Fresh) -> None:
    uow = fresh()
    one = uow.people.add_shopper(Shopper(0, "main", "s", START))
    two = uow.people.add_shopper(Shopper(0, "other", "s", START))
    uow.flush()
    assert fresh().people.shopper_named("main", "s").id == one.id != two.id  # type: ignore[union-attr]


def test_what_a_tab_has_seen_never_shrinks_and_outlives_it(fresh: Fresh) -> None:
    uow = fresh()
    uow.presence.note(Presence(1, "t", START, delivered=5, seen=4))
    uow.presence.note(Presence(1, "t", START + 1, delivered=3, seen=3))
    uow.presence.leave(1, "t")
    (tab,) = uow.presence.tabs(1)
    assert (tab.delivered, tab.seen, tab.at) == (5, 4, 0.0)


def test_a_hidden_tab_is_hidden_since_it_was_first_hidden(fresh: Fresh) -> None:
    uow = fresh()
    for at, hidden in ((START, True), (START + 20, True)):
        uow.presence.note(Presence(1, "t", at, hidden=hidden, hidden_since=at if hidden else None))
    assert uow.presence.tabs(1)[0].hidden_since == START
    uow.presence.note(Presence(1, "t", START + 40))
    assert uow.presence.tabs(1)[0].hidden_since is None
