"""Saved replies: what fills their blanks, and what is wrong with a file."""

import tomllib
from pathlib import Path

import pytest

from bot.conversation import Conversation, Stage
from bot.people import Shopper
from bot.replies import Reply, facts_of, fill, for_team, read, unfilled
from bot.settings import SettingsError, load
from bot.splitting import units

EXAMPLE = Path(__file__).parents[2] / "replies.example.toml"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def facts(name: str | None = "Sarah Kline", **packet: object) -> dict[str, str]:
    case = Conversation(
        1042, "main", "c-1", 1, "chat", Stage.ACTIVE, "support", 0.0, 0.0, packet=dict(packet)
    )
    return facts_of(case, Shopper(1, "main", "s-1", 0.0, name=name), "Anna", "Lumen & Oak")


def wrong(text: str) -> str:
    with pytest.raises(ValueError) as raised:
        read(tomllib.loads(text), ("support", "billing"))
    return str(raised.value)


# --- blanks ---------------------------------------------------------------------------------------------------


def test_blanks_are_filled_from_the_case() -> None:
    text = (
        "Hello {first_name}, #{case} at {brand}: {order.id} is {order.status} ({collected.size}). {operator}"
    )
    known = facts(orders=[{"id": "4521", "status": "sent"}, {"id": "1"}], collected={"size": ["S", "M"]})
    filled = fill(Reply("r", text), known)
    assert filled.text == "Hello Sarah, #1042 at Lumen & Oak: 4521 is sent (M). Anna"
    assert filled.missing == ()


def test_a_collected_order_number_stands_in_for_a_missing_order() -> None:
    assert fill(Reply("r", "{order.id}"), facts(collected={"order_id": ["77"]})).text == "77"


def test_what_nobody_knows_is_named_and_stays() -> None:
    filled = fill(Reply("r", "Hello {first_name}, {order.id} and {order.id}"), facts(name=None))
    assert filled.text == "Hello {first_name}, {order.id} and {order.id}"
    assert filled.missing == ("first_name", "order.id")


def test_a_text_with_a_blank_left_is_found() -> None:
    assert unfilled("Hello {first_name}, see {order.total}") == ("first_name", "order.total")
    assert unfilled("A set {a, b} and {sic} is no blank") == ()


def test_a_shoppers_words_make_no_blank_and_no_second_line() -> None:
    known = facts(name="{order.id} Evil", collected={"note": ["one\ntwo"]})
    filled = fill(Reply("r", "{first_name} {collected.note}"), known)
    assert filled.text == "(order.id) one two"
    assert unfilled(filled.text) == ()


def test_a_team_has_its_own_replies_before_the_common_ones() -> None:
    known = [
        Reply("Hello", "a"),
        Reply("Bye", "b"),
        Reply("hello", "c", "billing"),
        Reply("X", "d", "support"),
    ]
    assert [reply.text for reply in for_team(known, "billing")] == ["c", "b"]


# --- the file -------------------------------------------------------------------------------------------------


def test_the_example_is_valid() -> None:
    found = read(tomllib.loads(EXAMPLE.read_text(encoding="utf-8")), ("support",))
    assert len(found) >= 3


def test_each_mistake_is_named_with_its_cure() -> None:
    assert "the file holds [[replies]] tables" in wrong("[reply]\n")
    assert "replies: must be a list" in wrong("replies = 1\n")
    assert "replies[0].name: missing" in wrong('[[replies]]\ntext = "x"\n')
    assert "replies[0].text: missing" in wrong('[[replies]]\nname = "x"\n')
    assert "replies[0].body: not a setting" in wrong('[[replies]]\nname = "x"\ntext = "x"\nbody = "x"\n')
    assert "no team 'sales'; write one of support, billing" in wrong(
        '[[replies]]\nname = "x"\ntext = "x"\nteam = "sales"\n'
    )
    assert "nothing fills {frist_name}; the blanks are {first_name}" in wrong(
        '[[replies]]\nname = "x"\ntext = "{frist_name}"\n'
    )
    assert "two called 'X'" in wrong(
        '[[replies]]\nname = "x"\ntext = "x"\n[[replies]]\nname = "X"\ntext = "y"\n'
    )


def test_replies_are_read_from_beside_the_policy(elsewhere: Path) -> None:
    assert load({}).replies == ()
    (elsewhere / "replies.toml").write_text('[[replies]]\nname = "Hi"\ntext = "Hello {first_name}"\n')
    assert load({}).replies == (Reply("Hi", "Hello {first_name}"),)


def test_a_named_file_must_be_there_and_be_right(elsewhere: Path) -> None:
    with pytest.raises(SettingsError, match="BATON_REPLIES: there is no file"):
        load({"BATON_REPLIES": "elsewhere.toml"})
    (elsewhere / "mine.toml").write_text("[[replies]\n")
    with pytest.raises(SettingsError, match=r"mine\.toml: not valid TOML"):
        load({"BATON_REPLIES": "mine.toml"})
    (elsewhere / "mine.toml").write_text('[[replies]]\ntext = "x"\n')
    with pytest.raises(SettingsError, match=r"mine\.toml: replies\[0\]\.name: missing"):
        load({"BATON_REPLIES": "mine.toml"})


def test_a_reply_that_a_window_might_not_hold_is_said_when_the_file_is_read() -> None:
    def file(text: str) -> str:
        return f'[[replies]]\nname = "x"\ntext = "{text}"\n'

    blank, room = "{first_name}", 2800
    assert len(read(tomllib.loads(file(blank + "x" * room)), ())) == 1
    for long in (blank + "x" * (room + 1), "x" * 3001, "🙂" * 1501):
        message = wrong(file(long))
        assert "replies[0].text" in message
        assert "shorten it to 3000" in message


def test_the_longest_facts_leave_room_in_the_window() -> None:
    reply = Reply("r", "{name} {order.note}")
    filled = fill(reply, facts(name="🙂" * 400, orders=[{"id": "1", "note": "👩‍👩‍👧" * 300}]))
    assert units(filled.text) <= 401
