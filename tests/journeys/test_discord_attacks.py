"""Hostile hands on the house in Discord: whatever is taken away or thrown at it, each word is there once, and nothing
internal leaves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from bot.wiring import Baton
from tests.fakes.discord import Fault
from tests.fakes.discord.components import walk
from tests.fakes.discord.permissions import bits
from tests.fakes.discord.things import Overwrite
from tests.journeys.guild import Guild, GuildThread
from tests.journeys.test_discord import until_ready
from tests.journeys.world import QUICK, SAID

Begin = Callable[..., Awaitable[Guild]]
BRISK = replace(QUICK, members_refresh=0.4, backoff_most=0.5, socket_watch=2.0)


@pytest_asyncio.fixture(loop_scope="session")
async def begin_guild(database_url: str) -> AsyncIterator[Begin]:
    worlds: list[Guild] = []

    async def begin(**policy: Any) -> Guild:
        world = Guild(database_url, **policy)
        worlds.append(world)
        await world.start()
        return world

    yield begin
    for world in worlds:
        await world.stop()


async def dead(guild: Guild) -> list[str]:
    """What was given up."""
    return [str(one.error) for one in await guild.baton.reads(lambda uow: uow.lanes.dead(50))]


PERMISSIONS = {
    "view_channel": "can see no channel",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "create_public_threads": "Create Public Threads",
    "read_message_history": "Read Message History",
    "add_reactions": "Add Reactions",
    "embed_links": "Embed Links",
}


@pytest.mark.parametrize("permission", PERMISSIONS)
async def test_a_permission_that_is_lost_is_said_and_costs_nothing(
    begin_guild: Begin, permission: str
) -> None:
    """Whatever was said before stays, whatever is said meanwhile is there afterwards, in order; nothing is given up."""
    guild = await begin_guild(timing=BRISK)
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    shopper = await guild.stream()
    await thread.write(guild.dana, "before")
    await shopper.shows("before")

    guild.discord.revoke(permission, guild.channel)
    await until_ready(guild, PERMISSIONS[permission])
    await thread.write(guild.dana, "meanwhile")
    for text in ("are you there?", "hello?"):
        await guild.shopper_writes(text)
    await guild.escalate(conversation_id="c-2", shopper={"id": "s-2", "name": "Otto"})
    looked = len(guild.discord.calls_to("get_messages"))
    await guild.discord.invalidate()  # a fresh session reads all threads back, as far as it may
    await guild.discord.wait_for(lambda: len(guild.discord.calls_to("get_messages")) > looked)
    guild.discord.grant(permission, guild.channel)

    await until_ready(guild, "")
    await shopper.shows("meanwhile")
    for text in ("are you there?", "hello?"):
        await thread.hears("Sarah K.", text)
    await guild.discord.wait_for(lambda: len(guild.threads()) == 2)
    await (await guild.thread(1)).says(SAID)
    assert thread.ours.index("are you there?") < thread.ours.index("hello?")
    assert await guild.relayed() == ["before", "meanwhile"]
    assert (await guild.replay()).said() == ["before", "meanwhile"]
    assert await dead(guild) == []


async def test_a_server_that_has_no_room_for_threads_delays_a_case_and_doubles_nothing(
    begin_guild: Begin,
) -> None:
    """Its card stands, and can be claimed; the thread comes once there is room."""
    guild = await begin_guild(timing=BRISK)
    full = guild.discord.faults.add("start_thread", Fault.error("160006"), times=None)
    await guild.escalate()
    await until_ready(guild, "1,000")
    await guild.discord.wait_for(lambda: len(guild.discord.calls_to("start_thread")) > 3)
    assert len(guild.cards()) == 1
    full.times = 0
    thread = await guild.thread()
    await thread.says(SAID)
    assert len(guild.cards()) == 1
    await until_ready(guild, "")
    assert await dead(guild) == []


async def test_a_stop_that_was_set_while_nobody_listened_keeps_a_message_inside(begin_guild: Begin) -> None:
    guild = await begin_guild(hold=1.5)
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    port = guild.baton.web.port
    await guild.baton.stop()
    stopped = await thread.write(guild.dana, "You fool")
    await guild.discord.react(guild.dana, thread.root, stopped, "🛑")
    await thread.write(guild.dana, "Hello Sarah")
    await guild.start_baton(port)
    await (await guild.stream()).shows("Hello Sarah")
    assert await guild.relayed() == ["Hello Sarah"]


def menu(thread: GuildThread) -> dict[str, Any]:
    """The select of a card."""
    return next(one for one in walk(thread._root.components) if one["type"] == 3)


async def test_whoever_has_no_part_in_the_team_can_do_nothing(begin_guild: Begin) -> None:
    """Somebody who may read the channel, and no more: every button, every entry, every command."""
    guild = await begin_guild()
    discord = guild.discord
    await guild.escalate()
    thread = await guild.thread()
    eve = discord.add_user("Eve")
    may_not = bits("send_messages send_messages_in_threads")
    discord.world.channels[guild.channel].overwrites[eve] = Overwrite(1, deny=may_not)
    discord.grant("add_reactions", guild.channel)  # so that the channel is told anew
    await discord.wait_for(lambda: discord.commands)
    before = (await guild.case())["entries"]
    for name in {str(one["custom_id"]) for one in walk(thread._root.components) if one["type"] == 2}:
        await (await discord.click(eve, thread.channel, thread.root, name)).outcome()
    for value in [option["value"] for option in menu(thread)["options"]]:
        name = menu(thread)["custom_id"]
        answer = await discord.choose(eve, thread.channel, thread.root, name, [value])
        await answer.outcome()
        assert answer.modal is None
        await discord.wait_for(lambda name=name: menu(thread)["custom_id"] != name)
    for command, options in {"claim": {}, "note": {"text": "x"}, "find": {"words": "Sarah"}, "show": {},
                             "mine": {}, "queue": {}, "stats": {}, "failed": {}}.items():  # fmt: skip
        answer = await discord.command(eve, thread.root, f"handoff {command}", **options)
        await answer.outcome()
        assert "Sarah" not in answer.text
        assert "4521" not in answer.text
    for option in ("case", "person"):
        typed = await discord.autocomplete(eve, thread.root, "handoff assign", option, "")
        assert not (await typed.outcome()).choices
    assert (await guild.case())["entries"] == before


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_that_hold_the_gateway_at_once_do_everything_once(begin_guild: Begin) -> None:
    guild = await begin_guild()
    other = Baton(guild._settings(0))
    other._platforms[0]._alone = True
    await other.start()
    guild.replicas.append(other)
    await guild.discord.connected(2)
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    shopper = await guild.stream()
    said = [f"n{n}" for n in range(8)]
    ids = [await thread.write(guild.dana, text) for text in said]
    await thread.edit(ids[0], "n0, mended")
    await thread.delete(ids[1])
    await thread.write(guild.dana, f"<@{guild.discord.bot_id}> note the parcel is lost")
    note = await guild.discord.command(guild.dana, thread.root, "handoff note", text="once more")
    await note.outcome()
    await shopper.shows("n7")
    await shopper.until(lambda: any(one["kind"] == "deleted" for one in shopper.entries))
    await guild.shopper_writes("thanks")
    await thread.hears("Sarah K.", "thanks")
    wanted = ["n0, mended", "", *said[2:]]
    assert (await guild.replay()).said() == wanted
    texts = [str(one.get("text")) for one in (await guild.case())["entries"]]
    assert [texts.count(one) for one in ("the parcel is lost", "once more")] == [1, 1]
