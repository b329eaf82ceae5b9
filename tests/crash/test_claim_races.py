"""Two hundred times a dozen people claim the same case at once, in Slack and in the console: each time one wins.

The clicks go through the fake Slack's real buttons and envelopes, the console's claims through its API; every loser is
told who won, in the way that fits where they asked.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.crash.databases import File
from tests.crash.house import House, Zygote
from tests.crash.plans import Plan
from tests.crash.story import ADMIN, KEY
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.delivery import Delivery

RACES, AT_ONCE, CHUNKS = 200, 5, 4
IN_SLACK, IN_CONSOLE = 9, 4


@dataclass
class Race:
    """One case, everybody's attempt, and what they were told."""

    number: int
    root: str
    clicks: dict[str, Delivery] = field(default_factory=dict)
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)


class Team:
    """The operators, and a Baton in a process of its own."""

    def __init__(self, slack: FakeSlack, session: aiohttp.ClientSession):
        self.slack = slack
        self.session = session
        self.names = {
            slack.add_user(f"slack{number} person"): f"Slack{number} Person" for number in range(IN_SLACK)
        }
        self.channel = slack.add_channel("support", members=list(self.names))
        self.house: House

    async def ask(self, path: str, token: str, body: Any) -> tuple[int, Any]:
        """POST once."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(self.house.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def up(self) -> None:
        """Wait until Baton is connected."""
        await self.slack.connected(1, 20)

    async def race(self, name: str) -> Race:
        """A new case, and all of them at once."""
        body = {"conversation_id": name, "transcript": [{"author": "shopper", "text": f"help with {name}"}]}
        status, case = await self.ask("/v1/escalations", KEY, body)
        assert status == 202
        mark = f"#{case['number']} "
        root = await self.slack.wait_for(
            lambda: next((one for one in self._cards() if mark in one.text), None), 30
        )
        race = Race(case["number"], root.ts)
        async with asyncio.TaskGroup() as group:
            for number in range(max(IN_SLACK, IN_CONSOLE)):
                if number < IN_CONSOLE:
                    group.create_task(self._claim(race, f"Console{number} Person"))
                if number < IN_SLACK:
                    group.create_task(self._click(race, list(self.names)[number]))
        return race

    def _cards(self) -> list[Any]:
        return [one for one in self.slack.messages(self.channel) if one.bot_id and not one.is_reply]

    async def _click(self, race: Race, user: str) -> None:
        """Once; again when Slack showed an error (as a busy Baton makes it do) and the button is still there."""
        while user not in race.clicks or not race.clicks[user].acked:
            try:
                pressed = await self.slack.click(user, self.channel, race.root, "baton:claim")
            except AssertionError:  # the button is gone: somebody else was faster
                race.clicks.pop(user, None)
                return
            await self.slack.wait_for(lambda click=pressed: click.done, 30)
            race.clicks[user] = pressed

    async def _claim(self, race: Race, who: str) -> None:
        path = f"/console/api/conversations/{race.number}/claim"
        while who not in race.answers or race.answers[who][0] == 503:
            race.answers[who] = await self.ask(path, ADMIN, {"operator": who})

    async def case(self, race: Race) -> Any:
        """The case as the console shows it."""
        headers = {"Authorization": f"Bearer {ADMIN}"}
        url = f"{self.house.url}/console/api/conversations/{race.number}"
        async with self.session.get(url, headers=headers) as answer:
            return await answer.json()


@pytest.fixture
async def team(zygote: Zygote, tmp_path: Path) -> AsyncIterator[Team]:
    async with FakeSlack() as slack, aiohttp.ClientSession() as session:
        team = Team(slack, session)
        environment = {
            "BATON_SECRET": "s" * 32,
            "BATON_API_KEY": KEY,
            "BATON_ADMIN_TOKEN": ADMIN,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_LIMITS": "off",
            "SLACK_API_URL": slack.api_url,
            "SLACK_CHANNEL": "#support",
        }
        team.house = House(
            zygote, tmp_path, 0, environment, Plan([[]], scale=1.0), File(zygote.template, tmp_path)
        )
        team.house.start()
        await team.up()
        yield team
        await team.house.stop()


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_one_wins_each_race_and_every_loser_is_told_who(team: Team, chunk: int) -> None:
    names = iter([f"race-{chunk}-{number}" for number in range(RACES // CHUNKS)])
    races: list[Race] = []

    async def run_some() -> None:
        for name in names:
            races.append(await team.race(name))

    await asyncio.gather(*(run_some() for _ in range(AT_ONCE)))
    winners = [await winner_of(team, race) for race in races]
    assert len(winners) == RACES // CHUNKS
    await everybody_was_told(team, dict(zip((race.number for race in races), winners, strict=True)), races)
    assert team.house.unexpected() == []


async def winner_of(team: Team, race: Race) -> str:
    """The one owner; whoever claimed in the console was answered accordingly."""
    case = await team.case(race)
    claims = [entry for entry in case["entries"] if entry["kind"] == "claimed"]
    assert [claim["name"] for claim in claims] == [case["owner"]]
    assert case["stage"] == "active"
    for who, (status, body) in race.answers.items():
        assert status == (200 if who == case["owner"] else 409), body
        if status == 409:
            assert body["error"]["code"] == "already_claimed"
            assert case["owner"] in body["error"]["message"]
    return str(case["owner"])


async def everybody_was_told(team: Team, winners: dict[int, str], races: list[Race]) -> None:
    """Every losing click was answered in private, with the winner's name; nobody was told anything else."""
    due: Counter[tuple[str, str]] = Counter()
    for race in races:
        winner = winners[race.number]
        due.update((user, winner) for user in race.clicks if team.names[user] != winner)
    await team.slack.wait_for(lambda: not due - told_so_far(team), 30)
    assert told_so_far(team).keys() == due.keys()


def told_so_far(team: Team) -> Counter[tuple[str, str]]:
    """Who was told how often whose claim it is; a second click of a winner's is answered, too, and does not count."""
    texts = [(one.user, one.text) for one in team.slack.ephemerals if "already" not in one.text]
    return Counter((user, text.partition(" claimed this")[0]) for user, text in texts)
