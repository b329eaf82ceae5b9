"""People write below a card as soon as they see it; Baton may learn only later that the thread is its own.

A post whose answer was lost (or whose sender died) stands in the channel before its binding is stored, and the button
on it works. What is written there meanwhile belongs to nobody yet, and must still reach the shopper, in order.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.settings import Timing, load
from bot.wiring import Baton
from tests.crash.house import Zygote
from tests.crash.plans import SCALE
from tests.crash.story import ADMIN, KEY
from tests.fakes.slack import FakeSlack, Fault

PAUSE = 0.008
PATIENCE = 10.0
"""Not scaled: how long live events wait for the catch-up, and a call for its answer, bounds a busy machine."""


class Desk:
    """A Baton in this process, a fake Slack, one operator."""

    def __init__(self, slack: FakeSlack, database: Path):
        self.slack = slack
        self.dana = slack.add_user("dana miller")
        self.channel = slack.add_channel("support", members=[self.dana])
        environment = {
            "BATON_DATABASE_URL": f"sqlite:///{database}",
            "BATON_SECRET": "s" * 32,
            "BATON_API_KEY": KEY,
            "BATON_ADMIN_TOKEN": ADMIN,
            "BATON_PORT": "0",
            "BATON_CONFIG": str(database.with_name("baton.toml")),
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_LIMITS": "off",
            "SLACK_API_URL": slack.api_url,
            "SLACK_CHANNEL": "#support",
        }
        database.with_name("baton.toml").touch()
        timing = replace(Timing().scaled(SCALE), catch_up_wait=PATIENCE, call_timeout=PATIENCE)
        self.baton = Baton(replace(load(environment), timing=timing))

    async def escalate(self, session: aiohttp.ClientSession) -> None:
        url = f"http://127.0.0.1:{self.baton.web.port}/v1/escalations"
        body = {"conversation_id": "c-1", "transcript": [{"author": "shopper", "text": "hello"}]}
        async with session.post(url, json=body, headers={"Authorization": f"Bearer {KEY}"}) as answer:
            assert answer.status == 202

    async def write_until_bound(self, root: str) -> list[str]:
        """Reply after reply, from before the thread is known until well after."""
        said: list[str] = []
        after = 0
        while after < 40:
            said.append(f"reply {len(said)}")
            await self.slack.post(self.dana, self.channel, said[-1], thread_ts=root)
            await asyncio.sleep(PAUSE)
            after += (
                len(self.slack.thread(self.channel, root)) > len(said) + 1
            )  # something of ours stands there
        return said

    async def log(self) -> list[str]:
        """What the operator said to the shopper, in the log's order."""
        entries = await self.baton.reads(lambda uow: uow.log.after(1001, 0))
        return [entry.text for entry in entries if entry.author == "operator" and entry.kind == "message"]


@pytest.fixture
async def desk(zygote: Zygote, tmp_path: Path) -> AsyncIterator[Desk]:
    async with FakeSlack() as slack:
        slack.ack_timeout, slack.retry_delays = 3 * PATIENCE, (0.0, 0.5, 5.0)
        desk = Desk(slack, Path(shutil.copy(zygote.template, tmp_path / "baton.db")))
        await desk.baton.start()
        yield desk
        await desk.baton.stop()


async def story_of_early_replies(desk: Desk) -> list[str]:
    """The card's answer is lost, and looking for it takes a while; the operator has claimed it and writes this."""
    slack = desk.slack
    slack.faults.add("chat.postMessage", Fault.drop(commit=True))
    slack.faults.add("conversations.history", Fault.latency(0.3), times=None)
    async with aiohttp.ClientSession() as session:
        await desk.escalate(session)
    root = await slack.wait_for(lambda: next(iter(slack.messages(desk.channel)), None))
    await slack.click(desk.dana, desk.channel, root.ts, "baton:claim")
    said = await desk.write_until_bound(root.ts)
    await slack.settled(30)
    return said


async def until_there(desk: Desk, said: list[str], seconds: float) -> None:
    """Until all of it is in the log, or nothing more is to be expected."""
    for _ in range(int(seconds / 0.05)):
        if len(await desk.log()) >= len(said):
            return
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("time", range(3))
async def test_replies_below_a_root_that_nobody_knows_yet_arrive_in_order(desk: Desk, time: int) -> None:
    said = await story_of_early_replies(desk)
    await until_there(desk, said, 20)
    log = await desk.log()
    assert set(log) == set(said)
    assert log == said


async def test_a_history_that_could_not_be_read_is_read_again(desk: Desk) -> None:
    desk.slack.faults.add("conversations.replies", Fault.http(503))
    said = await story_of_early_replies(desk)
    await until_there(desk, said, 20)
    assert set(await desk.log()) == set(said)


async def test_two_quick_replies_of_somebody_not_seen_before_keep_their_order(desk: Desk) -> None:
    slack = desk.slack
    async with aiohttp.ClientSession() as session:
        await desk.escalate(session)
    root = await slack.wait_for(
        lambda: slack.messages(desk.channel)[0] if slack.messages(desk.channel) else None
    )
    await slack.click(desk.dana, desk.channel, root.ts, "baton:claim")
    await slack.wait_for(lambda: len(slack.thread(desk.channel, root.ts)) >= 3)
    bob = slack.add_user("bob ray")
    slack.faults.add("users.info", Fault.latency(0.2), times=1, when=lambda args: args["user"] == bob)
    said = [f"as <@{bob}> knows", "it is on its way"]
    for text in said:
        await slack.post(desk.dana, desk.channel, text, thread_ts=root.ts)
    await slack.settled(30)
    assert [text.split()[0] for text in await desk.log()] == ["as", "it"]
