"""The board of a team's channel: one, up to date, found again, made again, and not fought over."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.discord import board as boards
from adapters.discord.board import Boards
from bot.boards import Look, View
from bot.posts import Action, Button, Row
from tests.adapters.discord.counter import Counter
from tests.fakes.discord import FakeDiscord, Fault, Message, pointed_at
from tests.waiting import until


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "BETWEEN", 0.05)
    monkeypatch.setattr(boards, "AFTER_FAULT", 0.05)
    monkeypatch.setattr(boards, "LEASE", 0.2)


@pytest_asyncio.fixture
async def counter() -> AsyncIterator[Counter]:
    async with FakeDiscord() as discord:
        with pointed_at(discord, hurried=True):
            made = Counter(discord)
            await made.listen()
            yield made
            await made.stop()


def standing(counter: Counter) -> list[Message]:
    return [one for one in counter.discord.messages(counter.room) if "choose:board:" in str(one.components)]


async def one(counter: Counter) -> Message:
    await counter.discord.wait_for(lambda: standing(counter))
    (found,) = standing(counter)
    return found


async def test_a_change_is_shown_in_place(counter: Counter) -> None:
    board = await one(counter)
    counter.desk.rows = (Row(8, "**#8** Ada", (Button(Action.CLAIM, "Claim", "8"),)),)
    counter.wakeup.committed(8)
    await counter.discord.wait_for(lambda: "#8" in counter.discord.text_of(board))
    assert "#7" not in counter.discord.text_of(board)
    assert standing(counter) == [board]


async def test_many_changes_are_one_call(counter: Counter) -> None:
    board = await one(counter)
    for number in range(8, 30):
        counter.desk.rows = (Row(number, f"**#{number}**"),)
        counter.wakeup.committed(number)
    await counter.discord.wait_for(lambda: "#29" in counter.discord.text_of(board))
    assert len(counter.discord.calls_to("edit_message")) <= 2


async def test_a_commit_that_changes_nothing_on_it_is_no_call(counter: Counter) -> None:
    await one(counter)
    looked = len(counter.desk.looks)
    counter.wakeup.committed(8)

    async def looked_again() -> bool:
        return len(counter.desk.looks) > looked

    await until(looked_again)
    await counter.discord.settled()
    assert counter.discord.calls_to("edit_message") == []


async def test_it_is_found_again_after_a_restart(counter: Counter) -> None:
    board = await one(counter)
    counter.desk.rows = (Row(8, "**#8** Ada"),)
    await counter.restart()
    await counter.discord.wait_for(lambda: "#8" in counter.discord.text_of(board))
    assert standing(counter) == [board]


async def test_one_that_was_made_and_not_kept_is_found_in_the_channel(counter: Counter) -> None:
    board = await one(counter)
    counter.bus.kept.clear()
    counter.desk.rows = (Row(8, "**#8** Ada"),)
    await counter.restart()
    await counter.discord.wait_for(lambda: "#8" in counter.discord.text_of(board))
    assert standing(counter) == [board]


async def test_one_that_was_deleted_is_made_again(counter: Counter) -> None:
    board = await one(counter)
    await counter.discord.delete(counter.room, board.id)
    await counter.discord.wait_for(lambda: standing(counter) not in ([], [board]))
    assert len(standing(counter)) == 1


async def test_two_replicas_have_one_board_between_them(counter: Counter) -> None:
    board = await one(counter)
    other = Boards(counter.adapter._chat, counter.bus, counter.desk, [counter.team], "another")
    other.start()
    counter.desk.rows = (Row(8, "**#8** Ada"),)
    counter.wakeup.committed(8)
    await counter.discord.wait_for(lambda: "#8" in counter.discord.text_of(board))
    await counter.discord.settled()
    await other.stop()
    assert standing(counter) == [board]
    assert len(counter.discord.calls_to("edit_message")) == 1


async def test_discord_s_trouble_passes_and_the_board_is_right_again(counter: Counter) -> None:
    board = await one(counter)
    counter.discord.faults.add("edit_message", Fault.http(502), times=2)
    counter.desk.rows = (Row(8, "**#8** Ada"),)
    counter.wakeup.committed(8)
    await counter.discord.wait_for(lambda: "#8" in counter.discord.text_of(board))


async def test_it_answers_with_one_s_own_queue_and_shows_nothing_as_chosen(counter: Counter) -> None:
    board = await one(counter)
    select = counter.discord.rendered(board).selects[-1].custom_id
    mine = await counter.click("baton:look:mine.0...", board)
    assert mine.ephemeral
    chosen = await counter.choose("baton:look:unclaimed.0.urgent..", board)
    assert chosen.ephemeral
    own = [look for look in counter.desk.looks if look != Look(View.UNCLAIMED)]
    assert own == [Look(View.MINE), Look(View.UNCLAIMED, priority="urgent")]
    await counter.discord.wait_for(lambda: counter.discord.rendered(board).selects[-1].custom_id != select)


async def test_a_claim_on_the_board_says_that_it_was_done(counter: Counter) -> None:
    board = await one(counter)
    clicked = await counter.click("baton:claim:7", board)
    assert (clicked.text, clicked.ephemeral) == ("Done.", True)
