"""Words, names and files in Discord, through the real discord.py: what stands there, and what shoppers are given."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.adapters.discord import reader
from tests.adapters.discord.typed import TRICKY
from tests.fakes.discord import Fault, Message
from tests.journeys.guild import Guild, GuildThread
from tests.journeys.test_files import PDF, PNG, attach, opened, shown_file
from tests.journeys.world import CONVERSATION

HOSTILE = " ".join(one for one in TRICKY if "\n" not in one)


@pytest_asyncio.fixture(loop_scope="session")
async def guild(database_url: str) -> AsyncIterator[Guild]:
    guild = Guild(database_url)
    await guild.start()
    yield guild
    await guild.stop()


async def claimed(guild: Guild) -> GuildThread:
    await guild.escalate()
    thread = await guild.thread()
    await thread.claim(guild.dana)
    return thread


async def attached(guild: Guild, file_id: str) -> None:
    """The shopper sends a file with a word."""
    await guild.as_shopper("messages", {"id": "w-1", "text": "Look", "attachments": [{"file_id": file_id}]})


def voices(thread: GuildThread) -> list[Message]:
    return [one for one in thread.posts if one.webhook_id]


def files_of(thread: GuildThread) -> list[str]:
    return [
        file.name
        for post in thread.posts
        for file in post.attachments
        if post.author == thread.discord.bot_id
    ]


@pytest.mark.parametrize("permitted", [True, False], ids=["own name", "prefix"])
async def test_whatever_a_shopper_writes_stands_there_as_written_and_calls_nobody(
    guild: Guild, permitted: bool
) -> None:
    if not permitted:
        guild.discord.revoke("manage_webhooks")
    thread = await claimed(guild)
    await guild.shopper_writes(HOSTILE, "w-1")
    post = await guild.discord.wait_for(
        lambda: next((one for one in thread.posts if "invite" in one.content), None)
    )
    assert bool(post.webhook_id) is permitted
    words = post.content if permitted else post.content.removeprefix("**Sarah K.**  ")
    shown = reader.shown(words)
    assert shown.text.replace("\u200b", "") == HOSTILE.replace("\u200b", "").replace("\ufeff", "")
    assert shown.links == shown.tokens == reader.pings(words) == reader.previews(words) == []
    assert post.pinged == []


async def test_a_shoppers_post_whose_answer_was_lost_stands_there_once(guild: Guild) -> None:
    thread = await claimed(guild)
    guild.discord.faults.add("execute_webhook", Fault.drop(commit=True))
    await guild.shopper_writes("It came in two pieces", "w-1")
    await guild.shopper_writes("It came in two pieces", "w-2")
    await guild.shopper_writes("And the box is wet")
    await thread.says("And the box is wet")
    assert thread.ours.count("It came in two pieces") == 2
    assert len(voices(thread)) >= 1


async def test_a_webhook_that_is_taken_away_leaves_nothing_unsaid(guild: Guild) -> None:
    thread = await claimed(guild)
    await guild.shopper_writes("one")
    await thread.says("one")
    guild.discord.world.webhooks.clear()
    guild.discord.revoke("manage_webhooks")
    await guild.shopper_writes("two")
    await guild.discord.wait_for(lambda: thread.posts[-1].content == "**Sarah K.**  two")
    assert thread.posts[-1].author == guild.discord.bot_id


async def test_a_shopper_who_edits_and_deletes_is_followed(guild: Guild) -> None:
    thread = await claimed(guild)
    path, body = (
        f"/v1/conversations/{CONVERSATION}/messages",
        {"id": "m-7", "author": "shopper", "text": "Until Frday?"},
    )
    await guild.shop.call("POST", path, body)
    await thread.says("Until Frday?")
    await guild.shop.call("PATCH", f"{path}/m-7", {"text": "Until Friday?"})
    await guild.discord.wait_for(lambda: voices(thread)[-1].content.startswith("Until Friday?"))
    await guild.shop.call("DELETE", f"{path}/m-7", {})
    await guild.discord.wait_for(lambda: not [one for one in thread.posts if "Until" in one.content])


async def test_an_operators_picture_reaches_the_shopper(guild: Guild) -> None:
    thread = await claimed(guild)
    live = await guild.stream()
    file = guild.discord.add_file(guild.dana, "label.png", PNG, "image/png")
    await guild.discord.post(
        guild.dana, thread.channel, "This is the label", thread=thread.root, files=[file]
    )
    await live.shows("This is the label")
    shown = await shown_file(live)
    status, content, _ = await opened(guild, shown["url"])
    assert (status, content, shown["name"]) == (200, PNG, "label.png")


@pytest.mark.parametrize("fault", [None, Fault.drop(commit=True), Fault.http(500, commit=True), Fault.drop()])
async def test_a_shoppers_picture_is_shown_once_whatever_breaks(guild: Guild, fault: Fault | None) -> None:
    thread = await claimed(guild)
    _, kept = await attach(guild, PNG)
    if fault is not None:
        guild.discord.faults.add("create_message", fault, when=lambda args: bool(args.get("_files")))
    await attached(guild, kept["file_id"])
    await guild.discord.wait_for(lambda: files_of(thread), timeout=30)
    await guild.shopper_writes("That is all")
    await thread.says("That is all")
    assert len(files_of(thread)) == 1
    assert guild.discord.uploads[-1].content == PNG


async def test_a_file_that_discord_does_not_take_is_a_link(guild: Guild) -> None:
    thread = await claimed(guild)
    guild.discord.revoke("attach_files")
    _, kept = await attach(guild, PDF, "bill.pdf", "application/pdf")
    await attached(guild, kept["file_id"])
    await guild.discord.wait_for(lambda: any("/files/" in post.content for post in thread.posts), timeout=30)
    assert files_of(thread) == []


async def test_who_types_is_shown_on_the_other_side(guild: Guild) -> None:
    thread = await claimed(guild)
    live = await guild.stream()
    await live.until(lambda: live.entries)
    await guild.discord.typing(guild.dana, thread.root)
    await live.until(lambda: b'"name": "Dana"' in live.raw or b'"name":"Dana"' in live.raw)
    await guild.as_shopper("typing", {})
    await guild.discord.wait_for(lambda: guild.discord.calls_to("typing"))
