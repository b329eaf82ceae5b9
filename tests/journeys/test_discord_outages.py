"""Discord away, or answering wrongly, while operators and a shopper go on: everything counts once, and in order."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.discord import FakeDiscord, Fault, global_limit
from tests.journeys.guild import Guild, GuildThread
from tests.journeys.world import Tap

SECONDS = 3.0
GAP, AFTER = [f"meanwhile {n}" for n in range(4)], "afterwards"


@pytest_asyncio.fixture(loop_scope="session")
async def guild(database_url: str) -> AsyncIterator[Guild]:
    world = Guild(database_url)
    await world.start()
    yield world
    await world.stop()


async def _away(discord: FakeDiscord) -> None:
    """The session survives, and what happened is replayed."""
    discord.gateway_down(SECONDS)


async def _away_and_forgotten(discord: FakeDiscord) -> None:
    """Nothing is replayed: RESUME is answered with an invalid session."""
    discord.forget_sessions()
    discord.gateway_down(SECONDS)


async def _invalid(discord: FakeDiscord) -> None:
    """Op 9 with d=false in the middle of a good connection, and no other for a while."""
    await discord.invalidate()
    discord.refuse_connections(SECONDS)


async def _restarting(discord: FakeDiscord) -> None:
    """Op 7, and by the time we come back the session has timed out."""
    await discord.reconnect()
    discord.forget_sessions()
    discord.refuse_connections(SECONDS)


@pytest.mark.parametrize("outage", [_away, _away_and_forgotten, _invalid, _restarting])
async def test_what_is_said_edited_and_deleted_while_the_gateway_is_gone_counts_once_and_in_order(
    guild: Guild, outage: Callable[[FakeDiscord], Awaitable[None]]
) -> None:
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    shopper = await guild.stream()
    before = [await thread.write(guild.dana, f"before {n}") for n in range(3)]
    await shopper.shows("before 2")

    await outage(guild.discord)
    await _meanwhile(guild, thread, before)

    await shopper.shows(GAP[-1])
    await thread.write(guild.dana, AFTER)
    await shopper.shows(AFTER)
    await shopper.until(lambda: {"edited", "deleted"} <= {one["kind"] for one in shopper.entries})
    wanted = ["before 0, mended", "before 2", *GAP, AFTER]
    assert await _shown_anew(guild) == wanted
    assert [text for text in await guild.relayed() if text] == wanted
    _counted_once(shopper)
    assert thread.ours.count("are you there?") == 1
    assert "taken back" not in str((await guild.replay()).entries)


async def _meanwhile(guild: Guild, thread: GuildThread, before: list[str]) -> None:
    """Everything that people do: also to what nobody has told us of yet."""
    for text in GAP[:-1]:
        await thread.write(guild.dana, text)
    await thread.edit(before[0], "before 0, mended")
    await thread.delete(before[1])
    corrected = await thread.write(guild.dana, "meanwihle 3")
    await thread.edit(corrected, GAP[-1])
    await thread.delete(await thread.write(guild.dana, "taken back"))
    await thread.write(guild.bob, "a colleague's remark, which stays inside")
    await guild.shopper_writes("are you there?")
    await thread.hears("Sarah K.", "are you there?")  # what we say needs no gateway


async def _shown_anew(guild: Guild) -> list[str]:
    """What a window that knows nothing shows of the operators."""
    return [text for text in (await guild.replay()).said() if text]


def _counted_once(shopper: Tap) -> None:
    """Each entry was given once and in order, and nothing was edited or deleted twice."""
    seqs = [one["seq"] for one in shopper.entries]
    assert seqs == sorted(set(seqs))
    changed = Counter((one["kind"], one["target"]) for one in shopper.entries if "target" in one)
    assert set(changed.values()) == {1}


TROUBLES = [
    Fault.drop(commit=True),
    Fault.rate_limit(0.1),
    Fault.http(502, commit=True),
    Fault.http(500),
    global_limit(0.1),
    Fault.late(0.3),
    Fault.drop(),
]


@pytest.mark.parametrize("way", ["execute_webhook", "create_message"])
async def test_through_lost_answers_429s_and_5xx_every_word_is_there_once_and_in_order(
    guild: Guild, way: str
) -> None:
    """Whether a shopper's words are said by a webhook, which has no nonce, or by us. The connection is cut each time,
    too, and so are the calls that mark what was delivered."""
    if way == "create_message":
        guild.discord.revoke("manage_webhooks")
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    shopper = await guild.stream()
    asked, answered, written = [], [], []
    for number, trouble in enumerate(TROUBLES):
        for method in (way, "create_reaction", "delete_own_reaction", "get_messages"):
            guild.discord.faults.add(method, trouble)
        asked.append(f"question {number}")
        await guild.shopper_writes(asked[-1])
        answered.append(f"answer {number}")
        written.append(await thread.write(guild.dana, answered[-1]))
        guild.discord.drop_sockets()
        await guild.discord.wait_for(lambda: asked[-1] in thread.ours, 20)
    await shopper.until(lambda: len(shopper.said()) >= len(answered))
    assert shopper.said() == answered
    ours = [line for post in thread.posts if thread._is_ours(post) for line in post.content.splitlines()]
    assert [one.rpartition("  ")[2] for one in ours if "question" in one] == asked
    await guild.discord.wait_for(lambda: all(_marks(thread, one) == 1 for one in written), 40)
    failed = [call.method for call in guild.discord.calls if call.fault]
    assert failed.count(way) >= len(TROUBLES) - 1


def _marks(thread: GuildThread, message: str) -> int:
    reactions: dict[str, Any] = thread.discord.message(thread.root, message).reactions
    return sum(bool(users) for users in reactions.values())
