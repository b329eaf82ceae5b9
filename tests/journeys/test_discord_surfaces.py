"""What only Discord has: the board, suggestions while somebody types, and old messages after a deployment."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.discord import board as boards
from tests.fakes.discord import Interaction, Message
from tests.journeys.discord_world import DiscordWorld, pressable
from tests.journeys.world import QUICK

PATIENCE = 20.0


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordWorld]:
    monkeypatch.setattr(boards, "BETWEEN", 0.2)
    monkeypatch.setattr(boards, "LEASE", 1.0)
    made = DiscordWorld(f"sqlite:///{tmp_path}/baton.db", others=("billing",), timing=QUICK)
    await made.start()
    yield made
    await made.stop()


async def board_shows(world: DiscordWorld, part: str) -> Message:
    def shown() -> Message | None:
        board = world.board()
        return board if board is not None and part in world.discord.text_of(board) else None

    return await world.discord.wait_for(shown, PATIENCE)


async def typing(world: DiscordWorld, command: str, option: str, typed: str, channel: str = "") -> list[str]:
    """What is offered while Dana types."""
    await world.discord.wait_for(lambda: world.discord.commands)
    one: Interaction = await world.discord.autocomplete(
        world.dana, channel or world.channel, f"handoff {command}", option, typed
    )
    await one.outcome()
    return [choice["name"] for choice in one.choices or ()]


async def test_the_board_shows_who_waits_and_outlives_a_deployment(world: DiscordWorld) -> None:
    number = (await world.escalate())["number"]
    board = await board_shows(world, f"#{number}")
    await world.restart()
    await world.press(world.dana, board, f"claim:{number}")
    again = await board_shows(world, "Nobody is waiting")
    assert again is board
    billing = await world.discord.wait_for(lambda: world.board(world.rooms["billing"]))
    assert f"#{number}" not in world.discord.text_of(billing)


async def test_somebody_s_own_queue_opens_from_the_board_and_follows_what_they_do(
    world: DiscordWorld,
) -> None:
    number = (await world.escalate())["number"]
    board = await board_shows(world, f"#{number}")
    queue = await world.press(world.dana, board, "look:unclaimed.0...")
    assert queue.reply is not None
    await world.press(world.dana, queue.reply, f"claim:{number}")
    await world.press(world.dana, queue.reply, "look:mine.0...")
    text = world.discord.text_of(queue.reply)
    assert ("**Mine: 1**" in text, f"#{number}" in text) == (True, True)


async def test_the_card_of_an_earlier_process_and_its_menu_work(world: DiscordWorld) -> None:
    number = (await world.escalate())["number"]
    card = await world.card(number)
    opened = await world.press(world.dana, card, "note")
    await world.restart()
    await world.fill(world.dana, opened, text="She called twice")
    await world.press(world.dana, card, "claim")
    await world.discord.wait_for(lambda: pressable(card, "resolve"), PATIENCE)
    posts = [world.discord.text_of(one) for one in world.discord.thread(card.channel_id, card.id)]
    assert any("She called twice" in one for one in posts)


async def test_cases_and_colleagues_and_teams_are_suggested(world: DiscordWorld) -> None:
    number = (await world.escalate())["number"]
    card = await world.card(number)
    assert await typing(world, "show", "case", "sarah") == [f"#{number} · Sarah K. · Refund for order #4521"]
    people = await typing(world, "assign", "person", "", card.id)
    assert [one.split(" · ")[0] for one in people] == ["Bob Ray", "Dana Miller", "Lena Lead"]
    assert [one.split(" · ")[0] for one in await typing(world, "move", "team", "b", card.id)] == ["billing"]


async def test_a_thread_s_verbs_need_no_number(world: DiscordWorld) -> None:
    number = (await world.escalate())["number"]
    card = await world.card(number)
    for verb, options, part in (
        ("claim", {}, "is yours"),
        ("tag", {"tags": "damaged"}, "damaged"),
        ("priority", {"level": "urgent"}, "urgent"),
        ("resolve", {"kind": "sale", "amount": "129 EUR"}, f"#{number}"),
    ):
        assert part in (await world.type(world.dana, verb, card.id, **options)).text
    await world.discord.wait_for(lambda: "129" in world.discord.text_of(card), PATIENCE)


async def test_two_clicks_at_once_of_one_person_are_one_note(world: DiscordWorld) -> None:
    number = (await world.escalate())["number"]
    card = await world.card(number)
    opened = await world.press(world.dana, card, "note")
    assert opened.modal is not None
    sent = [await world.discord.submit(world.dana, opened.modal, {"text": "once"})]
    opened.modal.closed = False
    sent.append(await world.discord.submit(world.dana, opened.modal, {"text": "once"}))
    await asyncio.gather(*(one.outcome() for one in sent))
    _, case = await world.as_lead("GET", f"conversations/{number}")
    assert str(case["entries"]).count("'once'") == 1
