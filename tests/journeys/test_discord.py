"""The main job with the team in Discord, without a browser: what stands in the guild, and what shoppers are given."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from bot.posts import Receipt
from tests.fakes.discord import Fault
from tests.journeys.guild import Both, Guild
from tests.journeys.world import CONVERSATION, QUICK, SAID

Begin = Callable[..., Awaitable[Guild]]


@pytest_asyncio.fixture(loop_scope="session")
async def begin_guild(database_url: str) -> AsyncIterator[Begin]:
    worlds: list[Guild] = []

    async def begin(kind: type[Guild] = Guild, **policy: Any) -> Guild:
        world = kind(database_url, **policy)
        worlds.append(world)
        await world.start()
        return world

    yield begin
    for world in worlds:
        await world.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def guild(begin_guild: Begin) -> Guild:
    return await begin_guild()


async def test_a_shopper_is_passed_to_a_person_in_discord_and_back(guild: Guild) -> None:
    """The whole of it in one go."""
    answer = await guild.escalate()
    thread = await guild.thread()
    assert f"#{answer['number']}" in thread.card
    await thread.says(SAID)
    shopper = await guild.stream()

    await thread.claim(guild.dana)
    written = await thread.write(guild.dana, thread.RICH)
    await shopper.shows(thread.RICH)

    await guild.shopper_writes("Thank you, *that* was quick")
    await thread.hears("Sarah K.", r"Thank you, \*that\* was quick")
    await guild.as_shopper("seen", {"delivered": shopper.position, "seen": 0, "hidden": False, "tab": "t1"})
    await thread.has_receipt(written, Receipt.DELIVERED)

    await thread.edit(written, "Hi Sarah, it is refunded today.")
    await shopper.until(lambda: "Hi Sarah, it is refunded today." in str(shopper.entries))
    await thread.delete(written)
    await shopper.until(lambda: shopper.last.get("kind") == "deleted")
    assert (await guild.replay()).said() == [""]

    await thread.press(guild.dana, "resolve")
    await guild.shopper_writes("One more question: does it dim?")
    await thread.hears("Sarah K.", "One more question: does it dim?")
    assert len(guild.threads()) == 1
    await thread.claim(guild.bob)
    assert (await guild.shop.turn(CONVERSATION, "assistant", "a9", "It does."))[0] == 409
    await thread.press(guild.bob, "handback")
    assert (await guild.shop.turn(CONVERSATION, "assistant", "a10", "It does dim."))[0] == 200


async def test_what_is_said_edited_and_deleted_while_a_session_is_lost_counts_once_and_in_order(
    guild: Guild,
) -> None:
    """The gateway is away, and the session with it: nothing is replayed."""
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    shopper = await guild.stream()
    edited, deleted = [await thread.write(guild.dana, text) for text in ("before, frist", "before, second")]
    await shopper.shows("before, second")

    guild.discord.forget_sessions()
    guild.discord.gateway_down(1.0)
    for n in range(5):
        await thread.write(guild.dana, f"meanwhile {n}")
    await thread.edit(edited, "before, first")
    await thread.delete(deleted)
    await guild.discord.archive(thread.root)

    await shopper.shows("meanwhile 4")
    await thread.write(guild.dana, "afterwards")
    await shopper.shows("afterwards")
    await shopper.until(lambda: any(one["kind"] == "deleted" for one in shopper.entries))
    wanted = ["before, first", "", *(f"meanwhile {n}" for n in range(5)), "afterwards"]
    assert (await guild.replay()).said() == wanted


async def test_a_restart_misses_nothing(guild: Guild) -> None:
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    port = guild.baton.web.port
    await guild.baton.stop()
    await thread.write(guild.dana, "while you were out")
    await guild.start_baton(port)
    shopper = await guild.stream()
    await shopper.shows("while you were out")
    assert (await guild.replay()).said() == ["while you were out"]


async def test_a_deleted_card_is_told_again_in_a_new_thread(guild: Guild) -> None:
    await guild.escalate()
    first = await guild.thread()
    await guild.discord.delete(first.channel, first.root)
    await guild.discord.wait_for(lambda: guild.threads() and guild.threads()[0].root != first.root)
    second = await guild.thread()
    await second.says(SAID)
    assert len(guild.threads()) == 1


async def test_a_deleted_thread_is_told_again_and_its_card_taken_away(guild: Guild) -> None:
    await guild.escalate()
    first = await guild.thread()
    await guild.discord.delete_thread(first.root)
    await guild.discord.wait_for(lambda: [one.root != first.root for one in guild.threads()] == [True])
    await (await guild.thread()).says(SAID)


# Both at once


async def test_a_case_that_moves_to_slack_and_back_takes_its_card_and_transcript_along(
    begin_guild: Begin,
) -> None:
    both = await begin_guild(Both)
    assert isinstance(both, Both)
    await both.escalate()
    first = await both.thread()
    await first.claim(both.dana)
    await first.write(both.dana, "Let me ask a colleague.")
    await (await both.stream()).shows("Let me ask a colleague.")

    await both.move("vip")
    await first.says("Moved to vip: [it goes on there](<https://")
    await both.slack.wait_for(lambda: "Let me ask a colleague." in both.in_slack())
    assert all(one in both.in_slack() for one in ("Refund for order #4521", SAID))

    await both.move("support")
    await both.discord.wait_for(lambda: len(both.threads()) == 2)
    await both.threads()[1].says("Let me ask a colleague.")
    assert "Refund for order #4521" in both.threads()[1].card
    await both.slack.wait_for(lambda: "Moved to support: <https://discord.com/channels/" in both.in_slack())


# Trouble


async def test_posts_whose_answers_are_lost_are_there_once(guild: Guild) -> None:
    """A webhook's, which has no nonce, and Baton's own."""
    await guild.escalate()
    thread = await guild.thread()
    for n in (1, 2):  # the same words twice, and each time nobody knows whether they arrived
        guild.discord.faults.add("execute_webhook", Fault.drop(commit=True))
        await guild.shopper_writes("ok", f"w-{n}")
        await guild.discord.wait_for(lambda n=n: [one.content for one in thread.posts].count("ok") == n)
    guild.discord.faults.add("create_message", Fault.http(502, commit=True))
    await thread.claim(guild.dana)
    await thread.says("claimed this")
    await guild.shopper_writes("the end")
    await thread.hears("Sarah K.", "the end")
    assert [post.content for post in thread.posts if post.username] == ["ok", "ok", "the end"]
    assert thread.ours.count("claimed this") == 1


async def test_events_that_come_twice_and_out_of_order_count_once(guild: Guild) -> None:
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    shopper = await guild.stream()
    guild.discord.repeat_events(2)
    guild.discord.reorder(0.05)
    texts = [f"n{n}" for n in range(10)]
    for text in texts:
        await thread.write(guild.dana, text)
    await shopper.until(lambda: len(shopper.said()) >= 10)
    assert sorted(await guild.relayed()) == texts


async def test_a_locked_thread_is_said_and_goes_on_when_it_is_unlocked(begin_guild: Begin) -> None:
    guild = await begin_guild(timing=replace(QUICK, members_refresh=0.4, backoff_most=1.0))
    await guild.escalate()
    thread = await guild.thread()
    guild.discord.revoke("manage_threads")
    await guild.discord.lock(thread.root)
    await guild.shopper_writes("hello?")
    await until_ready(guild, "locked")
    await guild.discord.unlock(thread.root)
    await thread.hears("Sarah K.", "hello?")
    await until_ready(guild, "")


async def until_ready(guild: Guild, word: str) -> None:
    """Wait until `/readyz` complains of that; of nothing, if it is empty."""
    async with asyncio.timeout(10):
        while True:
            _, answer = await guild.shop.call("GET", "/readyz")
            problems = str(answer.get("problems") or "")
            if (word in problems) if word else not problems:
                return
            await asyncio.sleep(0.05)


async def test_what_was_written_while_baton_was_kicked_out_is_read_back(begin_guild: Begin) -> None:
    quick = replace(QUICK, members_refresh=0.4, backoff_most=1.0, socket_watch=2.0)
    guild = await begin_guild(timing=quick)
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    await guild.discord.kick_bot()
    await until_ready(guild, "is not in the Discord server")
    await thread.write(guild.dana, "while you were out")
    await guild.shopper_writes("hello?")
    await guild.discord.invite_bot()
    await thread.hears("Sarah K.", "hello?")
    await (await guild.stream()).shows("while you were out")
    await until_ready(guild, "")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_another_replica_listens_once_the_one_that_did_stops_listening(begin_guild: Begin) -> None:
    """It goes on posting all the while; what is written in the thread meanwhile is read back. That a dead one's lease
    ends is tests/adapters/discord/test_line.py's."""
    guild = await begin_guild()
    other = await guild.add_replica()
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    listens = guild.baton._platforms[0]
    for task in listens._running:
        task.cancel()
    guild.discord.drop_sockets()
    await thread.write(guild.dana, "while nobody listened")
    shopper = await guild.stream(at=other)
    await shopper.shows("while nobody listened")
    await guild.shopper_writes("thank you")
    await thread.hears("Sarah K.", "thank you")
    assert (await guild.replay()).said() == ["while nobody listened"]
