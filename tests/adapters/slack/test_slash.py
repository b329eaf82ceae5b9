"""The slash command: understood as it was typed, answered in time, to one person."""

import asyncio

import pytest

from adapters.slack.words import numbered
from bot.errors import Busy, Misread
from bot.posts import Answer
from tests.adapters.slack.desk import Desk
from tests.fakes.slack import Ephemeral, Fault


@pytest.mark.parametrize(
    ("typed", "words", "people"),
    [
        ("assign 1042 <@U0BOB|bob ray>", "assign 1042 @1", ["U0BOB"]),
        ("assign <@U0BOB> not <@U0ANN|ann> but <@U0BOB>", "assign @1 not @2 but @1", ["U0BOB", "U0ANN"]),
        ("find a_b *c* &lt;d&gt; &amp; e", "find a_b *c* <d> & e", []),
        ("find <mailto:sarah@example.com|sarah@example.com>", "find sarah@example.com", []),
        ("note see <https://x.test/a|the order>", "note see [the order](https://x.test/a)", []),
        ("find <http://example.com|example.com>", "find http://example.com", []),
        ("move 7 <#C0BILL|billing>", "move 7 #billing", []),
        ("  queue ", "queue", []),
    ],
)
def test_what_is_typed_is_plain_words_with_numbered_people(typed: str, words: str, people: list[str]) -> None:
    assert numbered(typed) == (words, people)


async def answered(desk: Desk) -> Ephemeral:
    return await desk.slack.wait_for(lambda: desk.slack.ephemerals[-1] if desk.slack.ephemerals else None)


async def test_the_answer_stands_in_the_acknowledgement(desk: Desk) -> None:
    bob = desk.slack.add_user("bob ray")
    delivery = await desk.slack.command(desk.anna, desk.room, "/handoff", f"assign 7 <@{bob}|bob ray>")
    shown = await answered(desk)
    assert delivery.acked
    assert shown.user == desk.anna
    assert "Sarah K." in desk.slack.text_of(shown)
    (asked,) = desk.answers.asked
    assert (asked.text, asked.number, [one.name for one in asked.people]) == (
        "assign 7 @1",
        None,
        ["Bob Ray"],
    )
    assert (asked.actor.name, asked.id) == ("Anna Berg", delivery.payload["trigger_id"])
    assert desk.slack.bad_answers == []


async def test_nothing_typed_asks_for_help(desk: Desk) -> None:
    await desk.slack.command(desk.anna, desk.room, "/handoff", "")
    await answered(desk)
    assert desk.answers.asked[0].text == "help"


async def test_wrong_input_is_told_to_the_one_who_typed_it(desk: Desk) -> None:
    desk.answers.failure = Misread("Did you mean `claim 7`?")
    await desk.slack.command(desk.anna, desk.room, "/handoff", "clame 7")
    shown = await answered(desk)
    assert (shown.user, desk.slack.text_of(shown).count("claim 7")) == (desk.anna, 2)


async def test_an_answer_that_takes_long_comes_beside_the_acknowledgement(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.slash.ANSWER_WITHIN", 0.1)
    desk.answers.gate.clear()
    delivery = await desk.slack.command(desk.anna, desk.room, "/handoff", "queue")
    await desk.slack.wait_for(lambda: delivery.done)
    assert delivery.acked
    assert "takes a moment" in (await answered(desk)).text
    desk.answers.gate.set()
    await desk.slack.wait_for(
        lambda: any("Sarah K." in desk.slack.text_of(one) for one in desk.slack.ephemerals)
    )


@pytest.mark.parametrize("failure", [Busy(1.0), RuntimeError("card 4111")])
async def test_whatever_fails_is_said_and_not_logged(
    desk: Desk, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    desk.answers.failure = failure
    await desk.slack.command(desk.anna, desk.room, "/handoff", "queue")
    assert "did not work" in (await answered(desk)).text
    assert "4111" not in caplog.text


async def test_it_works_where_the_bot_is_no_member(desk: Desk) -> None:
    elsewhere = desk.slack.add_channel("random", [desk.anna], bot=False)
    await desk.slack.command(desk.anna, elsewhere, "/handoff", "queue")
    assert "The queue" in desk.slack.text_of(await answered(desk))


async def test_a_command_under_way_is_not_cut_short_by_a_lost_connection(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if desk.transport == "http":
        desk.slack.ack_timeout = 0.1
    monkeypatch.setattr("adapters.slack.slash.ANSWER_WITHIN", 0.5)
    desk.answers.gate.clear()
    await desk.slack.command(desk.anna, desk.room, "/handoff", "claim 7")
    await asyncio.sleep(0.2)
    if desk.transport == "socket":
        desk.slack.drop_sockets()
    desk.answers.gate.set()
    await desk.until(lambda: desk.answers.asked)


async def test_an_answer_beside_a_click_falls_back_when_its_address_is_used_up(desk: Desk) -> None:
    desk.bus.answer = {"whisper": "It is yours."}
    await desk.slack.command(desk.anna, desk.room, "/handoff", "queue")
    shown = await answered(desk)
    desk.slack.faults.add("response_url", Fault.http(404))
    await desk.slack.click(desk.anna, desk.room, shown.ts, "baton:claim")
    await desk.slack.wait_for(lambda: desk.slack.calls_to("chat.postEphemeral"))
    assert desk.slack.ephemerals[-1].text == "It is yours."


def test_an_answer_without_words_is_none() -> None:
    from adapters.slack.answers import said

    assert said(None) is None
    assert said({"whisper": ""}) is None
    assert said(Answer("Yes")) == Answer("Yes")
