"""A world with more than one team, targets, or another pace; for what is about teams and their places."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.commands import MoveToTeam
from bot.people import Actor, Role
from bot.settings import Settings, Targets, TeamPolicy
from tests.fakes.slack import Message
from tests.journeys.world import QUICK, World

BRISK = replace(QUICK, members_refresh=0.4, due_tick=0.1, backoff_most=2.0)
"""Who is there, and whether each place works, is looked at more than twice a second."""


class Lab(World):
    """`others` are further teams: name → changes to a plain one in the channel of that name."""

    def __init__(self, database: str, transport: str, **policy: Any) -> None:
        self.others: Mapping[str, dict[str, Any]] = policy.pop("others", {})
        self.targets: Targets = policy.pop("targets", Targets())
        policy.setdefault("timing", BRISK)
        super().__init__(database, None, transport=transport, **policy)
        self.channels: dict[str, str] = {}

    async def start_baton(self, port: int) -> None:
        for name in self.others:
            self.channels.setdefault(name, self.slack.add_channel(name))
        await super().start_baton(port)

    def hire_for(self, team: str, name: str, **traits: Any) -> str:
        """One more member of another team's channel."""
        user = self.slack.add_user(name, **traits)
        self.slack.world.channels[self.channels[team]].members.append(user)
        return user

    def _settings(self, port: int) -> Settings:
        settings = super()._settings(port)
        teams = {
            name: replace(TeamPolicy(name, "slack", f"#{name}"), **changes)
            for name, changes in self.others.items()
        }
        return replace(settings, teams={**settings.teams, **teams}, targets=self.targets)

    async def ready(self) -> dict[str, str]:
        """What `/readyz` complains about."""
        _, answer = await self.shop.call("GET", "/readyz")
        return dict(answer["problems"])

    def roots(self, channel: str) -> list[Message]:
        """Threads and announcements of Baton's that stand there."""
        return [one for one in self.slack.messages(channel) if one.bot_id and not one.is_reply]

    def private_words(self, user: str) -> list[str]:
        """What Baton told somebody by direct message."""
        channel = self.slack.world.channels.get(self.slack.dm(user))
        return [one.text for one in channel.messages.values()] if channel else []

    async def move(self, team: str) -> None:
        """A lead moves the first case to another team."""
        lead = Actor("slack", self.lena, "Lena Lead", Role.LEAD)
        number = (await self.case())["number"]
        await self.baton.bus.submit(MoveToTeam(number, lead, team))

    def private(self) -> list[str]:
        """What only one person saw, in the order it was shown."""
        return [one.text + str(one.blocks) for one in self.slack.ephemerals]
